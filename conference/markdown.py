"""Texts of the organisers, from Markdown to HTML: no raw HTML, and links only to where a link may lead."""

from functools import cache
from typing import Any

from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

WORDS = {"text", "code_inline", "softbreak", "hardbreak"}
SAFE_PREFIXES = ("https://", "http://", "mailto:", "tel:", "/", "#")


def is_safe_link(address: str) -> bool:
    return address.lower().startswith(SAFE_PREFIXES) and not address.startswith("//")


class SafeMarkdown(MarkdownIt):
    def validateLink(self, url: str) -> bool:
        return is_safe_link(url)


@cache
def parser() -> MarkdownIt:
    markdown = SafeMarkdown("commonmark", {"html": False}).enable("table").disable("image")
    markdown.add_render_rule("heading_open", second_level)
    markdown.add_render_rule("heading_close", second_level)
    return markdown


def second_level(self: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: Any) -> str:
    """The page's own title is its only h1."""
    if tokens[index].tag == "h1":
        tokens[index].tag = "h2"
    return self.renderToken(tokens, index, options, env)


def to_html(text: str) -> SafeString:
    # The parser escapes every piece of HTML that stands in the text.
    return SafeString(parser().render(text))  # nosec B703


def to_text(text: str) -> str:
    """The words alone, for descriptions and calendars."""
    tokens = parser().parse(text)
    words = [child.content or " " for token in tokens for child in token.children or [] if child.type in WORDS]
    return " ".join("".join(words).split())
