"""Complete sign-ups over HTTP, as a browser does them: form, POST, code from the mail's row, confirmation."""

import http.client
import itertools
import re
import statistics
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode

import psycopg

from bench.load import Rate, in_parallel


@dataclass
class Browser:
    port: int
    cookies: dict[str, str] = field(default_factory=dict)

    def request(self, method: str, path: str, data: dict[str, str] | None = None) -> tuple[int, str, str]:
        """Status, Location and body."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if data is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        line.request(method, path, urlencode(data) if data is not None else None, headers)
        answer = line.getresponse()
        for cookie in answer.headers.get_all("Set-Cookie", []):
            name, _equals, rest = cookie.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        body = answer.read().decode()
        line.close()
        return answer.status, answer.headers.get("Location", ""), body

    def token(self, path: str) -> str:
        _status, _location, body = self.request("GET", path)
        return re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', body)[1]  # type: ignore[index]


def complete(browser: Browser, database: psycopg.Connection, webinar: str, email: str) -> None:
    answers = {"webinars": webinar, "name": "Contoh Beban", "email": email, "province": "53"}
    answers |= {"consent_processing": "on", "csrfmiddlewaretoken": browser.token("/daftar/")}
    status, location, body = browser.request("POST", "/daftar/", answers)
    if status != 302:
        raise RuntimeError(f"The form was answered with {status}: {re.sub('<[^>]+>', ' ', body)[:500]}")
    query = "SELECT context->>'code' FROM registration_outgoingmail WHERE kind = 'code' AND \"to\" = %s"
    [code] = database.execute(query, [email]).fetchone()  # type: ignore[misc]
    token = browser.token(location)
    status, location, _body = browser.request("POST", location, {"code": code, "csrfmiddlewaretoken": token})
    if (status, location) != (302, "/saya/"):
        raise RuntimeError(f"The code was answered with {status} {location}")


def run(port: int, database_url: str, webinar: str, *, seconds: float, clients: int, prefix: str) -> Rate:
    numbers, times = itertools.count(), []
    ends = time.perf_counter() + seconds

    def client() -> None:
        with psycopg.connect(database_url, autocommit=True) as database:
            while (started := time.perf_counter()) < ends:
                complete(Browser(port), database, webinar, f"{prefix}{next(numbers)}@example.org")
                times.append(time.perf_counter() - started)

    in_parallel(client, clients)
    cuts = statistics.quantiles(times, n=100)
    return Rate(len(times) / seconds, cuts[49] * 1000, cuts[98] * 1000)
