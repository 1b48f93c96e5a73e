"""The sent log: finding a person's mail, and retrying, cancelling and repeating many at once."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from registration import delivery, maillog
from registration.admin.readonly import LongListPaginator
from registration.models import OutgoingMail
from tests.factories import OutgoingMailFactory, ParticipantFactory, RegistrationFactory, UserFactory, WebinarFactory

pytestmark = pytest.mark.django_db

LOG = "/en/admin/registration/outgoingmail/"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def organiser(now, signed_in_client):
    user = UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name="Organisers"))
    return signed_in_client(user)


def found(words):
    return set(maillog.search(OutgoingMail.objects.all(), words).values_list("pk", flat=True))


def everything():
    return OutgoingMail.objects.all()


# ---- Search


@pytest.fixture
def maria(now):
    seat = RegistrationFactory(participant__name="Maria Contoh", participant__email="maria@example.org")
    OutgoingMailFactory(participant=ParticipantFactory(name="Ana", email="maria.lain@example.org"))
    OutgoingMailFactory(participant=None, to="orang@example.org")
    return seat


@pytest.mark.parametrize(
    "words",
    [
        "maria contoh",
        "Contoh",
        "maria@example.org",
        "MARIA+kpt@example.org",
        "maria+apa",
        "maria@exam",
        " maria@example.org ",
    ],
)
def test_a_persons_mails_are_found_by_name_and_address(maria, words):
    mine = OutgoingMailFactory(participant=maria.participant)
    tagged = OutgoingMailFactory(participant=None, kind="code", to="maria+kpt@example.org")
    result = found(words)
    assert {mine.pk, tagged.pk} <= result
    others = set(everything().values_list("to", flat=True)) - {"maria@example.org", "maria+kpt@example.org"}
    told = set(everything().filter(pk__in=result).values_list("to", flat=True))
    # Another address may begin with the same letters.
    assert told & others <= ({"maria.lain@example.org"} if words == "maria+apa" else set())


def test_mails_are_found_by_the_registrations_code(maria):
    about = OutgoingMailFactory(participant=maria.participant, registration=maria)
    together = OutgoingMailFactory(participant=maria.participant)
    assert found(maria.code) == found(maria.code.lower()) == {about.pk, together.pk}


def test_mail_that_went_to_an_earlier_address_is_still_hers(maria):
    earlier = OutgoingMailFactory(participant=maria.participant, to="lama@example.org")
    assert earlier.pk in found("Maria Contoh")
    assert found("lama@example.org") == {earlier.pk}


def test_the_carers_own_mail_is_not_found_by_a_name_in_her_care(maria):
    carer = UserFactory(email="pengasuh@example.org")
    child = ParticipantFactory(name="Anak Titipan", email="", account=carer)
    childs = OutgoingMailFactory(participant=child, to=carer.email)
    carers = OutgoingMailFactory(participant=None, to=carer.email, kind="code")
    assert found("Anak Titipan") == {childs.pk}
    assert found("pengasuh@example.org") == {childs.pk, carers.pk}


def test_a_mail_is_found_by_its_message_id_with_or_without_brackets(maria):
    row = OutgoingMailFactory()
    assert found(row.message_id) == found(row.message_id.strip("<>")) == found(row.key) == {row.pk}


@pytest.mark.parametrize("words", ["50%", "_", "\\", "+", "@", "'", "🧵", "tidak ada"])
def test_signs_are_no_wildcards(maria, words):
    OutgoingMailFactory(participant=maria.participant)
    assert found(words) == set()


@pytest.mark.parametrize("rows", [1, 3])
def test_a_search_costs_the_same_for_many_rows(rows, maria, django_assert_num_queries):
    OutgoingMailFactory.create_batch(rows, participant=maria.participant)
    with django_assert_num_queries(3):
        assert len(found("Maria Contoh")) == rows


def test_a_search_that_finds_many_finds_all(maria, monkeypatch):
    monkeypatch.setattr(maillog, "FEW", 2)
    mine = OutgoingMailFactory.create_batch(3, participant=maria.participant)
    assert found("Maria Contoh") == {row.pk for row in mine}


def test_the_list_searches_and_filters(organiser, maria):
    mine = OutgoingMailFactory(participant=maria.participant, failed=True)
    OutgoingMailFactory(participant=maria.participant, sent=True)
    page = organiser.get(LOG, {"q": "maria@example.org", "status__exact": "FAILED", "kind__exact": "confirmation"})
    assert [row.pk for row in page.context["cl"].result_list] == [mine.pk]


def test_a_long_list_is_counted_no_further_than_anybody_leafs(monkeypatch, organiser):
    monkeypatch.setattr(LongListPaginator, "COUNTED", 2)
    OutgoingMailFactory.create_batch(3)
    page = organiser.get(LOG)
    assert page.context["cl"].result_count == 2
    assert "more than 2" in page.content.decode()
    OutgoingMail.objects.all()[:1].get().delete()
    assert "more than" not in organiser.get(LOG).content.decode()


@pytest.fixture
def three(now):
    """By number: two days ago and one day ago, then three; each column would sort them otherwise."""
    facts = [(2, "code"), (1, "reminder"), (3, "alert")]
    return [OutgoingMailFactory(created_at=now - timedelta(days=days), kind=kind).pk for days, kind in facts]


@pytest.mark.parametrize("order", ["2", "-2", "3", "1.2", "4.-1", "99", "x", "-"])
def test_the_list_is_sorted_by_nothing_that_no_index_holds(order, organiser, three):
    """Django offers no button for it, but would obey such an address."""
    rows = organiser.get(LOG, {"o": order}).context["cl"].result_list
    assert [row.pk for row in rows] == [three[1], three[0], three[2]]


def test_the_list_is_sorted_by_the_day_either_way(organiser, three):
    shown = [[row.pk for row in organiser.get(LOG, {"o": o}).context["cl"].result_list] for o in ("1", "-1")]
    assert shown == [[three[2], three[0], three[1]], [three[1], three[0], three[2]]]


def test_the_list_reads_no_texts(organiser):
    OutgoingMailFactory(sent=True, html="<p>Halo</p>", text="Halo")
    with CaptureQueriesContext(connection) as queries:
        organiser.get(LOG)
    [listed] = [q["sql"] for q in queries if '"registration_outgoingmail"."sent_at"' in q["sql"]]
    assert '"html"' not in listed
    assert '"context"' not in listed


# ---- The hands


def test_what_failed_goes_to_the_address_of_today(now):
    person = ParticipantFactory(email="salah@example.org")
    mine = OutgoingMailFactory(participant=person, failed=True, attempts=13)
    lone = OutgoingMailFactory(participant=None, to="tamu@example.org", status="BOUNCED")
    in_care = ParticipantFactory(email="", account=UserFactory(email="ibu@example.org"))
    child = OutgoingMailFactory(participant=in_care, failed=True, to="lain@example.org")
    type(person).objects.filter(pk=person.pk).update(email="benar@example.org")
    assert maillog.retry(everything(), now=now) == 3
    rows = {r.pk: (r.to, r.status, r.attempts, r.not_before, r.error) for r in everything()}
    assert rows[mine.pk] == ("benar@example.org", "QUEUED", 0, now, "")
    assert [rows[row.pk][0] for row in (lone, child)] == ["tamu@example.org", "ibu@example.org"]


def test_codes_and_what_comes_too_late_are_never_sent_again(now):
    for facts in (
        {"kind": "code"},
        {"kind": "unknown_account"},
        {"to": ""},
        {"not_after": now},
    ):
        OutgoingMailFactory(failed=True, **facts)
        OutgoingMailFactory(sent=True, **facts)
    for status in ("QUEUED", "CANCELLED"):
        OutgoingMailFactory(status=status)
    assert maillog.retry(everything(), now=now) == 0
    assert maillog.repeat(everything(), now=now, moment=now) == 0


def test_a_mail_is_repeated_as_a_new_row(now, mailbox):
    seat = RegistrationFactory(webinar=WebinarFactory())
    first = OutgoingMailFactory(kind="promoted", participant=seat.participant, registration=seat, context={"a": 1})
    assert delivery.deliver_due() == 1
    first.refresh_from_db()
    assert maillog.repeat(everything(), now=now, moment=now) == 1
    again = everything().exclude(pk=first.pk).get()
    for name in ("kind", "to", "language", "participant", "registration", "context", "priority", "not_after"):
        assert getattr(again, name) == getattr(first, name)
    assert (again.status, again.attempts, again.sent_at, again.subject, again.html) == ("QUEUED", 0, None, "", "")
    assert again.key != first.key
    assert delivery.deliver_due() == 1
    ids = [message["Message-ID"] for message in mailbox.messages]
    assert ids == [first.message_id, again.message_id]
    assert ids[0] != ids[1]
    first.refresh_from_db()
    assert first.status == "SENT"


def test_one_wish_repeats_once(now):
    OutgoingMailFactory(sent=True)
    assert maillog.repeat(everything(), now=now, moment=now) == 1
    assert maillog.repeat(everything(), now=now + MINUTE, moment=now) == 0
    assert maillog.repeat(everything(), now=now + MINUTE, moment=now + MINUTE) == 1
    assert everything().count() == 3


@pytest.mark.parametrize(("rows", "priority"), [(2, 5), (3, 9)])
def test_many_that_are_repeated_let_others_go_first(rows, priority, now, monkeypatch):
    monkeypatch.setattr(maillog, "MANY", 2)
    OutgoingMailFactory.create_batch(rows, sent=True)
    maillog.repeat(everything(), now=now, moment=now)
    assert set(everything().filter(status="QUEUED").values_list("priority", flat=True)) == {priority}


def test_only_what_waits_is_cancelled(now):
    for status in ("QUEUED", "RETRY", "FAILED", "BOUNCED", "CANCELLED"):
        OutgoingMailFactory(status=status, context={"a": 1})
    OutgoingMailFactory(sending=True), OutgoingMailFactory(sent=True)
    assert maillog.cancel(everything(), now=now) == 2
    assert everything().filter(status="CANCELLED", context={}).count() == 2


@pytest.mark.parametrize("rows", [1, 3])
def test_each_hand_is_one_statement(rows, now, django_assert_num_queries):
    OutgoingMailFactory.create_batch(rows, failed=True)
    OutgoingMailFactory.create_batch(rows, sent=True)
    with django_assert_num_queries(2):  # the number decides the priority
        maillog.repeat(everything(), now=now, moment=now)
    with django_assert_num_queries(1):
        maillog.retry(everything(), now=now)
    with django_assert_num_queries(1):
        maillog.cancel(everything(), now=now)


# ---- From the list


def choose(client, action, *, query=None, rows=(), across=False, **fields):
    data = {"action": action, "_selected_action": [row.pk for row in rows] or [0], "select_across": int(across)}
    url = LOG + (f"?{query}" if query else "")
    answer = client.post(url, data | fields, follow=True)
    assert answer.status_code == 200
    return answer


def confirm(client, asked, **changes):
    """Presses the button of the page that asks."""
    data = {}
    for name, value in asked.context["hidden"]:
        data.setdefault(name, []).append(value)
    path = asked.request["PATH_INFO"] + (f"?{asked.request['QUERY_STRING']}" if asked.request["QUERY_STRING"] else "")
    return client.post(path, data | changes, follow=True)


def test_nothing_is_done_before_the_page_was_seen(organiser):
    failed, sent = OutgoingMailFactory(failed=True), OutgoingMailFactory(sent=True)
    asked = choose(organiser, "send_again", rows=[failed, sent])
    assert "This would be done to 1 of the 2 mails you chose." in asked.content.decode()
    assert "Confirmation: 1" in asked.content.decode()
    failed.refresh_from_db()
    assert failed.status == "FAILED"
    assert "1 mail is queued again." in confirm(organiser, asked).content.decode()
    failed.refresh_from_db()
    assert (failed.status, failed.attempts, failed.error) == ("QUEUED", 0, "")
    assert LogEntry.objects.get().object_repr == "1 mail is queued again."


def test_a_code_is_not_sent_again_by_hand(organiser):
    code = OutgoingMailFactory(kind="code", failed=True)
    asked = choose(organiser, "send_again", rows=[code])
    assert "This would be done to 0 of the 1 mail you chose." in asked.content.decode()
    assert "0 mails are queued again." in confirm(organiser, asked).content.decode()
    code.refresh_from_db()
    assert code.status == "FAILED"


def test_all_that_match_the_filter_are_done_and_no_other(organiser):
    OutgoingMailFactory.create_batch(60, failed=True, kind="reminder")
    other = OutgoingMailFactory(failed=True, kind="confirmation")
    asked = choose(organiser, "send_again", query="kind__exact=reminder", across=True)
    assert "This would be done to 60 of the 60 mails you chose." in asked.content.decode()
    assert "60 mails are queued again." in confirm(organiser, asked).content.decode()
    assert everything().filter(status="QUEUED").count() == 60
    other.refresh_from_db()
    assert other.status == "FAILED"


def test_all_that_a_search_finds_are_done(organiser, maria):
    mine = OutgoingMailFactory(participant=maria.participant)
    asked = choose(organiser, "cancel_mails", query="q=maria%40example.org", across=True)
    assert "1 mail is cancelled." in confirm(organiser, asked).content.decode()
    assert list(everything().filter(status="CANCELLED")) == [mine]


def test_what_has_come_since_is_not_meant(organiser):
    OutgoingMailFactory()
    asked = choose(organiser, "cancel_mails", across=True)
    later = OutgoingMailFactory()
    assert "1 mail is cancelled." in confirm(organiser, asked).content.decode()
    later.refresh_from_db()
    assert later.status == "QUEUED"


def test_more_than_the_page_said_are_asked_about_again(organiser):
    OutgoingMailFactory(failed=True)
    OutgoingMailFactory.create_batch(2, sent=True)
    asked = choose(organiser, "send_again", across=True)
    everything().filter(status="SENT").update(status="BOUNCED")
    again = confirm(organiser, asked)
    assert "Meanwhile there are more than the page said." in again.content.decode()
    assert not everything().filter(status="QUEUED").exists()
    assert "3 mails are queued again." in confirm(organiser, again).content.decode()


@pytest.mark.parametrize(
    "damage", [{"up_to": "x"}, {"number": ""}, {"moment": "gestern"}, {"moment": "2027-06-01T09:00"}]
)
def test_a_damaged_page_is_shown_anew(organiser, damage):
    row = OutgoingMailFactory()
    asked = choose(organiser, "cancel_mails", rows=[row])
    assert "This would be done to 1 of the 1 mail you chose." in confirm(organiser, asked, **damage).content.decode()
    row.refresh_from_db()
    assert row.status == "QUEUED"


def test_a_second_press_repeats_nothing(organiser):
    OutgoingMailFactory(sent=True)
    asked = choose(organiser, "repeat_mails", across=True)
    assert "1 mail is queued once more." in confirm(organiser, asked).content.decode()
    confirm(organiser, asked)
    assert everything().count() == 2


@pytest.mark.parametrize("action", ["send_again", "cancel_mails", "repeat_mails"])
@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_costs_the_same_for_many(action, rows, organiser):
    for _row in range(3):
        choose(organiser, action, across=True)
    costs = set()
    for _round in range(2):
        OutgoingMailFactory.create_batch(rows, failed=True)
        with CaptureQueriesContext(connection) as queries:
            choose(organiser, action, across=True)
        costs.add(len(queries))
    assert len(costs) == 1


@pytest.mark.parametrize(
    ("page", "before", "words"),
    [
        ("send-again", "FAILED", "1 mail is queued again."),
        ("cancel", "QUEUED", "1 mail is cancelled."),
        ("repeat", "BOUNCED", "1 mail is queued once more."),
    ],
)
def test_one_mail_from_its_own_page(organiser, page, before, words):
    row, other = OutgoingMailFactory.create_batch(2, status=before)
    shown = organiser.get(f"{LOG}{row.pk}/change/")
    assert f"{LOG}{row.pk}/{page}/" in shown.content.decode()
    asked = organiser.get(f"{LOG}{row.pk}/{page}/")
    done = confirm(organiser, asked)
    assert words in done.content.decode()
    assert done.redirect_chain[-1][0] == f"{LOG}{row.pk}/change/"
    other.refresh_from_db()
    assert other.status == before


@pytest.mark.parametrize(
    ("status", "pages"),
    [
        ("SENT", {"repeat"}),
        ("FAILED", {"send-again"}),
        ("BOUNCED", {"send-again", "repeat"}),
        ("RETRY", {"cancel"}),
        ("CANCELLED", set()),
    ],
)
def test_a_mail_offers_only_what_can_be_done_to_it(organiser, status, pages, now):
    row = OutgoingMailFactory(status=status, sent_at=now)
    shown = organiser.get(f"{LOG}{row.pk}/change/").content.decode()
    assert {page for page in ("send-again", "cancel", "repeat") if f"{LOG}{row.pk}/{page}/" in shown} == pages


def test_our_own_reasons_are_in_the_readers_language_and_a_servers_as_they_came(organiser):
    person = RegistrationFactory().participant
    ours = OutgoingMailFactory(participant=person)
    theirs = OutgoingMailFactory(participant=person, status="FAILED", error="550 No thanks")
    maillog.cancel(everything().filter(pk=ours.pk), now=ours.created_at)
    pages = [LOG, f"{LOG}{ours.pk}/change/", f"/en/admin/registration/participant/{person.pk}/change/"]
    for page in pages:
        assert "Cancelled by an organiser." in organiser.get(page).content.decode()
        indonesian = organiser.get(page.removeprefix("/en")).content.decode()
        assert "Dibatalkan oleh panitia." in indonesian
        assert "Cancelled" not in indonesian
    assert "550 No thanks" in organiser.get(f"{LOG.removeprefix('/en')}{theirs.pk}/change/").content.decode()


@pytest.mark.parametrize("page", ["send-again", "cancel", "repeat"])
@pytest.mark.parametrize(("pk", "status"), [("0", 404), ("99999999999999999999999", 404), ("x", 302)])
def test_a_mail_that_is_not_there(organiser, page, pk, status):
    """What is no key at all is answered as the admin answers a missing row: with words on its start page."""
    assert organiser.get(f"{LOG}{pk}/{page}/").status_code == status


@pytest.mark.parametrize("action", ["send_again", "cancel_mails", "repeat_mails"])
def test_who_may_only_look_has_no_hands(action, now, signed_in_client):
    reader = UserFactory(is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_outgoingmail"))
    client = signed_in_client(reader)
    for facts in ({"failed": True}, {"sent": True}, {}):
        OutgoingMailFactory(**facts)
    before = list(everything().order_by("pk").values())
    client.post(LOG, {"action": action, "_selected_action": [0], "select_across": 1, "is_sent": "yes"})
    assert list(everything().order_by("pk").values()) == before
    assert client.get(reverse("admin:registration_outgoingmail_board")).status_code == 200
    assert client.post(reverse("admin:registration_outgoingmail_mend")).status_code == 403
    for page in ("send-again", "cancel", "repeat"):
        assert client.get(f"{LOG}{everything().first().pk}/{page}/").status_code == 403
