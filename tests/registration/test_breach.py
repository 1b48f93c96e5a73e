import csv
import io
from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from conference.timezones import WITA
from registration import breach
from registration.models import Breach, Download, SensitiveAnswers
from tests import factories

pytestmark = pytest.mark.django_db


def leak(now, **facts):
    return Breach.objects.create(known_at=now, **facts)


def lines(of):
    file = io.BytesIO()
    breach.write_csv(file, of)
    return list(csv.DictReader(StringIO(file.getvalue().decode("utf-8-sig"))))


def names(of):
    return sorted(line["name"] for line in lines(of))


def test_everything_reaches_everybody_and_no_made_up_person(now):
    factories.ParticipantFactory(name="Ani")
    factories.ParticipantFactory(name="Contoh", is_made_up=True, account=factories.UserFactory(name="Akun"))
    carer = factories.UserFactory(name="Pengurus", email="pengurus@example.org")
    factories.ParticipantFactory(name="Asuh", email="", account=carer, age_group="under_18", language="en")
    of = leak(now, scope="everything")
    found = breach.figures(of)
    assert (found.people, found.by_mail, found.through_carer, found.under_18) == (2, 1, 1, 1)
    assert found.accounts == 2
    assert found.by_language == [("en", 1), ("id", 1)]
    in_care = next(line for line in lines(of) if line["name"] == "Asuh")
    assert (in_care["email"], in_care["written_to"], in_care["under_18"]) == ("", "pengurus@example.org", "yes")
    assert names(of) == ["Akun", "Ani", "Asuh", "Pengurus"]


def test_kinds_of_data_are_those_that_there_are_of_each_person(now):
    with_answers = factories.RegistrationFactory(participant__name="Ani", participant__phone="").participant
    SensitiveAnswers.objects.create(participant=with_answers, delete_on=now.date())
    factories.ParticipantFactory(name="Beti", phone="+628111111111")
    of = leak(now, scope="everything")
    data = {line["name"]: line["data"] for line in lines(of)}
    answers = str(breach.KINDS["answers"].word)
    assert (answers in data["Ani"], answers in data["Beti"]) == (True, False)
    numbers = {str(word): (number, is_specific) for word, number, is_specific in breach.figures(of).by_kind}
    assert numbers[answers] == (1, True)
    assert numbers[str(breach.KINDS["phone"].word)] == (1, False)
    assert numbers[str(breach.KINDS["name"].word)] == (2, False)


def test_one_webinars_list_reaches_those_in_its_books(now):
    row = factories.RegistrationFactory(participant__name="Ani", cancelled=True)
    factories.RegistrationFactory(participant__name="Umpan")
    factories.UserFactory(name="Umpan")
    of = leak(now, scope="webinar", webinar=row.webinar)
    assert names(of) == ["Ani"]
    assert str(breach.KINDS["answers"].word) not in [
        str(word) for word, _number, _specific in breach.figures(of).by_kind
    ]


def test_an_organisations_downloads_reach_those_who_were_in_them(now):
    host, other = factories.OrganisationFactory(), factories.OrganisationFactory()
    webinar = factories.WebinarFactory()
    for name, partner, fields in [
        ("Ani", host, {}),
        ("Withdrew later", host, {"withdrawn_at": now + timedelta(hours=2)}),
        ("Umpan withdrew before", host, {"withdrawn_at": now + timedelta(minutes=30)}),
        ("Umpan of another", other, {}),
        ("Umpan agreed later", host, {"granted_at": now + timedelta(hours=2)}),
    ]:
        row = factories.RegistrationFactory(participant__name=name, webinar=webinar)
        factories.ConsentFactory(participant=row.participant, partner=partner, **fields)
    elsewhere = factories.RegistrationFactory(participant__name="Umpan elsewhere")
    factories.ConsentFactory(participant=elsewhere.participant, partner=host)
    waiting = factories.RegistrationFactory(participant__name="Umpan waits", webinar=webinar, waitlisted=True)
    factories.ConsentFactory(participant=waiting.participant, partner=host)
    for organisation in (host, other):
        Download.objects.create(
            organisation=organisation,
            webinar=webinar,
            format="csv",
            rows=1,
            columns="name",
            downloaded_at=now + timedelta(hours=1),
        )
    assert names(leak(now, scope="downloads", organisation=host)) == ["Ani", "Withdrew later"]


def test_mails_of_one_kind_reach_their_receivers(now):
    factories.OutgoingMailFactory(participant=factories.ParticipantFactory(name="Ani"), kind="confirmation", sent=True)
    factories.OutgoingMailFactory(participant=factories.ParticipantFactory(name="Umpan"), kind="promoted", sent=True)
    factories.OutgoingMailFactory(participant=factories.ParticipantFactory(name="Umpan"), kind="confirmation")
    account = factories.UserFactory(name="Mitra")
    factories.OutgoingMailFactory(participant=None, to=account.email, kind="confirmation", sent=True)
    assert names(leak(now, scope="mails", mail_kind="confirmation")) == ["Ani", "Mitra"]


