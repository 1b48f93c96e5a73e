"""The organisers' desk: its numbers, what it asks a decision for, and who sees how much of it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from lxml import html

from registration import audit, statistics
from registration.models import BouncedAddress, Breach, Figure, MailText, RetentionRun, Withdrawal
from tests import factories

pytestmark = pytest.mark.django_db

SEATS = """
SELECT count(*) FILTER (WHERE status = 'CONFIRMED'), count(*) FILTER (WHERE status = 'PENDING'),
    count(*) FILTER (WHERE status = 'WAITLISTED'),
    (SELECT count(*) FROM registration_invitation i WHERE i.webinar_id = r.webinar_id AND i.status = 'open')
FROM registration_registration r WHERE webinar_id = %s GROUP BY webinar_id
"""


def staff(group):
    user = factories.UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    return user


@pytest.fixture
def desk(signed_in_client, now):
    def look(user):
        answer = signed_in_client(user).get("/en/admin/")
        assert answer.status_code == 200
        return html.fromstring(answer.content.decode())

    return look


def todo(page):
    """Words and link of each line."""
    lines = page.xpath("//ul[@class='todo']/li")
    return {" ".join(line.xpath("string(span)").split()): line.xpath("string(a/@href)") for line in lines}


def cards(page):
    found = page.xpath("//ul[@class='seat-cards']/li")
    return {" ".join(one.xpath("string(h3)").split()): " ".join(one.text_content().split()) for one in found}


def test_seats_are_what_plain_sql_counts(desk):
    webinar = factories.WebinarFactory(capacity=10, title_en="Tanah", number=1)
    for _person in range(4):
        factories.RegistrationFactory(webinar=webinar)
    factories.RegistrationFactory(webinar=webinar, pending=True)
    factories.RegistrationFactory(webinar=webinar, cancelled=True)
    factories.InvitationFactory(webinar=webinar)
    factories.InvitationFactory(webinar=webinar, status="expired")
    for _person in range(2):
        factories.RegistrationFactory(webinar=webinar, waitlisted=True)
    with connection.cursor() as cursor:
        cursor.execute(SEATS, [webinar.pk])
        confirmed, held, waiting, reserved = cursor.fetchone()
    words = cards(desk(staff("Organisers")))["1. Tanah"]
    assert f"{confirmed + held} of 10 seats taken" in words
    assert f"{held} of them held" in words
    assert f"{reserved} more kept for guests" in words
    assert f"{waiting} people wait" in words


def test_the_bar_is_as_long_as_the_seats(desk):
    webinar = factories.WebinarFactory(capacity=8)
    for _person in range(2):
        factories.RegistrationFactory(webinar=webinar)
    factories.RegistrationFactory(webinar=webinar, pending=True)
    [bar] = desk(staff("Organisers")).xpath("//*[@class='seat-bar']")
    widths = {part.get("class"): float(part.get("width")) for part in bar.xpath("*")}
    assert widths == {"free": 300, "confirmed": 75, "held": 37.5, "reserved": 0}


def test_what_needs_a_decision_and_where_it_is_solved(desk, now):
    edition = factories.EditionFactory()
    soon = {"edition": edition, "date": (now + timedelta(days=3)).date()}
    full = factories.WebinarFactory(
        number=1, title_en="Penuh", capacity=1, zoom_url="https://zoom.example.org/1", edition=edition
    )
    factories.RegistrationFactory(webinar=full)
    factories.RegistrationFactory(webinar=full, waitlisted=True)
    free = factories.WebinarFactory(
        number=2, title_en="Longgar", capacity=5, zoom_url="https://zoom.example.org/2", edition=edition
    )
    factories.RegistrationFactory(webinar=free, waitlisted=True)
    hour = factories.WebinarFactory(
        number=3, title_en="Jam", unknown_hour=True, zoom_url="https://zoom.example.org/3", **soon
    )
    room = factories.WebinarFactory(number=4, title_en="Ruang", zoom_url="", **soon)
    BouncedAddress.objects.create(email="mati@example.org")
    BouncedAddress.objects.create(email="hidup@example.org", cleared_at=now)  # bait
    factories.InvitationFactory(webinar=free, expires_at=now + timedelta(days=2))
    factories.InvitationFactory(webinar=free, expires_at=now + timedelta(days=9))
    run = RetentionRun.objects.create(
        kind="person", planned_at=now, due_at=now + timedelta(days=7), up_to=now.date(), planned=12
    )
    for days in (8, 1):
        Withdrawal.objects.create(
            organisation=factories.OrganisationFactory(),
            webinar=full,
            registration_code=f"KODE{days}",
            withdrawn_at=now - timedelta(days=days),
        )
    breach = Breach.objects.create(scope="everything", known_at=now - timedelta(hours=10))
    Breach.objects.create(scope="everything", known_at=now - timedelta(hours=73))
    found = todo(desk(staff("Organisers")))
    expected = {
        "“Penuh” is full and 1 person waits": reverse("admin:conference_webinar_change", args=[full.pk]),
        "“Longgar” has free seats and 1 person waits": "status__exact=WAITLISTED",
        "“Jam” on Friday, 4 June 2027 has no hour yet": reverse("admin:conference_webinar_change", args=[hour.pk]),
        "“Ruang” on Friday, 4 June 2027 has no Zoom address": reverse(
            "admin:conference_webinar_change", args=[room.pk]
        ),
        "Mail to 1 address comes back": "state=bounces",
        "1 invitation ends without an answer, on Thursday, 3 June 2027": "status__exact=open",
        "On 8 June 2027 12 rows go": reverse("admin:registration_retentionrun_change", args=[run.pk]),
        "1 person who took her consent back is still in a partner's list": "done_at__isempty=1",
        "must be told until Thursday, 3 June 2027, 23:00 WITA": reverse(
            "admin:registration_breach_change", args=[breach.pk]
        ),
    }
    for words, expected_link in expected.items():
        [address] = [link for line, link in found.items() if words in line] or pytest.fail(f"{words}: {list(found)}")
        assert expected_link.removeprefix("/en") in address, words
    assert len(found) == len(expected)


def test_each_link_opens(desk, signed_in_client, now):
    webinar = factories.WebinarFactory(
        capacity=1, unknown_hour=True, zoom_url="", date=(now + timedelta(days=2)).date()
    )
    factories.RegistrationFactory(webinar=webinar)
    factories.RegistrationFactory(webinar=webinar, waitlisted=True)
    BouncedAddress.objects.create(email="mati@example.org")
    factories.InvitationFactory(expires_at=now + timedelta(days=1))
    MailText.objects.create(kind="confirmation", language="id", version=1, subject="Salam", body="Isi", fault="rusak")
    user = staff("Organisers")
    links = todo(desk(user)).values()
    assert len(links) >= 4
    client = signed_in_client(user)
    assert {client.get(link).status_code for link in links} == {200}


def test_what_a_coming_webinar_lacks_stands_on_its_card_and_not_twice(desk, now):
    soon, late = (now + timedelta(days=2)).date(), (now + timedelta(days=60)).date()
    edition = factories.EditionFactory()
    near = factories.WebinarFactory(
        edition=edition, number=1, title_en="Dekat", unknown_hour=True, zoom_url="", date=soon
    )
    factories.WebinarFactory(edition=edition, number=2, title_en="Jauh", unknown_hour=True, zoom_url="", date=late)
    factories.WebinarFactory(edition=edition, number=3, title_en="Batal", zoom_url="", cancelled=True)
    page = desk(staff("Organisers"))
    # A line at the top says these of the first.
    for words in ("There is no Zoom address", "The hour is not set"):
        assert words not in cards(page)["1. Dekat"]
        assert words in cards(page)["2. Jauh"]
    assert {"“Dekat” on Thursday, 3 June 2027 has no hour yet."} < {words.removeprefix("soon ") for words in todo(page)}
    [link] = set(page.xpath("//ul[@class='seat-cards']/li[1]/details//a/@href"))
    assert link.endswith(reverse("admin:conference_webinar_change", args=[near.pk]).removeprefix("/en"))
    assert "No speaker is named" in cards(page)["1. Dekat"]
    assert "Still missing" not in cards(desk(staff("Observers")))["1. Dekat"]
    assert "3. Batal" not in cards(page)


def test_nothing_to_decide(desk):
    assert "Nothing today" in desk(staff("Organisers")).text_content()


def test_an_observer_sees_seats_and_charts_and_nobody(desk, now):
    webinar = factories.WebinarFactory(capacity=20, title_en="Tanah", number=1)
    person = factories.ParticipantFactory(name="Bait Rahasia")
    factories.RegistrationFactory(webinar=webinar, participant=person)
    factories.RegistrationFactory.create_batch(9, webinar=webinar)
    factories.RegistrationFactory(webinar=webinar, waitlisted=True)
    statistics.count(now=now)
    audit.note(audit.Action.LOOKED_AT, person, actor=staff("Organisers"), now=now, participant=person)
    page = desk(staff("Observers"))
    assert "10 of 20 seats taken" in cards(page)["1. Tanah"]
    assert page.xpath("//a[contains(@href, '/figure/charts/')]")
    assert todo(page) == {}
    words = page.text_content()
    assert "Bait Rahasia" not in words
    assert "What was done last" not in words
    assert not page.xpath("//*[@id='desk-mail']")


def test_an_editor_sees_no_number_of_people(desk):
    webinar = factories.WebinarFactory(capacity=5, title_en="Tanah", number=1)
    factories.RegistrationFactory(webinar=webinar)
    page = desk(staff("Editors"))
    assert "seats taken" not in cards(page)["1. Tanah"]
    assert not page.xpath("//*[@class='seat-bar']")
    assert not page.xpath("//a[contains(@href, '/figure/charts/')]")


def test_the_last_deeds_with_names_only_for_whoever_may_see_them(desk, now):
    person = factories.ParticipantFactory(name="Mama Teti")
    organiser = staff("Organisers")
    audit.note(audit.Action.CHANGED, person, actor=organiser, now=now, participant=person)
    [row] = [
        row
        for row in desk(organiser).xpath("//section[@aria-labelledby='desk-deeds']//tbody/tr")
        if "Mama Teti" in row.text_content()
    ]
    assert organiser.email in row.text_content()


def test_who_only_looks_or_is_refused_pushes_no_deed_off_the_desk(desk, now):
    person = factories.ParticipantFactory(name="Mama Teti")
    organiser = staff("Organisers")
    audit.note(audit.Action.DOWNLOADED, Figure, actor=organiser, now=now)
    for action in (audit.Action.LOOKED_AT, audit.Action.LISTED, audit.Action.REFUSED):
        for _number in range(10):
            audit.note(action, person, actor=organiser, now=now, participant=person)
    page = desk(organiser)
    what = page.xpath("//section[@aria-labelledby='desk-deeds']//td[@data-label='What']")
    assert [" ".join(cell.text_content().split()) for cell in what] == ["Downloaded · figure"]


def test_the_number_of_queries_does_not_grow(desk, signed_in_client, now):
    edition, user = factories.EditionFactory(), staff("Organisers")
    client, counts = signed_in_client(user), []
    for numbers in ([1], [2, 3, 4]):
        for number in numbers:
            webinar = factories.WebinarFactory(edition=edition, number=number, capacity=2)
            factories.RegistrationFactory(webinar=webinar)
            factories.RegistrationFactory(webinar=webinar, waitlisted=True)
            factories.InvitationFactory(webinar=webinar, expires_at=now + timedelta(days=1))
            BouncedAddress.objects.create(email=f"mati{number}@example.org")
            Breach.objects.create(scope="everything", known_at=now)
        client.get("/en/admin/")
        with CaptureQueriesContext(connection) as queries:
            client.get("/en/admin/")
        counts.append(len(queries))
    assert counts[0] == counts[1]
