"""The SMTP inbox of `make run`, over SMTP, and its pages."""

import os
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.smtp import Envelope
from django.test import override_settings
from django.urls import include, path

from kpt import embedded, inbox, urls

ROOT = Path(inbox.__file__).parent.parent

# The site includes these addresses only where an inbox runs.
urlpatterns = [path("kotak-masuk/", include("kpt.inbox_urls")), *urls.urlpatterns]


@pytest.fixture
def folder(tmp_path, settings) -> Iterator[Path]:
    settings.INBOX_DIR = str(tmp_path)
    with override_settings(ROOT_URLCONF=__name__):
        yield tmp_path


def letter(
    subject: str = "Kode masuk", to: str = "siti@example.org", text: str = "Kode Anda:\n\n123456\n"
) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = "KPT <kpt@example.org>"
    message["To"] = to
    message.set_content(text)
    return message


def keep(folder: Path, message: EmailMessage, *recipients: str) -> str:
    """The name under which the inbox keeps it."""
    envelope = Envelope()
    envelope.mail_from = "kpt@example.org"
    envelope.rcpt_tos = list(recipients or [message["To"]])
    envelope.original_content = message.as_bytes()
    return inbox.keep(folder, envelope).stem


def subjects(response) -> list[str]:
    return [mail.subject for mail in response.context["mails"]]


@pytest.fixture
def smtp_port(tmp_path) -> Iterator[int]:
    port = embedded.free_port()
    command = [sys.executable, "-m", "kpt.inbox", "--dir", str(tmp_path), "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT)
    yield port
    process.terminate()
    assert process.wait(10) == 0


def connect(port: int) -> smtplib.SMTP:
    deadline = time.monotonic() + 20
    while True:
        try:
            return smtplib.SMTP("127.0.0.1", port)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_mail_becomes_a_file_with_its_envelope(tmp_path, smtp_port) -> None:
    message = letter("Selamat datang, Élise")
    with connect(smtp_port) as client:
        client.send_message(message, to_addrs=["siti@example.org", "hidden@example.org"])
    [file] = tmp_path.iterdir()
    assert file.suffix == ".eml"
    head, _, rest = file.read_bytes().partition(b"X-Received-At: ")
    assert head == b"X-Envelope-From: kpt@example.org\r\nX-Envelope-To: siti@example.org, hidden@example.org\r\n"
    received_at, _, kept = rest.partition(b"\r\n")
    assert datetime.now(UTC) - datetime.fromisoformat(received_at.decode()) < timedelta(minutes=1)
    assert kept == message.as_bytes().replace(b"\n", b"\r\n")


def test_every_mail_of_one_connection_is_kept(tmp_path, smtp_port) -> None:
    with connect(smtp_port) as client:
        for number in range(50):
            client.send_message(letter(f"Nomor {number}"))
    assert len([file for file in tmp_path.iterdir() if file.suffix == ".eml"]) == 50
    assert len(list(tmp_path.iterdir())) == 50


def test_names_sort_by_time(tmp_path) -> None:
    names = [keep(tmp_path, letter(str(number))) for number in range(20)]
    assert names == sorted(names)


def test_the_list_shows_the_newest_first(client, folder) -> None:
    keep(folder, letter("Pertama"))
    keep(folder, letter("Kedua"))
    response = client.get("/kotak-masuk/")
    assert response.status_code == 200
    assert subjects(response) == ["Kedua", "Pertama"]


def test_the_list_of_one_address_holds_her_mail_alone(client, folder) -> None:
    keep(folder, letter("Untuk Siti"), "siti@example.org")
    keep(folder, letter("Untuk keduanya"), "budi@example.org", "siti@example.org")
    keep(folder, letter("Untuk Budi"), "budi@example.org")
    keep(folder, letter("Untuk Siti lain"), "another.siti@example.org")
    assert subjects(client.get("/kotak-masuk/", {"to": "Siti@example.org"})) == ["Untuk keduanya", "Untuk Siti"]


def test_older_mail_is_one_link_away(client, folder) -> None:
    for number in range(52):
        keep(folder, letter(str(number)))
    first = client.get("/kotak-masuk/", {"to": "siti@example.org"})
    assert subjects(first) == [str(number) for number in range(51, 1, -1)]
    second = client.get("/kotak-masuk/", {"to": "siti@example.org", "before": first.context["older"]})
    assert subjects(second) == ["1", "0"]
    assert second.context["older"] == ""


def test_an_unfinished_file_is_not_listed(client, folder) -> None:
    name = keep(folder, letter())
    (folder / f"{name}.eml").rename(folder / f".{name}.eml")
    assert subjects(client.get("/kotak-masuk/")) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Kode Anda:\n\n123456\n", "123456"),
        ("Kode Anda:\r\n\r\n    012345  \r\nBerlaku 15 menit.", "012345"),
        ("Tanggal 20200826 dan nomor 123456 di tengah kalimat", ""),
        ("1234567\n", ""),
    ],
)
def test_the_code_is_the_line_of_six_digits(client, folder, text, code) -> None:
    name = keep(folder, letter(text=text))
    assert client.get(f"/kotak-masuk/{name}/").context["mail"].code == code
    assert client.get("/kotak-masuk/").context["mails"][0].code == code


