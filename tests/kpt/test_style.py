"""The sizes that keep the tree readable."""

import ast
import statistics
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
SOURCES = [
    path
    for folder in ("kpt", "conference", "registration", "bench")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "migrations" not in path.parts
]
LONGEST_FUNCTION = 60


@pytest.fixture(scope="module")
def lengths():
    """Lines of every function, by its place."""
    found = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found[f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"] = node.end_lineno - node.lineno + 1
    return found


def test_functions_are_short(lengths):
    assert statistics.median(lengths.values()) <= 10


def test_nearly_all_functions_fit_on_half_a_screen(lengths):
    assert statistics.quantiles(lengths.values(), n=20)[-1] <= 35


def test_no_function_is_long(lengths):
    assert {place: length for place, length in lengths.items() if length > LONGEST_FUNCTION} == {}
