"""Mail texts in the admin: writing, looking, testing, going back, and who may."""

import html
import re

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from registration import mailtexts
from registration.models import MailText
from registration.placeholders import VOCABULARIES
from tests import factories

pytestmark = pytest.mark.django_db

OVERVIEW = "/admin/registration/mailtext/"
CODE = f"{OVERVIEW}kind/code/"


def in_group(name):
    user = factories.UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name=name))
    return user


@pytest.fixture
def organiser():
    return in_group("Organisers")


@pytest.fixture
def client(signed_in_client, organiser):
    return signed_in_client(organiser)


def typed(kind="code", *, step="save", after=0, **words):
    """As the page's form sends it; only what is named differs from what stands in it."""
    data = {"_step": step, "id-after": after, "en-after": 0}
    for language in ("id", "en"):
        row = mailtexts.newest(kind, language)
        data[f"{language}-subject"], data[f"{language}-body"] = mailtexts.shown(row, kind, language)
    return data | {name.replace("_", "-"): value for name, value in words.items()}


def text_of(response):
    return html.unescape(response.content.decode())


@pytest.mark.parametrize("language", ["", "/en"])
def test_all_kinds_are_listed_with_who_wrote_what(client, organiser, language):
    MailText.objects.create(kind="code", language="id", version=1, subject="K", body="{code}", created_by=organiser)
    page = text_of(client.get(language + OVERVIEW))
    for kind in VOCABULARIES:
        assert f"{language}{OVERVIEW}kind/{kind}/" in page
    assert str(organiser) in page
    assert page.count(str(organiser.email)) <= 2


@pytest.mark.parametrize("kind", sorted(VOCABULARIES))
def test_the_page_of_a_kind_shows_the_shipped_words_and_how_they_look(client, kind):
    page = text_of(client.get(f"{OVERVIEW}kind/{kind}/"))
    for language in ("id", "en"):
        subject, body = mailtexts.starting(kind, language)
        assert subject in page
        assert body.splitlines()[0] in page
    for name in VOCABULARIES[kind].placeholders:
        assert f"<code>{{{name}}}</code>" in page
    assert len(re.findall(r'<iframe [^>]*\ssandbox\s+srcdoc="', page)) == 2


def test_saving_writes_a_version_of_what_has_changed_alone(client, organiser):
    response = client.post(CODE, typed(id_subject="Kodemu {code}"), follow=True)
    assert response.redirect_chain == [(CODE, 302)]
    row = MailText.objects.get()
    assert (row.kind, row.language, row.version, row.created_by) == ("code", "id", 1, organiser)
    assert (row.subject, row.body) == ("Kodemu {code}", mailtexts.starting("code", "id")[1])
    client.post(CODE, typed(after=1))
    assert MailText.objects.count() == 1


def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_lost(client):
    wrong = typed(id_body="Kode: {kode}", en_subject="My own {code}")
    response = client.post(CODE, wrong)
    assert response.status_code == 200
    side = response.context["sides"][0][0]
    assert len(side.errors["body"]) == 2
    page = text_of(response)
    assert "Kode: {kode}" in page
    assert "My own {code}" in page
    assert not MailText.objects.exists()


def test_a_preview_saves_nothing_and_shows_the_words_in_the_fields(client):
    page = client.post(CODE, typed(step="preview", id_body="Kode baru: <b>\n\n{code}"))
    look = page.context["sides"][0][1]["preview"]
    assert "Kode baru: &lt;b&gt;" in look.html
    assert "123456" in look.html
    assert html.escape(html.escape("<b>")) in page.content.decode()
    assert not MailText.objects.exists()


def test_enter_in_a_field_shows_the_mail_and_sends_none(client):
    """It presses the first button of the form."""
    form = text_of(client.get(CODE)).partition('<form class="flex flex-col')[2]
    assert re.findall(r'name="_step"\s+value="([a-z-]+)"', form)[0] == "preview"


def test_a_preview_with_a_real_person(client):
    seat = factories.RegistrationFactory(participant__name="Ani Nyata")
    url = f"{OVERVIEW}kind/confirmation/"
    page = client.post(url, typed("confirmation", step="preview", person=seat.code))
    assert "Ani Nyata" in page.context["sides"][0][1]["preview"].text
    page = client.post(url, typed("confirmation", step="preview", person="bukan@example.org"))
    assert page.context["is_unknown"]
    assert "Maria Contoh" in page.context["sides"][0][1]["preview"].text


def test_real_people_are_for_those_who_may_see_them(signed_in_client, organiser):
    seat = factories.RegistrationFactory(participant__name="Ani Nyata")
    group = Group.objects.get(name="Organisers")
    group.permissions.remove(group.permissions.get(codename="view_participant"))
    page = signed_in_client(organiser).get(f"{OVERVIEW}kind/confirmation/", {"person": seat.code})
    assert "Ani Nyata" not in text_of(page)


def test_a_test_goes_to_oneself_with_the_words_in_the_fields(client, organiser, mailbox):
    response = client.post(CODE, typed(step="test-id", id_subject="Uji {code}"))
    assert response.status_code == 200
    [message] = mailbox.messages
    assert message["To"] == organiser.email
    assert message["Subject"].endswith("Uji 123456")
    assert "Uji {code}" in text_of(response)
    assert not MailText.objects.exists()


