"""The project's settings, and a mail that nobody survives who writes it: as if it took all memory, or met a fault in C."""

import os
import signal
from importlib import import_module

from celery.signals import worker_process_init

from kpt.settings import *  # noqa: F403

DEADLY = "racun@example.org"


@worker_process_init.connect
def bait(**_facts):
    letters = import_module("registration.letters")
    compose = letters.compose

    def compose_or_die(mail, **facts):
        if mail.to == DEADLY:
            os.kill(os.getpid(), signal.SIGKILL)
        return compose(mail, **facts)

    letters.compose = compose_or_die
