"""The two that are compared, each a process of its own: `python -m bench.mailers worker|bare MOMENT`.

`worker` sends what is queued as a Celery worker does; `bare` sends the bytes of the same letters from a list, over one
kept connection and with nothing else to do. Each begins at the moment given and says in JSON how many in which time. What a
process reads once in its life is read before.
"""

import json
import os
import smtplib
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.urls import reverse
from django.utils import timezone


def worker() -> Callable[[], int]:
    delivery, letters = import_module("registration.delivery"), import_module("registration.letters")
    letters.compose(queued("QUEUED")[0], now=timezone.now()).to_bytes()  # reads the templates

    def send() -> int:
        sent = 0
        while now_sent := delivery.deliver_due():
            sent += now_sent
        return sent

    return send


def queued(status: str) -> Any:
    return apps.get_model("registration", "OutgoingMail").objects.filter(status=status).order_by("pk")


def bare() -> Callable[[], int]:
    delivery, letters = import_module("registration.delivery"), import_module("registration.letters")
    rows = list(queued("SENT"))
    letters.gather(rows)
    sender = delivery.sender(settings.DEFAULT_FROM_EMAIL)
    ready = [(row.to, letters.compose(row, now=timezone.now()).to_bytes()) for row in rows]
    server = smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT)

    def send() -> int:
        for to, content in ready:
            server.sendmail(sender, [to], content)
        return len(ready)

    return send


def main() -> None:
    role, moment = sys.argv[1], float(sys.argv[2])
    django.setup()
    send = {"worker": worker, "bare": bare}[role]()
    reverse("conference:home")  # reads all addresses of the site
    time.sleep(max(moment - time.time(), 0))
    begun, spent = time.perf_counter(), time.process_time()
    count = send()
    said = {"count": count, "seconds": time.perf_counter() - begun, "cpu": time.process_time() - spent}
    said |= {"begun": moment, "memory": memory()}
    sys.stdout.write(json.dumps(said))


def memory() -> int:
    """In MiB, at the most."""
    with open(f"/proc/{os.getpid()}/status") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM"))


if __name__ == "__main__":
    main()
