"""An edition as a YAML file: reading it, and saying line by line what is wrong with it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from jsonschema import Draft202012Validator, FormatChecker, ValidationError

from conference.crosscheck import cross_check

FOLDER = Path(__file__).parent / "editions"
LARGEST_FILE = 1_000_000  # bytes
DEEPEST = 12  # mappings and lists within one another
DAYS = frozenset({"date", "starts_on", "ends_on"})
MOMENTS = frozenset({"starts_at", "ends_at", "registration_opens_at", "registration_closes_at"})

type_path = tuple[str | int, ...]


class Problem(NamedTuple):
    line: int
    reason: str


class EditionFileError(Exception):
    """Every problem of a file as file:line: reason."""

    def __init__(self, name: str, problems: list[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(f"{name}:{line}: {reason}" for line, reason in self.problems))


@dataclass(frozen=True)
class EditionFile:
    name: str
    data: dict[str, Any]
    lines: dict[type_path, int]

    def error(self, reason: str, *path: str | int) -> EditionFileError:
        return EditionFileError(self.name, [Problem(line_of(self.lines, path), reason)])


def line_of(lines: dict[type_path, int], path: type_path) -> int:
    """The line of the nearest thing in the file that holds `path`."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)
