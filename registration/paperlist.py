"""A list of people that came on paper, such as from a district: its columns, and the same columns as an export."""

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext_lazy

from conference import tables
from conference.models import Webinar
from conference.spreadsheets import KILOBYTE, Limits
from registration import groupfile, regions
from registration.groupfile import BY_FIELD, Column, Row
from registration.models import Consent, Participant, Registration

MOST_PEOPLE = 1000
LIMITS = Limits(largest=1024 * KILOBYTE, largest_unpacked=10 * KILOBYTE * KILOBYTE, most_rows=MOST_PEOPLE + 50)
COLUMNS = (
    *(BY_FIELD[name] for name in ("name", "gender", "age_group", "province", "regency", "phone")),
    Column("email", gettext_lazy("Email"), other_names=("E-mail", "Surel", "Alamat email")),
    Column("organisation", gettext_lazy("Organisation"), other_names=("Lembaga", "Komunitas")),
    Column("organisation_kind", gettext_lazy("Kind of organisation"), other_names=("Jenis lembaga",)),
    *(BY_FIELD[name] for name in ("webinars", "consent_processing", "consent_partners", "guardian_name")),
    BY_FIELD["guardian_consent"],
)
LABELS = {column.field: column.label for column in COLUMNS}


def form_data(row: Row, webinars: Sequence[Webinar], default: Sequence[str]) -> dict[str, object]:
    """As the organisers' own form takes it."""
    by_number = {str(webinar.number): str(webinar.pk) for webinar in webinars}
    hosts = {host.short_name: str(host.pk) for webinar in webinars for host in webinar.hosts.all()}
    data = groupfile.form_data(row, by_number, hosts, default, COLUMNS)
    if data["consent_partners"] == ["on"]:
        chosen = groupfile.as_post(data).getlist("webinars")
        data["consent_partners"] = [
            str(host.pk) for webinar in webinars if str(webinar.pk) in chosen for host in webinar.hosts.all()
        ]
    return data


# ---- The same columns as an export


def rows(webinar: Webinar) -> list[Row]:
    """Everybody with a seat or in the line, as the import takes her. Of the newest nothing when they are too many."""
    found = Registration.objects.live().filter(webinar=webinar).select_related("participant").order_by("pk")
    people = [registration.participant for registration in found[: MOST_PEOPLE + 1]]
    hosts = shared_with(people)
    return [row_of(person, webinar, hosts.get(person.pk, [])) for person in people]


def shared_with(people: Iterable[Participant]) -> dict[int, list[str]]:
    given = Consent.objects.in_force().filter(purpose=Consent.Purpose.PARTNER, participant__in=people)
    shared: dict[int, list[str]] = {}
    for consent in given.select_related("organisation").order_by("organisation__slug"):
        if consent.organisation:
            shared.setdefault(consent.participant_id, []).append(consent.organisation.short_name)
    return shared


def row_of(person: Participant, webinar: Webinar, hosts: Sequence[str]) -> Row:
    """Of somebody in another's care there is no address: she comes back as one without."""
    yes, no = (str(label) for _code, label in groupfile.choices("consent_processing"))
    return {
        "name": person.name,
        "gender": str(person.get_gender_display()) if person.gender else "",
        "age_group": str(person.get_age_group_display()) if person.age_group else "",
        "province": regions.province_name(person.province),
        "regency": regions.names().get(person.regency, ""),
        "phone": person.phone,
        "email": person.email,
        "organisation": person.organisation,
        "organisation_kind": str(person.get_organisation_kind_display()) if person.organisation_kind else "",
        "webinars": str(webinar.number),
        "consent_processing": yes,
        "consent_partners": ", ".join(hosts) or no,
        "guardian_name": person.guardian_name,
        "guardian_consent": yes if person.guardian_name else "",
    }


def csv_of(rows: Iterable[Row]) -> bytes:
    return tables.csv_of(list(LABELS), rows, heads())


def xlsx_of(rows: Iterable[Row]) -> bytes:
    return tables.xlsx_of(list(LABELS), rows, heads(), "list")


def heads() -> list[str]:
    return [str(label) for label in LABELS.values()]
