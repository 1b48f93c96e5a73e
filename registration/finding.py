"""Finding people among a million by what an organiser knows of them: a part of a name, an address, a number, an organisation.

The people are looked up first, by indexes of their own: one search through several tables would read all of each.
"""

import re
from typing import Any

from django.db.models import Q, QuerySet

from registration import addresses
from registration.models import Participant, Registration, User

# Of so many people the rows are looked up; of more, a page of any list is soon full.
FEW = 2000
MOST_WORDS = 6
# With less of a number nobody is meant by it.
SHORTEST_NUMBER = 4


def matching(words: str) -> Q:
    """Each word somewhere in the name, or each in the organisation; or one word in the address; or digits in the number."""
    parts = words.split()[:MOST_WORDS]
    in_name, in_organisation = Q(), Q()
    for part in parts:
        in_name &= Q(name__icontains=part)
        in_organisation &= Q(organisation__icontains=part)
    found = in_name | in_organisation
    if len(parts) == 1:
        found |= by_address(parts[0])
    number = re.sub(r"\D", "", words).lstrip("0")
    if len(number) >= SHORTEST_NUMBER and not re.search(r"[^\d+() .-]", words):
        found |= Q(phone__icontains=number)
    return found


def by_address(word: str) -> Q:
    """Her own, with any plus-tag, or the beginning of her carer's."""
    found = Q(email__icontains=word)
    if "@" in word:
        found |= Q(email_key=addresses.key(word))
    accounts = User.objects.filter(email__startswith=word.lower()).values_list("pk", flat=True)[:FEW]
    # As numbers: a search within the search could use no index.
    return found | Q(account__in=list(accounts))


def participants(rows: "QuerySet[Any]", words: str) -> "QuerySet[Any]":
    """By a registration's code too, which she reads aloud."""
    of_code = Registration.objects.filter(code=words.strip().upper()).values_list("participant", flat=True)
    return by_person(rows, "pk", words, also=Q(pk__in=list(of_code)))


def by_person(rows: "QuerySet[Any]", path: str, words: str, also: Q | None = None) -> "QuerySet[Any]":
    """Rows that belong to such people by `path`, or are found otherwise."""
    people = Participant.objects.filter(matching(words)).values("pk")
    numbers = [row["pk"] for row in people[: FEW + 1]]
    if len(numbers) > FEW:
        return rows.filter(**{f"{path}__in": people}) if path != "pk" else rows.filter(matching(words))
    return rows.filter(Q(**{f"{path}__in": numbers}) | (also or Q(pk__in=[])))
