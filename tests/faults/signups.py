"""People who sign up by the real site while something breaks under it."""

import itertools
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException

from django.db import DatabaseError, connection

from conference.models import Webinar
from registration.models import OutgoingMail, Registration
from tests.processes import Site, Visitor

PATIENCE = 40  # seconds for which one person tries


class Signups:
    """In threads, one person after another, until `stop`. Whoever sees an error page begins anew."""

    def __init__(self, site: Site, webinar: Webinar, threads: int = 3) -> None:
        self.site, self.webinar = site, webinar
        self.is_over = threading.Event()
        self.numbers = itertools.count(1)
        self.confirmed: list[str] = []
        self.errors: Counter[str] = Counter()
        self.pool = ThreadPoolExecutor(threads)
        self.running = [self.pool.submit(self.go_on) for _thread in range(threads)]

    def stop(self) -> None:
        """Each who has begun gets to the end."""
        self.is_over.set()
        for one in self.running:
            one.result(PATIENCE + 20)
        self.pool.shutdown()

    def go_on(self) -> None:
        try:
            while not self.is_over.is_set():
                self.insist(f"pendaftar{next(self.numbers)}@example.org")
        finally:
            connection.close()

    def insist(self, address: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                if self.sign_up(address):
                    self.confirmed.append(address)
                    return
            except (OSError, HTTPException, DatabaseError) as error:
                self.errors[type(error).__name__] += 1
                connection.close()
            time.sleep(0.2)
        raise AssertionError(f"{address} can't sign up: {self.errors}")

    def sign_up(self, address: str) -> bool:
        visitor = Visitor(self.site)
        answers = {"name": "Peserta Contoh", "email": address, "province": "73", "consent_processing": "on"}
        if not self.went_well(visitor.get(f"/daftar/?webinars={self.webinar.slug}"), "/daftar/"):
            return False
        if not self.went_well(visitor.send(webinars=self.webinar.slug, **answers), "/akun/kode/"):
            return False
        codes = OutgoingMail.objects.filter(kind=OutgoingMail.Kind.CODE, to=address).order_by("-pk")
        code = next((row.context["code"] for row in codes if "code" in row.context), "")
        return self.went_well(visitor.send(code=code), "/saya/")

    def went_well(self, answer: tuple[int, str], path: str) -> bool:
        if answer == (200, path):
            return True
        self.errors[str(answer[0]) if answer[0] >= 500 else f"{answer[0]} {answer[1]}"] += 1
        return False

    def check(self) -> None:
        """Whom a page has told that she is registered has her seat, and her confirmation has left."""
        rows = Registration.objects.confirmed().filter(webinar=self.webinar)
        seats = set(rows.values_list("participant__email", flat=True))
        assert set(self.confirmed) <= seats
        told = OutgoingMail.objects.filter(kind="confirmation", status="SENT").values_list("to", flat=True)
        assert seats & set(self.confirmed) <= set(told)