def test_a_server_that_refuses_the_test_is_said(client, mailbox):
    mailbox.refuse("550 5.1.1 no such person")
    assert "no such person" in text_of(client.post(CODE, typed(step="test-en")))


def test_what_is_wrong_is_not_sent_as_a_test(client, mailbox):
    client.post(CODE, typed(step="test-id", id_body="tanpa"))
    assert mailbox.messages == []


def test_start_from_the_shipped_text_fills_the_field_and_saves_nothing(client):
    client.post(CODE, typed(id_body="Milik kami: {code}"))
    page = client.post(CODE, typed(step="start-id", after=1, en_subject="Mine {code}"))
    sides = [side for side, _look in page.context["sides"]]
    assert sides[0]["body"].value() == mailtexts.starting("code", "id")[1]
    assert sides[1]["subject"].value() == "Mine {code}"
    assert MailText.objects.count() == 1


def test_back_to_the_shipped_text_and_back_again(client, organiser):
    client.post(CODE, typed(id_body="Milik kami: {code}"))
    client.post(CODE, typed(step="shipped-id", after=1))
    assert mailtexts.newest("code", "id").body == ""
    first = MailText.objects.get(version=1)
    page = text_of(client.get(f"{OVERVIEW}{first.pk}/change/"))
    assert "<ins>" in page
    assert reverse("admin:registration_mailtext_restore", args=[first.pk]) in page
    client.post(f"{OVERVIEW}{first.pk}/restore/")
    newest = mailtexts.newest("code", "id")
    assert (newest.version, newest.body, newest.created_by) == (3, "Milik kami: {code}", organiser)


def test_restoring_takes_a_post_and_a_version_that_can_be_used(client):
    row = MailText.objects.create(kind="code", language="id", version=1, subject="K", body="tanpa")
    assert client.get(f"{OVERVIEW}{row.pk}/restore/").status_code == 405
    client.post(f"{OVERVIEW}{row.pk}/restore/")
    assert MailText.objects.count() == 1


def test_of_two_who_write_at_once_the_second_keeps_her_words_and_is_told(client):
    client.post(CODE, typed(id_subject="Dia {code}"))
    response = client.post(CODE, typed(after=0, id_subject="Saya {code}", en_subject="Me {code}"))
    assert "Saya {code}" in text_of(response)
    assert MailText.objects.count() == 1


def test_unknown_kinds_and_languages(client):
    assert client.get(f"{OVERVIEW}kind/announcement/").status_code == 404
    assert client.get(f"{OVERVIEW}kind/nothing/").status_code == 404
    assert client.post(CODE, typed(step="test-xx")).status_code == 404
    assert client.get(f"{OVERVIEW}99/change/").status_code == 404


def test_a_broken_text_is_on_the_start_page_until_there_is_another(client):
    row = MailText.objects.create(kind="code", language="id", version=1, subject="K", body="tanpa")
    seat = factories.OutgoingMailFactory(kind="code", context={"code": "123456"}, language="id", priority=0)
    mailtexts.words("code", "id", {"code": seat.context["code"], "minutes": 15})
    row.refresh_from_db()
    assert row.broken_at
    assert CODE in text_of(client.get("/admin/"))
    assert row.fault in text_of(client.get(CODE))
    MailText.objects.create(kind="code", language="id", version=2, subject="K", body="{code}")
    assert f'{CODE}"' not in text_of(client.get("/admin/"))


# ---- Who may


def test_editors_and_visitors_see_nothing(signed_in_client):
    row = MailText.objects.create(kind="code", language="id", version=1, subject="K", body="{code}")
    editor = signed_in_client(in_group("Editors"))
    assert OVERVIEW not in text_of(editor.get("/admin/"))
    for url in (OVERVIEW, CODE, f"{OVERVIEW}{row.pk}/change/"):
        assert editor.get(url).status_code == 403
    for step in ("save", "test-id", "shipped-id", "preview"):
        assert editor.post(CODE, typed(step=step, after=1, id_subject="X {code}")).status_code == 403
    assert editor.post(f"{OVERVIEW}{row.pk}/restore/").status_code == 403
    assert MailText.objects.count() == 1


def test_who_may_only_look_writes_nothing(signed_in_client, organiser, mailbox):
    group = Group.objects.get(name="Organisers")
    group.permissions.remove(group.permissions.get(codename="change_mailtext"))
    reader = signed_in_client(organiser)
    page = text_of(reader.get(CODE))
    assert 'value="save"' not in page
    for step in ("save", "test-id", "shipped-id"):
        assert reader.post(CODE, typed(step=step, id_subject="X {code}")).status_code == 403
    assert not MailText.objects.exists()
    assert mailbox.messages == []


def test_queries_of_a_page_do_not_grow_with_the_versions(client, organiser, django_assert_num_queries):
    def add(version):
        MailText.objects.create(
            kind="code", language="id", version=version, subject="K", body="{code}", created_by=organiser
        )

    add(1)
    client.get(CODE)
    with CaptureQueriesContext(connection) as first:
        client.get(CODE)
    add(2)
    add(3)
    with django_assert_num_queries(len(first)):
        client.get(CODE)
