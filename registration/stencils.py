"""Many letters that differ in a few personal words: a template is drawn once with blanks and then filled in for each.

A stencil is kept under everything else that the letter says. A fact that changed is another stencil, so none is ever stale.
"""

import re
from collections.abc import Callable, Hashable
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.html import escape

# Two characters of no alphabet around a number, which no escaping touches.
BLANK = re.compile("\ue000([0-9]+)\ue001")
# A conference has some dozens: languages, zones, choices of webinars.
MOST = 400

Stencil = list[str | int]
kept: dict[Hashable, list[Stencil]] = {}


class Own(str):
    """What is one person's alone, such as a name or a link. A template may show it, or ask whether there is any."""

    __slots__ = ()


class NotShown(Exception):
    """A template asks for what its stencil does not know."""


class Shown(dict[str, Any]):
    """What a template may read of an object."""

    def __missing__(self, name: str) -> Any:
        raise NotShown(name)


# For each class of which letters show something: what, in one tuple.
readers: dict[type, Callable[[Any], dict[str, Any]]] = {}


def render_all(names: tuple[str, ...], facts: dict[str, Any]) -> list[str]:
    """Each template as `render_to_string` gives it."""
    own: list[str] = []
    try:
        key = (names, translation.get_language(), trace(facts, own))
        stencils = kept.get(key) or keep(key, draw(names, facts))
    except NotShown:
        return [render_to_string(name, facts) for name in names]
    written: list[str] = [escape(word) for word in own]
    return [fill(stencil, written if is_html(name) else own) for name, stencil in zip(names, stencils, strict=True)]


def is_html(name: str) -> bool:
    return name.endswith(".html")


def keep(key: Hashable, stencils: list[Stencil]) -> list[Stencil]:
    if len(kept) >= MOST:
        kept.clear()
    kept[key] = stencils
    return stencils


def trace(value: Any, own: list[str]) -> Hashable:
    """What makes two letters the same but for their blanks; the words of the blanks, in the order in which they were met."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, Own) and value:
        own.append(value)
        return BLANK
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (list, tuple)):
        return tuple([trace(item, own) for item in value])
    return tuple([(name, trace(item, own)) for name, item in parts(value).items()])


def parts(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    if reader := readers.get(type(value)):
        return reader(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {name: getattr(value, name) for name in field_names(type(value))}
    raise NotShown(type(value).__name__)


@cache
def field_names(of: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(of))


def draw(names: tuple[str, ...], facts: dict[str, Any]) -> list[Stencil]:
    blanked = with_blanks(facts, iter(range(10_000)))
    return [cut(render_to_string(name, blanked)) for name in names]


def with_blanks(value: Any, numbers: Any) -> Any:
    """The same facts in the order of `trace`, with a numbered blank for each personal word."""
    if isinstance(value, Own) and value:
        return f"\ue000{next(numbers)}\ue001"
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [with_blanks(item, numbers) for item in value]
    blanked = {name: with_blanks(item, numbers) for name, item in parts(value).items()}
    return blanked if isinstance(value, dict) else Shown(blanked)


def cut(text: str) -> Stencil:
    """Words and the numbers of blanks in turn."""
    return [int(piece) if place % 2 else piece for place, piece in enumerate(BLANK.split(text))]


def fill(stencil: Stencil, words: list[str]) -> str:
    return "".join([words[piece] if isinstance(piece, int) else piece for piece in stencil])
