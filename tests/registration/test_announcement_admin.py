"""The organisers' pages of an announcement: written, looked at, tried out, sent, watched, stopped; by whom."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from registration import announcements, delivery
from registration.models import Announcement, OutgoingMail
from tests import factories

pytestmark = pytest.mark.django_db

Status = Announcement.Status


def url(page, *args):
    return reverse(f"admin:registration_announcement_{page}", args=args)


@pytest.fixture
def webinar(now):
    return factories.WebinarFactory()


@pytest.fixture
def organiser(signed_in_client, now):
    user = factories.UserFactory(is_staff=True, name="Ibu Panitia", email="panitia@example.org")
    user.groups.add(Group.objects.get(name="Organisers"))
    return signed_in_client(user)


@pytest.fixture
def writer(signed_in_client, now):
    """She may write, and neither send nor see people."""
    user = factories.UserFactory(is_staff=True)
    names = ["add_announcement", "change_announcement", "view_announcement", "view_edition"]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return signed_in_client(user)


def draft(webinar, **fields):
    audience = {"about": "own_webinars", "editions": [webinar.edition_id], "webinars": [webinar.pk]}
    return factories.AnnouncementFactory(edition=webinar.edition, **({"audience": audience} | fields))


def typed(webinar, **fields):
    given = {"edition": webinar.edition_id, "subject_ind": "Jadwal", "body_ind": "Isi", "subject_en": "", "body_en": ""}
    return given | {"about": "own_webinars", "reach": "edition", "webinars": [webinar.pk]} | fields


def status(row):
    return Announcement.objects.get(pk=row.pk).status


def text_of(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


# ---- Writing


def test_a_new_one_begins_with_the_current_edition(organiser, webinar):
    assert organiser.get(url("add")).context["adminform"].form["edition"].value() == webinar.edition_id


def test_what_is_ticked_becomes_the_audience(organiser, webinar):
    data = typed(
        webinar, statuses=["CONFIRMED"], attended="no", provinces=["53", "91"], languages=["id"], consents=["partner"]
    )
    answer = organiser.post(url("add"), data)
    row = Announcement.objects.get()
    assert (answer.status_code, answer.url) == (302, url("change", row.pk))
    assert row.created_by.email == "panitia@example.org"
    assert row.audience == {
        "about": "own_webinars",
        "editions": [webinar.edition_id],
        "webinars": [webinar.pk],
        "statuses": ["CONFIRMED"],
        "attended": "no",
        "provinces": ["53", "91"],
        "languages": ["id"],
        "consents": ["partner"],
    }
    shown = organiser.get(url("change", row.pk)).content.decode()
    assert re.search(r'<input[^>]*name="statuses"[^>]*value="CONFIRMED"[^>]* checked(?=[ >])', shown)
    assert not re.search(r'<input[^>]*name="statuses"[^>]*value="CANCELLED"[^>]* checked(?=[ >])', shown)
    assert re.search(r'<input[^>]*name="about"[^>]*value="own_webinars"[^>]* checked(?=[ >])', shown)


def test_unticked_it_is_news_of_the_edition(organiser, webinar):
    data = {"edition": webinar.edition_id, "subject_ind": "Jadwal", "body_ind": "Isi", "subject_en": "", "body_en": ""}
    assert organiser.post(url("add"), data).status_code == 302
    assert Announcement.objects.get().audience == {"about": "news", "editions": [webinar.edition_id]}
    organiser.post(url("add"), data | {"reach": "everybody", "about": "news"})
    assert Announcement.objects.order_by("-pk")[0].audience == {"about": "news"}


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"webinars": []}, "webinars"),
        ({"statuses": ["CANCELLED"]}, "statuses"),
        ({"body_ind": "Halo {nama}"}, "body_ind"),
        ({"body_ind": "[x](javascript:alert(1))"}, "body_ind"),
        ({"subject_en": "Only this"}, "body_en"),
        ({"webinars": [99999]}, "webinars"),
    ],
)
def test_slips_are_told_beside_their_field(organiser, webinar, fields, where):
    answer = organiser.post(url("add"), typed(webinar, **fields))
    assert answer.status_code == 200
    assert where in answer.context["adminform"].form.errors
    assert not Announcement.objects.exists()


# ---- Looking at it


def test_the_exact_number_ten_people_and_the_mail_stand_above_the_form(organiser, webinar):
    for number in range(12):
        person = factories.ParticipantFactory(name=f"Peserta Nomor {number}")
        factories.RegistrationFactory(participant=person, webinar=webinar)
    carer = factories.UserFactory()
    for _person in range(2):
        person = factories.ParticipantFactory(email="", phone="", account=carer)
        factories.RegistrationFactory(participant=person, webinar=webinar)
    factories.RegistrationFactory(participant__name="Bait")
    row = draft(webinar, body="Halo **semua**")
    answer = organiser.get("/en" + url("change", row.pk))
    text = text_of(answer)
    assert "It goes to 13 mailboxes, for 14 people; 2 of them in another's care." in text.replace("&#x27;", "'")
    assert len(answer.context["people"]) == 10
    assert "Bait" not in text
    assert "&lt;strong&gt;semua&lt;/strong&gt;" in answer.content.decode()
    assert "<strong>semua</strong>" not in answer.content.decode()


@pytest.mark.parametrize("number", [1, 3])
def test_the_page_asks_as_much_for_one_as_for_three(organiser, webinar, number, django_assert_max_num_queries):
    for _person in range(number):
        factories.RegistrationFactory(webinar=webinar)
    row = draft(webinar)
    organiser.get(url("change", row.pk))
    # One more when the pace of the last minutes must be counted anew.
    with django_assert_max_num_queries(22):
        organiser.get(url("change", row.pk))


def test_a_test_goes_to_oneself(organiser, webinar, mailbox):
    row = draft(webinar, subject="Siap {name}")
    assert organiser.post(url("test", row.pk), {"language": "en"}).url == url("change", row.pk)
    assert delivery.deliver_due() == 1
    [message] = mailbox.messages
    assert (message["To"], message["Subject"]) == ("panitia@example.org", "[Uji coba] Siap Ibu Panitia")
    assert status(row) == Status.DRAFT


# ---- Sending


def test_the_page_before_sending_says_how_many_and_sends_nothing(organiser, webinar):
    factories.RegistrationFactory(webinar=webinar)
    row = draft(webinar)
    assert "It goes to 1 mailbox." in text_of(organiser.get("/en" + url("send", row.pk)))
    assert not OutgoingMail.objects.exists()


def test_now(organiser, webinar):
    factories.RegistrationFactory(webinar=webinar)
    row = draft(webinar)
    assert organiser.post(url("send", row.pk), {"when": "now"}).url == url("change", row.pk)
    assert (status(row), OutgoingMail.objects.count()) == (Status.SENDING, 1)
    again = organiser.post("/en" + url("send", row.pk), {"when": "now"}, follow=True)
    assert "It was sent before." in text_of(again)
    assert OutgoingMail.objects.count() == 1


def test_at_an_hour_and_back(organiser, webinar, now):
    row = draft(webinar)
    late = organiser.post(url("send", row.pk), {"when": "later", "send_at_0": "2027-06-01", "send_at_1": "08:59"})
    assert late.context["form"].errors.keys() == {"send_at"}
    assert organiser.post(url("send", row.pk), {"when": "later"}).context["form"].errors.keys() == {"send_at"}
    data = {"when": "later", "send_at_0": "2027-06-01", "send_at_1": "10:00"}
    assert organiser.post(url("send", row.pk), data).status_code == 302
    row.refresh_from_db()
    assert (row.status, row.send_at) == (Status.SCHEDULED, now + timedelta(hours=1))
    assert organiser.post(url("change", row.pk), typed(webinar)).status_code == 403
    organiser.post(url("draft", row.pk))
    assert status(row) == Status.DRAFT


def test_what_is_on_its_way_is_read_as_it_was_written(organiser, webinar, now):
    row = draft(webinar, body="- satu\n- <b>dua</b>")
    announcements.schedule(row, send_at=now + timedelta(hours=1), now=now)
    page = organiser.get(url("change", row.pk)).content.decode()
    assert "- satu\n- &lt;b&gt;dua&lt;/b&gt;</pre>" in page
    assert "[ind]" not in page


def test_stop_and_go_on_with_a_bar(organiser, webinar, now):
    for _person in range(4):
        factories.RegistrationFactory(webinar=webinar)
    row = draft(webinar)
    announcements.send(row, now=now)
    first = row.mails.order_by("pk")[0]
    OutgoingMail.objects.filter(pk=first.pk).update(status="SENT", sent_at=now)
    bar = organiser.get("/en" + url("progress", row.pk))
    assert "1 of 4 sent" in text_of(bar)
    assert re.search(r'<progress[^>]*max="4"\s+value="1"', bar.content.decode())
    assert "data-watch" in bar.content.decode()
    assert "Stopped. 3 mails are held back" in text_of(organiser.post("/en" + url("stop", row.pk), follow=True))
    assert "data-watch" not in organiser.get(url("progress", row.pk)).content.decode()
    assert "Nothing has changed" in text_of(organiser.post("/en" + url("stop", row.pk), follow=True))
    assert "3 mails are queued." in text_of(organiser.post("/en" + url("resume", row.pk), follow=True))
    assert status(row) == Status.SENDING
    history = text_of(organiser.get(url("history", row.pk)))
    assert "stop" in history
    assert "resume" in history


def test_the_log_shows_each_mail_of_it(organiser, webinar, now):
    person = factories.RegistrationFactory(webinar=webinar).participant
    bait = factories.OutgoingMailFactory(to="bait@example.org")
    row = draft(webinar)
    announcements.send(row, now=now)
    [link] = re.findall(r'href="([^"]*announcement__[^"]*)"', organiser.get(url("progress", row.pk)).content.decode())
    log = organiser.get(link)
    assert log.status_code == 200
    assert person.email in log.content.decode()
    assert bait.to not in log.content.decode()


# ---- Who may


def test_who_may_write_may_not_send_and_sees_no_people(writer, webinar):
    factories.RegistrationFactory(webinar=webinar, participant__name="Maria Contoh")
    assert writer.post(url("add"), typed(webinar)).status_code == 302
    row = Announcement.objects.get()
    shown = writer.get("/en" + url("change", row.pk))
    assert "It goes to 1 mailbox." in text_of(shown)
    assert "Maria" not in text_of(shown)
    assert url("send", row.pk) not in shown.content.decode()
    for step in ("send", "stop", "resume", "draft"):
        assert writer.post(url(step, row.pk), {"when": "now"}).status_code == 403
    assert writer.get(url("send", row.pk)).status_code == 403
    assert (status(row), OutgoingMail.objects.count()) == (Status.DRAFT, 0)
    assert writer.post(url("test", row.pk)).status_code == 302
    assert OutgoingMail.objects.count() == 1


def test_nobody_else_has_any_of_it(signed_in_client, client, webinar):
    row = draft(webinar)
    editor = factories.UserFactory(is_staff=True)
    editor.groups.add(Group.objects.get(name="Editors"))
    for step in ("send", "test", "stop", "resume", "draft", "progress", "change"):
        assert signed_in_client(editor).get(url(step, row.pk)).status_code in (403, 405)
        assert signed_in_client(editor).post(url(step, row.pk)).status_code in (403, 405)
        assert client.get(url(step, row.pk)).status_code == 302
        participant = signed_in_client(factories.ParticipantFactory().account)
        assert participant.post(url(step, row.pk)).status_code in (302, 403)
    assert not OutgoingMail.objects.exists()


@pytest.mark.parametrize("step", ["test", "stop", "resume", "draft"])
def test_a_link_does_nothing(organiser, webinar, step):
    assert organiser.get(url(step, draft(webinar).pk)).status_code == 405


def test_one_written_by_another_hand_is_shown_and_cant_be_sent(organiser, webinar):
    row = draft(webinar, audience={"webinar": [1]})
    shown = organiser.get("/en" + url("change", row.pk))
    assert "There is no such filter: webinar" in text_of(shown)
    assert organiser.post(url("send", row.pk), {"when": "now"}).status_code == 302
    assert status(row) == Status.DRAFT