def test_a_mail_shows_its_parts_and_headers(client, folder) -> None:
    message = letter("Kode <b>masuk</b>", text="Buka https://example.org/gabung/abc/ atau\n\n123456\n")
    message.add_alternative("<html><head></head><body><p>Halo</p></body></html>", subtype="html")
    message.add_attachment(b"BEGIN:VCALENDAR", maintype="text", subtype="calendar", filename="undangan.ics")
    name = keep(folder, message)
    page = " ".join(client.get(f"/kotak-masuk/{name}/").content.decode().split())
    assert "<h1>Kode &lt;b&gt;masuk&lt;/b&gt;</h1>" in page
    assert '<strong class="code">123456</strong>' in page
    assert '<a href="https://example.org/gabung/abc/" rel="nofollow">https://example.org/gabung/abc/</a>' in page
    assert f'<iframe src="/kotak-masuk/{name}/html/" sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert f'<a href="/kotak-masuk/{name}/0/">undangan.ics</a>' in page
    assert "<dt>X-Envelope-To</dt>" in page
    assert "Halo" not in page


def test_the_html_part_is_shut_in_a_sandbox(client, folder) -> None:
    message = letter()
    message.add_alternative(
        '<html><head></head><body><script>alert(1)</script><a href="/">x</a></body></html>', subtype="html"
    )
    response = client.get(f"/kotak-masuk/{keep(folder, message)}/html/")
    assert response["Content-Security-Policy"] == (
        "sandbox allow-popups allow-popups-to-escape-sandbox; "
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    )
    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert '<head><base target="_blank"></head>' in response.content.decode()


def test_an_attachment_is_downloaded_never_shown(client, folder) -> None:
    message = letter()
    message.add_attachment(b"<script>alert(1)</script>", maintype="text", subtype="html", filename="surat é.html")
    response = client.get(f"/kotak-masuk/{keep(folder, message)}/0/")
    assert response.content == b"<script>alert(1)</script>"
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"] == "attachment; filename*=utf-8''surat%20%C3%A9.html"


@pytest.mark.django_db  # the page for "not found" shows the menu
@pytest.mark.parametrize("rest", ["", "html/", "0/"])
def test_what_a_mail_does_not_have_is_not_found(client, folder, rest) -> None:
    name = keep(folder, letter()) if rest else f"{0:020d}-00000000"
    assert client.get(f"/kotak-masuk/{name}/{rest}").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["..", "../secret", "..%2Fsecret", "secret", "%2e%2e/secret", "....//secret"])
def test_a_path_leads_nowhere_else(client, folder, name) -> None:
    (folder / "secret.eml").write_bytes(letter("Rahasia").as_bytes())
    (folder.parent / "secret.eml").write_bytes(letter("Rahasia").as_bytes())
    assert client.get(f"/kotak-masuk/{name}/").status_code == 404


def test_pages_ask_not_to_be_found_or_kept(client, folder) -> None:
    message = letter()
    message.add_alternative("<p>Halo</p>", subtype="html")
    message.add_attachment(b"x", maintype="text", subtype="calendar", filename="x.ics")
    name = keep(folder, message)
    for rest in ("", f"{name}/", f"{name}/html/", f"{name}/0/"):
        response = client.get(f"/kotak-masuk/{rest}")
        assert response.status_code == 200
        assert response["X-Robots-Tag"] == "noindex"
        assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_without_an_inbox_there_are_no_pages(client, folder, settings) -> None:
    message = letter()
    message.add_alternative("<p>Halo</p>", subtype="html")
    message.add_attachment(b"x", maintype="text", subtype="calendar", filename="x.ics")
    name = keep(folder, message)
    settings.INBOX_DIR = ""
    for rest in ("", f"{name}/", f"{name}/html/", f"{name}/0/"):
        assert client.get(f"/kotak-masuk/{rest}").status_code == 404


def test_the_pages_only_answer_to_reading(client, folder) -> None:
    assert client.post("/kotak-masuk/").status_code == 405


def test_a_mail_with_a_bent_header_is_shown_too(client, folder) -> None:
    name = f"{time.time_ns():020d}-0123abcd"
    head = b"X-Envelope-To: siti@example.org\r\nX-Received-At: 2026-11-24T07:13:34.061+00:00\r\n"
    (folder / f"{name}.eml").write_bytes(head + b"Subject: =?utf-8?q?\xff?=\r\nDate: yesterday\r\n\r\n\xff\xfe")
    assert os.listdir(folder) == [f"{name}.eml"]
    assert client.get("/kotak-masuk/").status_code == 200
    assert client.get(f"/kotak-masuk/{name}/").status_code == 200
