"""What every journey walks through: a small programme, and a stand-in for Zoom."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace

import pytest

from conference.models import Partnership
from tests import factories


@pytest.fixture
def programme(live_server) -> SimpleNamespace:
    """The current edition with two webinars of one host, an earlier one, and a page in the menu."""
    edition = factories.EditionFactory()
    host = factories.OrganisationFactory(name="Yayasan Contoh", name_en="Example Foundation", acronym="YC", slug="yc")
    factories.PartnershipFactory(edition=edition, organisation=host, role=Partnership.Role.ORGANISER)
    first = factories.WebinarFactory(
        edition=edition, number=1, slug="hutan", title="Hutan dan Pangan", title_en="Forest and Food", hosts=[host]
    )
    second = factories.WebinarFactory(
        edition=edition, number=2, slug="laut", title="Laut dan Pesisir", title_en="Sea and Coast", hosts=[host]
    )
    speaker = factories.SpeakerFactory(name="Contoh Yosefina", slug="yosefina", organisation=host)
    talk = factories.AgendaItemFactory(webinar=first, title="Suara dari hutan", title_en="Voices of the forest")
    factories.AppearanceFactory(webinar=None, agenda_item=talk, speaker=speaker)
    factories.AppearanceFactory(webinar=first, speaker=speaker)
    earlier = factories.EditionFactory(earlier=True)
    page = factories.PageFactory(slug="tentang", title="Tentang KPT", title_en="About KPT", menu_order=1)
    return SimpleNamespace(
        edition=edition, earlier=earlier, host=host, first=first, second=second, speaker=speaker, page=page
    )


class ZoomRoom(BaseHTTPRequestHandler):
    """Answers every visit and writes down how it came."""

    def do_GET(self) -> None:
        self.server.visits.append(SimpleNamespace(path=self.path, referrer=self.headers["Referer"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Zoom</title><link rel=icon href=data:,><h1>Zoom</h1>")

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def zoom() -> Iterator[SimpleNamespace]:
    """A server in place of Zoom: `address` for a webinar, `visits` that came."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), ZoomRoom)
    server.visits = []
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    port = server.server_address[1]
    yield SimpleNamespace(address=f"http://127.0.0.1:{port}/w/81?pwd=secret", visits=server.visits)
    server.shutdown()
    server.server_close()
