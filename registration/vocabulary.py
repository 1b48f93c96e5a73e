"""The mails of each kind have a vocabulary: the words in curly brackets that organisers may use in their text.

No template language: a placeholder that isn't named means nothing, so that a text can neither break a mail nor show more
than the shipped one does.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from registration.mailbody import Words

Facts = dict[str, Any]
# The subject that comes with the site, where it depends on the case.
USUAL_SUBJECT = "usual_subject"


@dataclass(frozen=True)
class Placeholder:
    """`value` among other words; `block` is the template pair for a line of its own."""

    explanation: str | Promise
    value: Callable[[Facts], str] | None = None
    block: str = ""
    is_link: bool = False
    is_required: bool = False


@dataclass(frozen=True)
class Condition:
    """At the beginning of a paragraph: it is in the mail only if this holds."""

    explanation: str | Promise
    holds: Callable[[Facts], bool]


EVERYWHERE = {"site": Placeholder(_("The address of this website"), lambda facts: facts["site_url"], is_link=True)}


@dataclass(frozen=True)
class Vocabulary:
    when: str | Promise
    own: dict[str, Placeholder]
    conditions: dict[str, Condition] = field(default_factory=dict)
    # What the shipped subject is drawn with to become an editable one; None where it differs from case to case.
    subject: Facts | None = field(default_factory=dict)

    @property
    def placeholders(self) -> dict[str, Placeholder]:
        return self.own | EVERYWHERE

    @property
    def words(self) -> Words:
        entries = self.placeholders.items()
        return Words(
            links=frozenset(name for name, entry in entries if entry.is_link),
            blocks=frozenset(name for name, entry in entries if entry.block),
        )

    @property
    def in_subject(self) -> set[str]:
        fitting = {name for name, entry in self.placeholders.items() if entry.value and not entry.is_link}
        return fitting | {USUAL_SUBJECT}

    @property
    def required(self) -> set[str]:
        return {name for name, entry in self.own.items() if entry.is_required}
