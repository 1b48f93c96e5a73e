from django import template

from conference.models import Webinar
from registration import seats

register = template.Library()


@register.inclusion_tag("registration/seats.html")
def seats_of(webinar: Webinar) -> dict[str, object]:
    """For the public page of a webinar, which may not ask for registrations itself."""
    return {"webinar": webinar, "left": seats.left_by_webinar([webinar])[webinar.pk]}
