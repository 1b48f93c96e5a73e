"""What holds for the project as a whole: settings, migrations, languages, static files, logs."""

import io
import json
import logging
import os
import re
import runpy
import shutil
import subprocess
import sys
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.template.loader import get_template
from django.urls import reverse
from django.utils import timezone, translation

from kpt.logs import RedactedJsonFormatter
from registration import alerts, digests, letters, links
from registration.models import OutgoingMail, PreparedFile, RoleInvitation, User
from registration.models.reminders import facts_of as facts_of_webinar
from tests.factories import (
    AnnouncementFactory,
    ConsentFactory,
    InvitationFactory,
    OrganisationFactory,
    OutgoingMailFactory,
    ParticipantFactory,
    PartnerMemberFactory,
    RegistrationFactory,
    UserFactory,
    WebinarFactory,
)

Kind = OutgoingMail.Kind

ROOT = Path(settings.BASE_DIR)
OURS = ("kpt", "conference", "registration")
TEMPLATES = sorted((ROOT / "templates").rglob("*.*"))

REQUIRED = ["SECRET_KEY", "SITE_URL", "DATABASE_URL", "REDIS_URL", "EMAIL_URL"]
PRODUCTION = {
    "SECRET_KEY": "kF3-zq8Wn_x0PdYt7uVb2Lh5Rs9Mc4Ej6Ga1Qi-To_Xp-8Zw3Nv",
    "SITE_URL": "https://kpt.example.org",
    "DATABASE_URL": "postgres://kpt:secret@127.0.0.1:1/kpt",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "EMAIL_URL": "smtp+tls://kpt:secret@mail.example.org",
    "DEFAULT_FROM_EMAIL": "KPT <kpt@example.org>",
    "TRUSTED_PROXIES": "1",
}


@pytest.fixture
def production(monkeypatch, tmp_path):
    """The environment of a server, for the settings read anew and for commands run apart."""
    for name in os.environ.keys() - {"PATH", "HOME", "TMPDIR", "LANG"}:
        monkeypatch.delenv(name)
    environment = PRODUCTION | {"STATIC_ROOT": str(tmp_path / "static"), "PYTHONWARNINGS": "error"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def manage(*command, folder=ROOT):
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=folder,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
    )


# ---- Settings


def read_settings():
    return runpy.run_path(str(ROOT / "kpt" / "settings.py"))


MISSING = "Set {0} (or {0}_FILE, a file that holds it) in the environment."
ADDRESS = "{} must be an address such as {}://host, with one of: {}."
NUMBER = "{} must be a whole number, 0 or more, not {!r}."
WEB = ["http", "https"]
REDIS = ["redis", "rediss"]
MAIL = ["smtp", "smtp+tls", "smtps"]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        *((name, "", MISSING.format(name)) for name in REQUIRED),
        ("SECRET_KEY_FILE", "/nowhere", "SECRET_KEY_FILE names a file that can't be read: No such file or directory."),
        ("DEBUG", "maybe", "DEBUG must be on or off, not 'maybe'."),
        ("DEMO", "2", "DEMO must be on or off, not '2'."),
        ("SITE_URL", "kpt.example.org", ADDRESS.format("SITE_URL", "http", WEB)),
        ("SITE_URL", "ftp://kpt.example.org", ADDRESS.format("SITE_URL", "http", WEB)),
        ("SITE_URL", "https://[kpt.example.org", ADDRESS.format("SITE_URL", "http", WEB)),
        ("REDIS_URL", "unix:///run/valkey.sock", ADDRESS.format("REDIS_URL", "redis", REDIS)),
        ("DATABASE_URL", "nonsense", "DATABASE_URL must look like postgres://user:password@host:5432/name."),
        ("DATABASE_URL", "postgres://h:x/n", "DATABASE_URL must look like postgres://user:password@host:5432/name."),
        (
            "DATABASE_URL",
            "sqlite:///kpt.db",
            "DATABASE_URL must name a PostgreSQL database: row locks and constraints rely on it.",
        ),
        ("REDIS_URL", "http://127.0.0.1", ADDRESS.format("REDIS_URL", "redis", REDIS)),
        ("EMAIL_URL", "mail.example.org", ADDRESS.format("EMAIL_URL", "smtp", MAIL)),
        ("EMAIL_URL", "smtp://mail.example.org:x", "EMAIL_URL has a port that is no number."),
        ("TRUSTED_PROXIES", "-1", NUMBER.format("TRUSTED_PROXIES", "-1")),
        ("MAIL_PER_MINUTE", "many", NUMBER.format("MAIL_PER_MINUTE", "many")),
        ("MAIL_PER_DAY", "-1", NUMBER.format("MAIL_PER_DAY", "-1")),
        ("SIGNUPS_PER_HOUR_PER_NETWORK", "1.5", NUMBER.format("SIGNUPS_PER_HOUR_PER_NETWORK", "1.5")),
        ("ZOOM_API_URL", "zoom", ADDRESS.format("ZOOM_API_URL", "http", WEB)),
        ("ZOOM_OAUTH_URL", "zoom", ADDRESS.format("ZOOM_OAUTH_URL", "http", WEB)),
        ("SENTRY_DSN", "sentry", "SENTRY_DSN must be a project's address such as https://key@host/1."),
    ],
)
def test_a_wrong_variable_stops_the_start_with_a_sentence(production, monkeypatch, name, value, sentence):
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured) as stopped:
        read_settings()
    assert str(stopped.value) == sentence


