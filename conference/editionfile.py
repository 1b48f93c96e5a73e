"""An edition as a YAML file: reading it, and saying line by line what is wrong with it."""

import json
import os
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
from jsonschema import Draft202012Validator, FormatChecker

from conference.crosscheck import cross_check

FOLDER = Path(__file__).parent / "editions"
LARGEST_FILE = 500_000  # bytes
DEEPEST = 12  # mappings and lists within one another
DAYS = frozenset({"date", "starts_on", "ends_on"})
UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
MOMENTS = frozenset({"starts_at", "ends_at", "registration_opens_at", "registration_closes_at"})

type_path = tuple[str | int, ...]
type_finding = Any  # a ValidationError, whose parts are typed as perhaps unset


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


def find(file: str) -> Path:
    """The file of this path, or the edition of this short name that comes with the site."""
    if os.path.isfile(file):
        return Path(file)
    known = {edition.stem: edition for edition in sorted(FOLDER.glob("*.yaml"))}
    if file in known:
        return known[file]
    raise EditionFileError(
        file, [Problem(1, _("There is no such file. The site comes with: %(names)s.") % {"names": ", ".join(known)})]
    )


def read(file: str) -> EditionFile:
    path = find(file)
    name = file if str(path) == file else path.name
    try:
        tree, lines = parse(path)
    except Refused as error:
        raise EditionFileError(name, error.problems) from None
    found = find_problems(tree)
    if found:
        raise EditionFileError(name, [Problem(line_of(lines, where), reason) for where, reason in found])
    return EditionFile(name, typed(tree), lines)


def find_problems(tree: Any) -> list[tuple[type_path, str]]:
    """Of a tree that is thrown away when it has any: its wrong parts are gone."""
    errors = list(validator().iter_errors(tree))
    found = [problem for error in errors for problem in schema_problems(error)]
    remove_wrong_parts(tree, errors)
    return [*found, *cross_check(tree)]


# ---- From text to a tree


class Refused(Exception):
    def __init__(self, *problems: Problem) -> None:
        self.problems = list(problems)


class Loader(yaml.SafeLoader):
    """YAML without its traps: `no` is a word, 09:00 is no number, and nothing stands for something elsewhere."""

    yaml_implicit_resolvers: dict[str, Any] = {}
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise Refused(Problem(line, _("Anchors (&) and aliases (*) are not used here. Put the text in quotes.")))
        if getattr(event, "tag", None):
            raise Refused(Problem(line, _("Tags (!) are not used here. Put a text that begins with “!” in quotes.")))
        if self.depth == DEEPEST:
            raise Refused(Problem(line, _("This is nested too deeply.")))
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(~|null|)$"), ["~", "n", ""])
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(true|false)$"), ["t", "f"])
Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^-?(0|[1-9][0-9]{0,14})$"), list("-0123456789"))

SYNTAX = {
    "cannot start any token": gettext_lazy("No text may begin with this sign or with a tab. Use quotes or spaces."),
    "mapping values are not allowed": gettext_lazy("A colon stands where none may. Put a text with “: ” in quotes."),
    "could not find expected ':'": gettext_lazy("A key has no colon after it, or a line is not indented enough."),
    "expected <block end>": gettext_lazy("This line does not fit. Look at its indentation and its quotes."),
    "unexpected end of stream": gettext_lazy("A quotation mark is opened but not closed."),
    "expected ',' or": gettext_lazy("A bracket is opened but not closed, or a comma is missing."),
    "another document": gettext_lazy("A second document begins here (---). One file holds one edition."),
    "unknown escape character": gettext_lazy("A backslash in double quotes means something else. Use single quotes."),
}
LEFT_OPEN = ("could not find expected ':'", "unexpected end of stream", "expected ',' or")


def parse(path: Path) -> tuple[Any, dict[type_path, int]]:
    text = decoded(path)
    try:
        node = Loader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        raise Refused(syntax_problem(error)) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Refused(Problem(line, _("A character stands here that no text may hold."))) from error
    if node is None:
        raise Refused(Problem(1, _("The file is empty.")))
    lines: dict[type_path, int] = {(): 1}
    problems: list[Problem] = []
    tree = plain(node, (), lines, problems)
    if problems:
        raise Refused(*problems)
    return tree, lines