def test_formulas_are_harmless_in_the_list(now):
    factories.ParticipantFactory(name="=HYPERLINK(1)", phone="+628111111112")
    [line] = lines(leak(now, scope="everything"))
    assert line["name"] == "'=HYPERLINK(1)"
    assert line["phone"] == "'+628111111112"


def test_the_law_gives_three_days(now):
    of = leak(now, scope="everything", note="Laptop hilang.")
    assert breach.deadline(of) == now + timedelta(hours=72)
    assert "Laptop hilang." in breach.notice(of, "id")
    assert "We have known of it since Tuesday, 1 June 2027, 09:00 WITA." in breach.notice(of, "en")
    assert "1 Juni 2027, 09.00 WITA" in breach.notice(of, "id")


def test_figures_cost_the_same_for_one_person_and_for_three(now):
    def cost(number):
        for _person in range(number):
            factories.RegistrationFactory()
        with CaptureQueriesContext(connection) as queries:
            breach.figures(of)
            lines(of)
        return len(queries)

    of = leak(now, scope="everything")
    assert cost(1) == cost(3)


@pytest.mark.parametrize(
    "facts", [{"scope": "webinar"}, {"scope": "mails"}, {"scope": "everything", "mail_kind": "code"}]
)
def test_a_breach_names_what_leaked_and_nothing_else(now, facts):
    with pytest.raises(IntegrityError), transaction.atomic():
        leak(now, **facts)


# ---- The admin


@pytest.fixture
def organiser(now, signed_in_client):
    user = factories.UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name="Organisers"))
    return signed_in_client(user)


@pytest.mark.parametrize("language", ["", "/en"])
def test_an_organiser_records_it_and_is_told_whom_to_tell(organiser, now, language):
    factories.ParticipantFactory(name="Ani")
    answer = organiser.post(
        f"{language}/admin/registration/breach/add/",
        {"scope": "everything", "mail_kind": "", "known_at_0": "2027-06-01", "known_at_1": "08:00", "note": "Hilang"},
        follow=True,
    )
    of = Breach.objects.get()
    assert of.known_at == datetime(2027, 6, 1, 8, tzinfo=WITA.info)
    assert answer.redirect_chain[-1][0] == f"{language}/admin/registration/breach/{of.pk}/change/"
    html = answer.content.decode()
    assert ("71 hours are left" if language else "tersisa 71 jam") in html
    assert breach.notice(of, "id").splitlines()[0] in html
    assert breach.notice(of, "en").splitlines()[0] in html


def test_who_takes_the_list_is_noted(organiser, now):
    factories.ParticipantFactory(name="Ani")
    of = leak(now, scope="everything")
    address = f"/admin/registration/breach/{of.pk}/list.csv"
    assert organiser.get(address).status_code == 405
    assert not LogEntry.objects.exists()
    response = organiser.post(address)
    content = b"".join(response.streaming_content).decode("utf-8-sig")
    assert content.splitlines()[0] == ",".join(breach.COLUMNS)
    assert "Ani" in content
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.change_message) == (str(of.pk), f"CSV, {len(content.splitlines()) - 1}")


def test_editors_and_participants_have_no_part_in_it(signed_in_client, now):
    of = leak(now, scope="everything")
    editor = factories.UserFactory(is_staff=True)
    editor.groups.add(Group.objects.get(name="Editors"))
    for user in (editor, factories.ParticipantFactory().account):
        client = signed_in_client(user)
        assert client.get(f"/admin/registration/breach/{of.pk}/change/").status_code in (302, 403)
        assert client.post(f"/admin/registration/breach/{of.pk}/list.csv").status_code in (302, 403)


# ---- By hand


def test_the_command_says_the_same_and_records_a_list(now, tmp_path):
    row = factories.RegistrationFactory(participant__name="Ani")
    out = StringIO()
    file = tmp_path / "list.csv"
    call_command("breach_notice", webinar=row.webinar.slug, known_since="2027-06-01T08:00", csv=file, stdout=out)
    assert "Tell them until 2027-06-04 08:00 WITA." in out.getvalue()
    assert "1 people (1 by mail, 0 through their carer, 0 under 18), 0 further accounts." in out.getvalue()
    assert "Ani" in file.read_text(encoding="utf-8-sig")
    assert Breach.objects.get().webinar == row.webinar


def test_the_command_says_what_it_does_not_understand(now):
    for options in ({"webinar": "nowhere"}, {"everything": True, "known_since": "yesterday"}):
        with pytest.raises(CommandError):
            call_command("breach_notice", **options)
    assert not Breach.objects.exists()