def test_the_sentence_is_all_that_a_command_says(production, monkeypatch):
    monkeypatch.delenv("SECRET_KEY")
    done = manage("check", "--deploy")
    assert (done.returncode, done.stdout, done.stderr.strip()) == (1, "", MISSING.format("SECRET_KEY"))


def test_a_variable_may_come_from_a_file(production, monkeypatch, tmp_path):
    file = tmp_path / "secret"
    file.write_text("from-the-file\n")
    monkeypatch.setenv("SECRET_KEY_FILE", str(file))
    assert read_settings()["SECRET_KEY"] == "from-the-file"


@pytest.mark.parametrize(
    ("url", "port", "tls", "ssl"),
    [("smtp://h", 25, False, False), ("smtp+tls://h", 587, True, False), ("smtps://u:p%40@h:4650", 4650, False, True)],
)
def test_the_mail_servers_address(production, monkeypatch, url, port, tls, ssl):
    monkeypatch.setenv("EMAIL_URL", url)
    read = read_settings()
    assert (read["EMAIL_HOST"], read["EMAIL_PORT"]) == ("h", port)
    assert (read["EMAIL_USE_TLS"], read["EMAIL_USE_SSL"]) == (tls, ssl)
    assert read["EMAIL_HOST_PASSWORD"] == ("p@" if "@" in url else "")


def test_production_settings_pass_the_deploy_check(production):
    done = manage("check", "--deploy", "--fail-level", "DEBUG")
    assert (done.returncode, done.stderr) == (0, "")
    assert "no issues (0 silenced)" in done.stdout


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"DEMO": True}, "kpt.E001"),
        ({"IS_HTTPS": False}, "kpt.E002"),
        ({"DEFAULT_FROM_EMAIL": "webmaster@localhost"}, "kpt.E003"),
        ({"WEBHOOKS_TO_LOOPBACK": True}, "kpt.E004"),
        ({"EMAIL_HOST": "mail.example.org", "EMAIL_USE_TLS": False, "EMAIL_USE_SSL": False}, "kpt.W001"),
        ({"SIGNUPS_PER_HOUR_PER_NETWORK": 0}, "kpt.W002"),
        ({"MAIL_PER_MINUTE": 100, "MAIL_PER_DAY": 99}, "kpt.W004"),
        ({"BOUNCE_IMAP_URL": "imap://kpt:secret@mail.example.org/INBOX"}, "kpt.W003"),
    ],
)
def test_settings_that_are_wrong_for_a_server_are_named(settings, change, expected):
    for name, value in change.items():
        setattr(settings, name, value)
    found = checks.run_checks(tags=[checks.Tags.security], include_deployment_checks=True)
    assert expected in [message.id for message in found]


def test_static_files_can_be_collected_with_their_hashes(production, tmp_path):
    done = manage("collectstatic", "--no-input")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "static" / "staticfiles.json").exists()


# ---- Database


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


@pytest.mark.django_db
def test_checks_are_clean():
    assert checks.run_checks(databases=["default"]) == []


# ---- Templates and languages


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_compiles_and_names_only_static_files_that_exist(path):
    get_template(str(path.relative_to(ROOT / "templates")))
    for name in re.findall(r"{%\s*static\s+[\"']([^\"']+)[\"']", path.read_text()):
        assert finders.find(name), name


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_translated_blocks_are_trimmed(path):
    blocks = re.findall(r"{%\s*blocktrans(?:late)?\b[^%]*%}", path.read_text())
    assert [block for block in blocks if not re.search(r"\btrimmed\b", block)] == []