def decoded(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise Refused(Problem(1, _("The file cannot be read: %(why)s.") % {"why": error.strerror})) from error
    if len(raw) > LARGEST_FILE:
        raise Refused(Problem(1, _("The file is larger than 500 kB. That is no edition.")))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Refused(Problem(line, _("This is not UTF-8. Save the file as UTF-8."))) from error


def syntax_problem(error: yaml.MarkedYAMLError) -> Problem:
    problem = str(error.problem)
    key = next((theirs for theirs in SYNTAX if theirs in problem), None)
    reason = str(SYNTAX[key]) if key else _("This is not YAML: %(why)s.") % {"why": problem}
    # What is left open is noticed only later: name the line where it begins.
    mark = (error.context_mark if key in LEFT_OPEN else None) or error.problem_mark
    return Problem(mark.line + 1 if mark else 1, reason)


def plain(node: yaml.Node, path: type_path, lines: dict[type_path, int], problems: list[Problem]) -> Any:
    """The node as plain data; `lines` learns where each part stands."""
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return [plain(child, (*path, place), lines, problems) for place, child in enumerate(node.value)]
    if isinstance(node, yaml.ScalarNode):
        return scalar(node, problems)
    entries: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key, line = key_node.value, key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            problems.append(Problem(line, _("A list or a mapping cannot be a key.")))
        elif key in entries:
            words = {"key": key, "line": lines[*path, key]}
            problems.append(Problem(line, _("“%(key)s” stands here twice; the first is in line %(line)d.") % words))
        else:
            lines[*path, key] = line
            entries[key] = plain(value_node, (*path, key), lines, problems)
    return entries


def scalar(node: yaml.ScalarNode, problems: list[Problem]) -> str | int | bool | None:
    kind = node.tag.rpartition(":")[2]
    if kind == "null":
        return None
    if kind == "bool":
        return bool(node.value == "true")
    if kind == "int":
        return int(node.value)
    if UNWRITABLE.search(node.value):
        problems.append(Problem(node.start_mark.line + 1, _("A character stands here that no text may hold.")))
    return str(node.value)


# ---- The schema


@cache
def validator() -> Draft202012Validator:
    schema = json.loads((FOLDER / "schema.json").read_text("utf-8"))
    formats = FormatChecker(formats=[])
    formats.checks("date", raises=ValueError)(is_day)
    formats.checks("moment", raises=ValueError)(is_moment)
    formats.checks("address")(is_address)
    formats.checks("optional-address")(lambda value: value == "" or is_address(value))
    return Draft202012Validator(schema, format_checker=formats)


def is_day(value: object) -> bool:
    if not isinstance(value, str):
        return True
    return len(value) == 10 and 1900 <= date.fromisoformat(value).year <= 2200


def is_moment(value: object) -> bool:
    if not isinstance(value, str):
        return True
    moment = datetime.fromisoformat(value)
    return moment.tzinfo is not None and 1900 <= moment.year <= 2200


def is_address(value: object) -> bool:
    return not isinstance(value, str) or re.fullmatch(r"https?://[^\s/.]+(\.[^\s/.]+)+(/\S*)?", value) is not None


def schema_problems(error: type_finding) -> Iterator[tuple[type_path, str]]:
    path = tuple(error.absolute_path)
    if error.validator == "additionalProperties":
        yield from unknown_keys(path, error)
    elif error.validator == "required":
        yield from (((*path, key), missing(key)) for key in error.validator_value if key not in error.instance)
    elif "propertyNames" in error.absolute_schema_path:
        yield (*path, error.instance), str(SENTENCES["pattern"]) % {"value": error.instance}
    else:
        yield path, sentence(path, error)


def missing(key: str) -> str:
    return _("“%(key)s” is missing here.") % {"key": key}


def unknown_keys(path: type_path, error: type_finding) -> Iterator[tuple[type_path, str]]:
    known = list(error.schema["properties"])
    for key in error.instance:
        if key in known:
            continue
        guess = get_close_matches(key, known, 1)
        if guess:
            words = {"key": key, "guess": guess[0]}
            yield (*path, key), _("“%(key)s” is not known here. Did you mean “%(guess)s”?") % words
        else:
            words = {"key": key, "known": ", ".join(known)}
            yield (*path, key), _("“%(key)s” is not known here. Known are: %(known)s.") % words


TYPES = {
    "string": gettext_lazy("“%(key)s” must be a text. Put it in quotes."),
    "integer": gettext_lazy("“%(key)s” must be a whole number."),
    "boolean": gettext_lazy("“%(key)s” must be true or false."),
    "array": gettext_lazy("“%(key)s” must be a list."),
    "object": gettext_lazy("“%(key)s” must hold keys with values."),
}
SENTENCES = {
    "pattern": gettext_lazy("“%(value)s” will not do: small letters and digits with hyphens between them."),
    "enum": gettext_lazy("“%(value)s” is not known for “%(key)s”. Known are: %(limit)s."),
    "maxLength": gettext_lazy("“%(key)s” has %(length)d characters; %(limit)s are the most."),
    "minLength": gettext_lazy("“%(key)s” is empty."),
    "minItems": gettext_lazy("“%(key)s” is empty."),
    "maxItems": gettext_lazy("“%(key)s” names more than %(limit)s."),
    "minimum": gettext_lazy("“%(key)s” must be at least %(limit)s."),
    "maximum": gettext_lazy("“%(key)s” must be at most %(limit)s."),
    "uniqueItems": gettext_lazy("“%(key)s” names the same thing twice."),
}
FORMATS = {
    "date": gettext_lazy("“%(value)s” is no day. Write a day as 2020-08-26."),
    "moment": gettext_lazy("“%(value)s” is no hour. Write day, hour and offset as 2020-08-26T09:00+08:00."),
    "address": gettext_lazy("“%(value)s” is no web address. It begins with https://."),
    "optional-address": gettext_lazy("“%(value)s” is no web address. It begins with https://."),
}


def sentence(path: type_path, error: type_finding) -> str:
    keys = [str(part) for part in path if isinstance(part, str)]
    words = {
        "key": ".".join(keys[-2:]) if keys[-1:] in (["id"], ["en"]) else (keys or ["edition"])[-1],
        "value": error.instance,
        "length": len(error.instance) if isinstance(error.instance, str) else 0,
        "limit": ", ".join(error.validator_value) if error.validator == "enum" else error.validator_value,
    }
    return str(template(error)) % words


def template(error: type_finding) -> Any:
    if error.validator == "type":
        return type_template(error)
    if error.validator == "format":
        return FORMATS[error.validator_value]
    if error.validator == "pattern":
        return PATTERNS.get(error.validator_value, SENTENCES["pattern"])
    return SENTENCES[error.validator]


def type_template(error: type_finding) -> Any:
    kinds = error.validator_value
    if "id" in error.schema.get("properties", {}):
        return gettext_lazy("“%(key)s” must hold the texts of the languages: “id” and, if there is one, “en”.")
    if error.instance is None:
        return gettext_lazy("“%(key)s” is empty.")
    return TYPES[kinds if isinstance(kinds, str) else kinds[0]]


PATTERNS = {
    r"\S": gettext_lazy("“%(key)s” is empty."),
    r"^[a-z]{2,3}$": gettext_lazy("“%(value)s” is no language. Write its code, such as id or en."),
    r"^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$": gettext_lazy("“%(value)s” is no day. Write a day as 2020-08-26."),
}


def remove_wrong_parts(tree: Any, errors: list[type_finding]) -> None:
    """So that the checks across the file meet only parts of the right kind, and every problem is told at once."""
    for error in errors:
        path = tuple(error.absolute_path)
        if path and error.validator in ("type", "format", "enum"):
            holder = part_of(tree, path[:-1])
            if isinstance(holder, dict):
                holder.pop(path[-1], None)
            elif isinstance(holder, list):
                holder[int(path[-1])] = None


def part_of(tree: Any, path: type_path) -> Any:
    for part in path:
        tree = tree.get(part) if isinstance(tree, dict) else tree[int(part)] if isinstance(tree, list) else None
    return tree


def typed(tree: dict[str, Any]) -> dict[str, Any]:
    """Days and hours as such, and without the sources: they stay in the file."""
    return {key: typed_value(key, value) for key, value in tree.items() if key not in ("source", "sources")}


def typed_value(key: str, value: Any) -> Any:
    if isinstance(value, dict):
        return typed(value)
    if isinstance(value, list):
        return [typed_value("", item) for item in value]
    if key in DAYS and value is not None:
        return date.fromisoformat(value)
    if key in MOMENTS and value is not None:
        return datetime.fromisoformat(value)
    return value
