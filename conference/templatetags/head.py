"""What search engines and programs that forward an address read in a page's head."""

from typing import Any

from django import template
from django.template.base import NodeList, Parser, Token
from django.template.context import Context
from django.utils.safestring import SafeString

from conference.pictures import Subject, picture_of

register = template.Library()


class KeepNode(template.Node):
    def __init__(self, name: str, nodelist: NodeList) -> None:
        self.name = name
        self.nodelist = nodelist

    def render(self, context: Context) -> SafeString:
        words = self.nodelist.render(context).split()
        # What was rendered is escaped already.
        context[self.name] = SafeString(" ".join(words))  # nosec B703
        return SafeString("")


@register.tag
def keep(parser: Parser, token: Token) -> KeepNode:
    """`{% keep name %}...{% endkeep %}`: the words of a block, on one line, to stand in more than one place."""
    _tag, name = token.split_contents()
    nodelist = parser.parse(["endkeep"])
    parser.delete_first_token()
    return KeepNode(name, nodelist)


@register.inclusion_tag("includes/addresses.html", takes_context=True)
def addresses(context: Context, subject: Subject | str = "beranda") -> dict[str, Any]:
    """Where this page is, in which languages, and how it shows where it is forwarded."""
    names = ("canonical_url", "path_id", "path_en", "SITE_URL", "page_title", "page_description")
    facts = {name: context.get(name, "") for name in names}
    return facts | {"picture": picture_of(subject, context.get("current_edition"))}
