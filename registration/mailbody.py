"""A mail's text as organisers write it: Markdown with {placeholders}, read once, then filled in for each person.

Values come in after the Markdown is read: nothing in a name or a title can become a link or a tag.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from django.utils.html import escape
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

NAME = re.compile(r"\{([a-z_]+)\}")
CONDITION = re.compile(r"\{(if_[a-z_]+)\}\s*")
# Without the full stop or bracket behind it.
BARE = re.compile(r"(https?://[^\s<>\"“”]*[^\s<>\"“”.,;:!?'’)\]])")
LINK_PREFIXES = ("https://", "http://", "mailto:", "tel:")
INK = "color:#1e2f57"
BUTTON = "display:inline-block;background:#8e2b1f;color:#fbf6ec;padding:12px 20px;border-radius:4px"
STYLES = {
    "paragraph_open": "margin:0 0 16px",
    "heading_open": "margin:24px 0 8px;font-family:Georgia,serif;font-size:20px;line-height:1.25",
    "bullet_list_open": "margin:0 0 16px;padding-left:24px",
    "ordered_list_open": "margin:0 0 16px;padding-left:24px",
    "blockquote_open": "margin:16px 0;padding:0 0 0 12px;border-left:3px solid #d9c9ac",
    "link_open": INK,
}
# What the frame's sheet turns dark where a reader wants that; it knows links by themselves.
CLASSES = {"blockquote_open": "line"}


@dataclass(frozen=True)
class Words:
    """What placeholders a text may have: links are addresses, blocks stand on a line of their own."""

    links: frozenset[str] = frozenset()
    blocks: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Piece:
    """A paragraph, a list or a block: words and the names of placeholders in turn, as `re.split` gives them."""

    condition: str
    html: list[str]
    text: list[str]
    block: str = ""


class MailMarkdown(MarkdownIt):
    def validateLink(self, url: str) -> bool:
        return True  # a bad one is said to its writer, not left out silently

    def normalizeLink(self, url: str) -> str:
        return url if NAME.fullmatch(url) else super().normalizeLink(url)


@cache
def parser() -> MarkdownIt:
    # What a mail can't show on every telephone, or what only looks like a slip, is left as it was typed.
    markdown = MailMarkdown("commonmark", {"html": False, "breaks": True})
    return markdown.disable(["image", "code", "fence", "html_inline", "html_block", "reference", "backticks"])


def parse(source: str, words: Words) -> list[Token]:
    return parser().parse(apart(source, words))


def apart(source: str, words: Words) -> str:
    """Blank lines around each block, and before each line that begins with a condition."""
    lines = []
    for line in source.replace("\r\n", "\n").split("\n"):
        name = NAME.fullmatch(line.strip())
        if name and name[1] in words.blocks:
            lines += ["", line.strip(), ""]
        elif CONDITION.match(line.strip()):
            lines += ["", line.strip()]
        else:
            lines.append(line)
    return "\n".join(lines)


# ---- Reading


def read(source: str, words: Words) -> list[Piece]:
    return [piece(node, words) for node in nodes(parse(source, words))]


def nodes(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """What stands at the top level, each with all in it."""
    depth, begins = 0, 0
    for position, token in enumerate(tokens):
        depth += token.nesting
        if depth == 0:
            yield list(tokens[begins : position + 1])
            begins = position + 1


def piece(node: list[Token], words: Words) -> Piece:
    condition = take_condition(node)
    if block := block_of(node, words):
        return Piece(condition, [], [], block)
    for token in node:
        if token.children:
            token.children = list(with_links(token.children, words))
    text = plain(SyntaxTreeNode(node))
    dress(node)
    html = parser().renderer.render(node, parser().options, {})
    return Piece(condition, NAME.split(html), NAME.split(text))


def take_condition(node: list[Token]) -> str:
    """The condition that a paragraph begins with, taken away from it."""
    if len(node) < 2 or not node[1].children:
        return ""
    first = node[1].children[0]
    if first.type != "text" or not (found := CONDITION.match(first.content)):
        return ""
    first.content = first.content[found.end() :]
    if not first.content and len(node[1].children) > 1 and node[1].children[1].type in ("softbreak", "hardbreak"):
        del node[1].children[1]
    return found[1]


def block_of(node: list[Token], words: Words) -> str:
    """The name of the block, if nothing but a block stands here."""
    children = node[1].children if len(node) == 3 and node[0].type == "paragraph_open" else None
    if not children or any(child.type != "text" for child in children):
        return ""
    name = NAME.fullmatch("".join(child.content for child in children).strip())
    return name[1] if name and name[1] in words.blocks else ""


def with_links(children: Iterable[Token], words: Words) -> Iterator[Token]:
    """An address among the words becomes a link to itself."""
    is_in_link = False
    for child in children:
        is_in_link = {"link_open": True, "link_close": False}.get(child.type, is_in_link)
        if child.type != "text" or is_in_link:
            yield child
            continue
        parts = NAME.split(child.content)
        for position, part in enumerate(parts):
            if position % 2 and part in words.links:
                yield from link(f"{{{part}}}")
            elif position % 2:
                yield token("text", "", 0, content=f"{{{part}}}")
            else:
                yield from with_bare_links(part, is_last=position == len(parts) - 1)


def with_bare_links(words: str, *, is_last: bool) -> Iterator[Token]:
    """Not every mail program makes a link of an address that was pasted. One that a placeholder goes on is none."""
    for position, part in enumerate(BARE.split(words)):
        if position % 2 and (is_last or not words.endswith(part)):
            yield from link(part)
        elif part:
            yield token("text", "", 0, content=part)


def link(address: str) -> Iterator[Token]:
    yield token("link_open", "a", 1, href=address)
    yield token("text", "", 0, content=address)
    yield token("link_close", "a", -1)


def token(kind: str, tag: str, nesting: int, *, content: str = "", **attributes: str | int | float) -> Token:
    return Token(kind, tag, nesting, attrs=dict(attributes), content=content)  # type: ignore[arg-type]


def dress(tokens: Iterable[Token]) -> None:
    """Some mail programs drop every style sheet. A paragraph that is nothing but a link is a button."""
    for each in tokens:
        if each.type in STYLES:
            each.attrSet("style", STYLES[each.type])
        if each.type in CLASSES:
            each.attrSet("class", CLASSES[each.type])
        if each.type in ("heading_open", "heading_close"):
            each.tag = "h2"
        if each.children:
            dress(each.children)
            if is_button(each.children):
                each.children[0].attrSet("class", "button")
                each.children[0].attrSet("style", BUTTON)
                each.children.insert(1, token("strong_open", "strong", 1))
                each.children.insert(-1, token("strong_close", "strong", -1))


def is_button(children: Sequence[Token]) -> bool:
    opening = [child for child in children if child.type == "link_open"]
    is_alone = len(opening) == 1 and children[0] is opening[0] and children[-1].type == "link_close"
    return is_alone and "".join(child.content for child in children) != children[0].attrGet("href")


def plain(node: SyntaxTreeNode) -> str:
    """For mail programs without HTML."""
    if node.type in ("text", "code_inline"):
        return node.content
    if node.type in ("softbreak", "hardbreak"):
        return "\n"
    if node.type == "hr":
        return "* * *"
    if node.type == "link":
        return plain_link(node, "{} <{}>")
    if node.type == "blockquote":
        return indented(plain_children(node, "\n\n"), "> ", "> ")
    if node.type in ("bullet_list", "ordered_list"):
        return "\n".join(list_items(node))
    if node.type == "inline" and len(node.children) == 1 and node.children[0].type == "link":
        return plain_link(node.children[0], "{}:\n{}")
    return plain_children(node, "\n\n" if node.type == "root" else "\n" if node.type == "list_item" else "")


def plain_children(node: SyntaxTreeNode, between: str) -> str:
    return between.join([plain(child) for child in node.children])


def plain_link(node: SyntaxTreeNode, form: str) -> str:
    address, words = str(node.attrs["href"]), plain_children(node, "")
    is_bare = words in (address, address.removeprefix("mailto:"))
    return words if is_bare else form.format(words.rstrip(": "), address)


def list_items(node: SyntaxTreeNode) -> Iterator[str]:
    for number, item in enumerate(node.children, start=int(node.attrs.get("start", 1))):
        mark = "- " if node.type == "bullet_list" else f"{number}. "
        yield indented(plain(item), mark, " " * len(mark))


def indented(text: str, first: str, others: str) -> str:
    return "\n".join([(others if number else first) + line for number, line in enumerate(text.split("\n"))])


# ---- Filling in


def html_of(piece: Piece, values: Mapping[str, str]) -> SafeString:
    # The parser has escaped the words around them; an address stands between quotation marks.
    return SafeString("".join(woven(piece.html, {name: escape(value) for name, value in values.items()})))  # nosec B703


def text_of(piece: Piece, values: Mapping[str, str]) -> str:
    return "".join(woven(piece.text, values))


def line_of(source: str, values: Mapping[str, str]) -> str:
    """A subject: one line, whatever stands in the values."""
    return " ".join("".join(woven(NAME.split(source), values)).split())


def woven(parts: Sequence[str], values: Mapping[str, str]) -> list[str]:
    return [values[part] if position % 2 else part for position, part in enumerate(parts)]


# ---- What can't be sent


def addresses(tokens: Iterable[Token]) -> Iterator[str]:
    for each in tokens:
        if each.type == "link_open":
            yield str(each.attrGet("href") or "")
        yield from addresses(each.children or [])


def loose_words(tokens: Iterable[Token]) -> Iterator[str]:
    """What is read, without what stands in the addresses of links."""
    for each in tokens:
        if each.type in ("text", "code_inline"):
            yield each.content
        yield from loose_words(each.children or [])


def is_safe_link(address: str, words: Words) -> bool:
    """A mail has no site around it: only whole addresses lead anywhere."""
    if name := NAME.fullmatch(address):
        return name[1] in words.links
    return address.lower().startswith(LINK_PREFIXES)


def has_control_characters(text: str) -> bool:
    """Line breaks in a subject would be headers; characters that turn the direction of writing hide what stands there."""
    return any(unicodedata.category(sign) in ("Cc", "Zl", "Zp", "Co", "Cs") or sign in TURNING for sign in text)


TURNING = {chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F)}
