from django import template
from django.utils.formats import number_format

register = template.Library()


@register.filter
def weight(size: int) -> str:
    """Of a download, as short as people say it: 12 MB, 1.4 MB, 350 kB."""
    kilobytes = size / 1024
    if kilobytes < 1000:
        return f"{max(1, round(kilobytes))} kB"
    megabytes = kilobytes / 1024
    return f"{number_format(megabytes, 1 if megabytes < 9.95 else 0)} MB"
