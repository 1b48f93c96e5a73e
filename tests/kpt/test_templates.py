import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template import engines

from kpt.templates import Loader

FOLDER = Path(settings.BASE_DIR) / "templates"
TAGS = re.compile(r"\{%.*?%\}|\{#.*?#\}", re.DOTALL)
LOADER = Loader(engines["django"].engine, [FOLDER])


def load(name):
    [origin] = LOADER.get_template_sources(name)
    return LOADER.get_contents(origin)


@pytest.mark.parametrize("file", sorted(FOLDER.rglob("*.html")), ids=lambda file: str(file.relative_to(FOLDER)))
def test_loading_joins_and_loses_no_words(file):
    source, loaded = file.read_text(), load(str(file.relative_to(FOLDER)))
    assert TAGS.sub("", loaded).split() == TAGS.sub("", source).split()
    assert TAGS.findall(loaded) == TAGS.findall(source)


def test_indentation_goes_and_so_do_lines_of_silent_tags():
    base = load("base.html")
    assert "\n " not in base
    assert "\n\n" not in base
    assert base.startswith(
        "{% load head i18n static %}{% get_current_language as LANGUAGE_CODE %}<!DOCTYPE html>\n<html"
    )


def test_plain_text_keeps_its_lines():
    assert load("mail/confirmation.txt") == (FOLDER / "mail/confirmation.txt").read_text()


def test_what_is_set_as_it_stands_keeps_its_blanks(tmp_path):
    (tmp_path / "poem.html").write_text("<pre>\n  a\n    b\n</pre>\n")
    [origin] = Loader(engines["django"].engine, [tmp_path]).get_template_sources("poem.html")
    assert LOADER.get_contents(origin) == "<pre>\n  a\n    b\n</pre>\n"
