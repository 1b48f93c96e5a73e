"""Lists, searches and filters of the admin, the desk and the charts: how long each takes, and with how many queries.

By itself (`python -m bench.lists`) it asks the project of DATABASE_URL, as an owner with a second factor, and prints
JSON. `compare` does so beside a small and a very large past, in turn.
"""

import json
import os
import subprocess
import sys
import time
from typing import Any

ROUNDS = 7
# What a page may take beside a million registrations.
MOST_MS = 300
ADMIN = "/en/admin/"
PEOPLE, LINKS, MAILS = "registration/participant/", "registration/registration/", "registration/outgoingmail/"
CAME, CONSENTS, AUDIT = "registration/attendance/", "registration/consent/", "registration/auditentry/"
STEPS, ACCOUNTS = "registration/event/", "registration/user/"
TABLE = "registration/keptcount/reports/table/?edition=2020&rows=province&columns=age_group&measure=both"
# What organisers do, with answers that are common, rare and absent.
PAGES = {
    "desk": "",
    "charts": "registration/figure/charts/",
    "charts of a webinar": "registration/figure/charts/?webinar={webinar}",
    "donors' tables": "registration/keptcount/reports/",
    "donors' table of people": f"{TABLE}&unit=people",
    "donors' table of participations": f"{TABLE}&unit=participations",
    "registrations": LINKS,
    "registrations, page 200": f"{LINKS}?p=200",
    "registrations by status": f"{LINKS}?status__exact=WAITLISTED",
    "registrations by webinar": f"{LINKS}?webinar__id__exact={{webinar}}",
    "registrations by edition": f"{LINKS}?webinar__edition__id__exact={{edition}}",
    "registrations by province": f"{LINKS}?participant__province__exact=53",
    "registrations by a rare province": f"{LINKS}?participant__province__exact=12",
    "registrations by an absent province": f"{LINKS}?participant__province__exact=61",
    "registrations by Zoom state": f"{LINKS}?zoom_state__exact=failed",
    "registrations by webinar and status": f"{LINKS}?webinar__id__exact={{webinar}}&status__exact=CANCELLED",
    "registrations by the oldest first": f"{LINKS}?o=4",
    "registration by code": f"{LINKS}?q={{code}}",
    "registration by address": f"{LINKS}?q=dahulu77%40example.org",
    "registrations by name": f"{LINKS}?q=siti",
    "registrations by a rare name": f"{LINKS}?q={{name}}",
    "registrations by an absent name": f"{LINKS}?q=zzqzx",
    "participants": PEOPLE,
    "participants, page 200": f"{PEOPLE}?p=200",
    "participants by gender": f"{PEOPLE}?gender__exact=male",
    "participants by an absent language": f"{PEOPLE}?language__exact=en",
    "participants by age and kind": f"{PEOPLE}?age_group__exact=under_18&organisation_kind__exact=media",
    "participants by province": f"{PEOPLE}?province__exact=12",
    "participants who are made up": f"{PEOPLE}?is_made_up__exact=1",
    "participants perhaps twice": f"{PEOPLE}?twice=perhaps",
    "participants whose mail comes back": f"{PEOPLE}?address=bounces",
    "participant by address": f"{PEOPLE}?q=dahulu77%40example.org",
    "participants by name": f"{PEOPLE}?q=lestari",
    "participants by a rare name": f"{PEOPLE}?q={{name}}",
    "participants by name in two words": f"{PEOPLE}?q=siti+rumbiak",
    "participants by organisation": f"{PEOPLE}?q=kelompok+4711",
    "participants by an absent phone": f"{PEOPLE}?q=%2B628123",
    "attendances": CAME,
    "attendances by source": f"{CAME}?source__exact=hand",
    "attendances by webinar": f"{CAME}?registration__webinar__id__exact={{webinar}}",
    "attendances by address": f"{CAME}?q=dahulu77%40example.org",
    "attendances by an absent name": f"{CAME}?q=zzqzx",
    "consents": CONSENTS,
    "consents by purpose": f"{CONSENTS}?purpose__exact=news",
    "consents by address": f"{CONSENTS}?q=dahulu77%40example.org",
    "mails": MAILS,
    "mails by status": f"{MAILS}?status__exact=FAILED",
    "mails by kind": f"{MAILS}?kind__exact=confirmation",
    "mails by address": f"{MAILS}?q=dahulu77%40example.org",
    "mails by name": f"{MAILS}?q=siti",
    "audit": AUDIT,
    "audit by action": f"{AUDIT}?action__exact=downloaded",
    "audit by person": f"{AUDIT}?q=panitia7%40example.org",
    "steps": STEPS,
    "steps by kind": f"{STEPS}?kind__exact=cancelled",
    "steps by address": f"{STEPS}?q=dahulu77%40example.org",
    "accounts": ACCOUNTS,
    "accounts by address": f"{ACCOUNTS}?q=dahulu77%40example.org",
}


def measure() -> dict[str, dict[str, Any]]:
    """Of each page its first time in milliseconds, the least of some more (other work on the machine only adds), its queries."""
    import django  # noqa: PLC0415 -- only where DATABASE_URL is set

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kpt.settings")
    django.setup()
    from django.core.cache import cache  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    cache.clear()  # of what another database gave
    client, facts, found = owner(), example(), {}
    for name, page in PAGES.items():
        path, times = ADMIN + page.format(**facts), []
        for _round in range(ROUNDS + 1):
            started = time.perf_counter()
            answer = client.get(path)
            times.append((time.perf_counter() - started) * 1000)
        with CaptureQueriesContext(connection) as queries:
            client.get(path)
        found[name] = {"first": times[0], "ms": min(times), "queries": len(queries), "status": answer.status_code}
    return found


def owner() -> Any:
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret  # noqa: PLC0415
    from django.conf import settings  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.utils import timezone  # noqa: PLC0415

    from registration import statistics as figures  # noqa: PLC0415
    from registration.models import User  # noqa: PLC0415

    figures.refresh(now=timezone.now())
    user = User.objects.filter(email="pemilik@example.org").first() or User.objects.create_superuser(
        "pemilik@example.org"
    )
    if not user.authenticator_set.exists():
        TOTP.activate(user, generate_totp_secret())
    client = Client(HTTP_HOST=settings.ALLOWED_HOSTS[0])
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client


def example() -> dict[str, Any]:
    from registration.models import Registration  # noqa: PLC0415

    row = Registration.objects.select_related("participant", "webinar").order_by("pk")[500]
    name = row.participant.name.split()[-1]
    return {"code": row.code, "name": name, "webinar": row.webinar_id, "edition": row.webinar.edition_id}


def ask(database: str) -> dict[str, dict[str, Any]]:
    """In a process of its own."""
    command, environment = [sys.executable, "-m", "bench.lists"], os.environ | {"DATABASE_URL": database}
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def compare(small: str, large: str) -> list[str]:
    """A line for each page, the slowest first; and in the end which take too long."""
    few, many = ask(small), ask(large)
    lines = []
    for name, page in sorted(many.items(), key=lambda item: -item[1]["ms"]):
        times = f"{page['ms']:5.0f} ms, at first {page['first']:5.0f}, beside few rows {few[name]['ms']:4.0f}"
        lines.append(f"{name:40} {times}; {page['queries']} queries, beside few rows {few[name]['queries']}")
    missed = [name for name, page in many.items() if page["ms"] > MOST_MS or page["status"] != 200]
    return [*lines, f"Over {MOST_MS} ms: {', '.join(missed) or 'none'}."]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure()))
