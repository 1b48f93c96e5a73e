from django import template

from registration import addresses

register = template.Library()
register.simple_tag(addresses.likely_meant)