def gathered_strings(folder):
    """What makemessages finds in a copy of what is ours."""
    for path in ROOT.iterdir():
        if path.name in {*OURS, "templates", "manage.py"}:
            copy = shutil.copytree if path.is_dir() else shutil.copy
            copy(path, folder / path.name)
    (folder / "locale").mkdir()
    done = manage("makemessages", "--locale", "id", "--no-wrap", folder=folder)
    assert done.returncode == 0, done.stderr
    return polib.pofile(str(folder / "locale/id/LC_MESSAGES/django.po"))


def names(entries):
    return {(entry.msgctxt, entry.msgid, entry.msgid_plural) for entry in entries}


@pytest.fixture(scope="module")
def catalogue():
    return polib.pofile(str(ROOT / "locale/id/LC_MESSAGES/django.po"))


def test_the_catalogue_holds_every_string_and_no_other(catalogue, tmp_path):
    gathered, held = names(gathered_strings(tmp_path)), names(entry for entry in catalogue if not entry.obsolete)
    assert (sorted(gathered - held, key=str), sorted(held - gathered, key=str)) == ([], [])


def test_every_string_is_translated_and_none_is_a_guess(catalogue):
    untranslated = [entry.msgid for entry in catalogue.untranslated_entries()]
    fuzzy = [entry.msgid for entry in catalogue.fuzzy_entries()]
    obsolete = [entry.msgid for entry in catalogue.obsolete_entries()]
    assert (untranslated, fuzzy, obsolete) == ([], [], [])


PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|{\w*}")


def test_translations_keep_the_placeholders(catalogue):
    wrong = [
        entry.msgid
        for entry in catalogue.translated_entries()
        for text in [entry.msgstr]
        if not entry.msgid_plural
        if sorted(PLACEHOLDER.findall(entry.msgid)) != sorted(PLACEHOLDER.findall(text))
    ]
    assert wrong == []


# ---- Mail


# What a registration must be like for a mail about it, if it is not simply confirmed.
STATES = {Kind.CANCELLATION: {"cancelled": True}, Kind.OFFER: {"offered": True}}


def facts_of(kind):
    """A registration that the mail can be about, and the mail's own facts."""
    registration = RegistrationFactory(**STATES.get(kind, {}))
    person = registration.participant
    if kind == Kind.CODE:
        return registration, {"code": "123456"}
    if kind == Kind.DATA_DELETED:
        facts = {"name": person.name, "is_in_care": False, "is_account_gone": True, "is_recorded": False}
        return registration, facts
    if kind == Kind.INVITATION:
        return registration, {"invitation": InvitationFactory(email=person.email).pk}
    if kind in (Kind.GROUP, Kind.HANDOVER):
        other = RegistrationFactory(participant=ParticipantFactory(email="", account=person.account)).participant
        offer = other.handovers.create(email="other@example.org", created_by=person.account)
        whom = {"carer": person.account_id, "people": [other.pk]}
        return registration, whom if kind == Kind.GROUP else {"handover": offer.pk}
    if kind == Kind.WITHDRAWAL:
        member = PartnerMemberFactory(user=person.account)
        member.organisation.withdrawals.create(
            webinar=registration.webinar, registration_code=registration.code, withdrawn_at=timezone.now()
        )
        return registration, {"organisation": member.organisation_id, "codes": [registration.code]}
    if kind == Kind.ANNOUNCEMENT:
        written = AnnouncementFactory(subject_en="Example announcement", body_en="Example *text*.")
        return registration, {"announcement": written.pk, "account": person.account_id}
    if kind == Kind.WEBINAR_CANCELLED:
        WebinarFactory()
        registration.webinar.status = "cancelled"
        registration.webinar.save()
    if kind in FACTS:
        return registration, FACTS[kind](registration)
    return registration, {}


def reminder_facts(registration):
    starts_at = registration.webinar.starts_at
    moments = {"starts_at": starts_at, "due_at": starts_at, "helps_until": starts_at}
    return {"reminder": registration.webinar.reminders.create(minutes=60, **moments).pk}


def changed_facts(registration):
    was = facts_of_webinar(registration.webinar) | {"starts_at": "2020-08-26T01:00:00+00:00", "room": "other"}
    return {"webinar": registration.webinar_id, "was": was}


def partner_list_facts(registration):
    member = PartnerMemberFactory(user=registration.participant.account)
    registration.webinar.hosts.add(member.organisation)
    ConsentFactory(participant=registration.participant, partner=member.organisation)
    return {"organisation": member.organisation_id, "webinar": registration.webinar_id}


def role_invitation_facts(registration):
    owner = UserFactory(organiser=True)
    offer = RoleInvitation.objects.create(
        email=registration.participant.email,
        role="partner_viewer",
        organisation=OrganisationFactory(),
        invited_by=owner,
        ends_at=timezone.now() + timedelta(days=7),
    )
    return {"role_invitation": offer.pk}


