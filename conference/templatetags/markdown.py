from django import template

from conference.markdown import to_html, to_text

register = template.Library()

register.filter("markdown", to_html)
register.filter("words_only", to_text)
