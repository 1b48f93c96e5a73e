"""Texts of the organisers, from Markdown to HTML: no raw HTML, and links only to where a link may lead."""

from functools import cache
from typing import Any

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

SAFE_PREFIXES = ("https://", "http://", "mailto:", "tel:", "/", "#")


def is_safe_link(address: str) -> bool:
    return address.lower().startswith(SAFE_PREFIXES) and not address.startswith("//")


@cache
def parser() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
    markdown.validateLink = is_safe_link  # type: ignore[method-assign]
    markdown.add_render_rule("heading_open", lower_heading)
    markdown.add_render_rule("heading_close", lower_heading)
    return markdown


def lower_heading(self: RendererHTML, tokens: list[Token], index: int, options: OptionsDict, env: Any) -> str:
    """The page's own title is the only h1: a text's headings start one lower."""
    token = tokens[index]
    token.tag = f"h{min(int(token.tag[1]) + 1, 6)}" if not token.meta.get("lowered") else token.tag
    token.meta["lowered"] = True
    return self.renderToken(tokens, index, options, env)


def to_html(text: str) -> SafeString:
    return mark_safe(parser().render(text))  # noqa: S308 - the parser escapes every piece of HTML in the text


def to_text(text: str) -> str:
    """The words alone, for descriptions and calendars."""
    tokens = parser().parse(text)
    words = [child.content or " " for token in tokens for child in token.children or [] if child.type in WORDS]
    return " ".join("".join(words).split())


WORDS = {"text", "code_inline", "softbreak", "hardbreak"}