def file_facts(registration):
    member = PartnerMemberFactory(user=registration.participant.account)
    file = PreparedFile.objects.create(
        requested_by=member.user,
        organisation=member.organisation,
        webinar=registration.webinar,
        columns="name",
        format="xlsx",
        status="ready",
        rows_total=12,
        ready_at=timezone.now(),
        ends_at=timezone.now() + timedelta(hours=24),
    )
    return {"file": file.pk}


def digest_facts(registration):
    User.objects.filter(pk=registration.participant.account_id).update(is_staff=True, wants_digest=True)
    return digests.facts_of(timezone.localdate())


def alert_facts(registration):
    return asdict(alerts.Trouble(failed=1, codes=2, waiting=3, minutes=4, is_still=True)) | {"at": "2020-08-26T01:00Z"}


FACTS = {
    Kind.REMINDER: reminder_facts,
    Kind.WEBINAR_CHANGED: changed_facts,
    Kind.PARTNER_LIST: partner_list_facts,
    Kind.ROLE_INVITATION: role_invitation_facts,
    Kind.FILE_READY: file_facts,
    Kind.DIGEST: digest_facts,
    Kind.ALERT: alert_facts,
}


def mail_of(kind, **fields):
    registration, context = facts_of(kind)
    about = {"participant": registration.participant, "registration": registration, "context": context}
    return OutgoingMailFactory(kind=kind, **about, **fields)


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("kind", sorted(letters.FACTS))
def test_every_kind_of_mail_renders(kind, language):
    mail = mail_of(kind, language=language)
    message = letters.compose(mail, now=timezone.now())
    parts = [message.subject, message.body, message.alternatives[0].content]
    for part in parts:
        assert part.strip()
        assert not re.search(r"{{|{%|None|\bTODO\b", part)
    assert f'lang="{language}"' in parts[2]
    assert message.to == [mail.participant.email]


@pytest.mark.django_db
@pytest.mark.parametrize("kind", sorted(letters.FACTS))
def test_a_mail_is_in_the_language_of_the_person_not_of_the_process(kind):
    with translation.override("en"):
        indonesian = letters.compose(mail_of(kind, language="id"), now=timezone.now())
    english = letters.compose(mail_of(kind, language="en"), now=timezone.now())
    assert indonesian.subject != english.subject
    assert indonesian.body != english.body


def test_there_is_no_kind_of_mail_without_its_facts():
    assert set(Kind) == set(letters.FACTS)


# ---- Logs


@pytest.fixture
def log():
    """What the configured formatter makes of everything that is logged meanwhile."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(RedactedJsonFormatter(**{"fmt": settings.LOGGING["formatters"]["json"]["fmt"]}))
    root = logging.getLogger()
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)


def lines(log):
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_a_log_line_is_one_json_object_without_addresses_and_tokens(log):
    logger = logging.getLogger("registration.test")
    try:
        raise ValueError("no mail for peserta@example.org")
    except ValueError:
        logger.exception("Failed for %s at /gabung/abc:def/ and /en/gabung/abc:def/batal/", "peserta@example.org")
    logger.warning("extra", extra={"person": "peserta@example.org", "path": "/sertifikat/ABC123/"})
    assert len(lines(log)) == 2
    for secret in ("peserta@", "abc:def", "ABC123"):
        assert secret not in log.getvalue()


@pytest.mark.django_db
def test_requests_leave_no_personal_data_in_the_log(client, log, mailbox):
    registration = RegistrationFactory(webinar=WebinarFactory())
    token = links.join_token(registration)
    client.get(reverse("registration:join", args=[token]))
    client.get(f"/gabung/{token}/nowhere/")
    client.post(reverse("registration:sign_up"), {"email": "peserta@example.org", "name": "Peserta Contoh"})
    mailbox.refuse("550 5.1.1 peserta@example.org is unknown here")
    OutgoingMailFactory(participant=registration.participant)
    logging.getLogger("django.request").error("marker")
    assert any(line["message"] == "marker" for line in lines(log))
    for secret in (token, "@example.org", "Peserta Contoh"):
        assert secret not in log.getvalue()


# ---- The lock


@pytest.mark.parametrize("name", ["production", "local", "dev"])
def test_the_lock_holds_hashes_and_no_address(name):
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    assert "://" not in text
    packages = re.findall(r"^[a-z0-9].*?(?=^[a-z0-9]|\Z)", text, re.MULTILINE | re.DOTALL)
    assert packages
    assert [package.split()[0] for package in packages if "--hash=sha256:" not in package] == []
