import json
import logging
import re
from typing import Any

from pythonjsonlogger.json import JsonFormatter

# Personal links and addresses have no place in a log: /gabung/<token>/ is a key to a person's seat.
OF_TOKENS = "gabung|tautan|undangan|serah-terima|peran|pratinjau|berkas|berhenti|sertifikat|saya(?:/|%2F)kalender"
SECRETS = [
    (re.compile(rf"(/(?:{OF_TOKENS})/)[^/\s?\"']+"), r"\1[token]"),
    # The same where an address carries it on, as in ?next=.
    (re.compile(rf"(%2F(?:{OF_TOKENS})%2F)[^%\s&\"']+"), r"\1[token]"),
    # What programs show us, and what we sign by.
    (re.compile(r"(kpt_[0-9a-f]{10}_|whsec_)[\w+/=-]+"), r"\1[secret]"),
    (re.compile(r"([?&]undangan=)[^&\s\"']+"), r"\1[token]"),
    (re.compile(r"(/saya/)[A-Z0-9]{10,12}(?=/)"), r"\1[code]"),
    # PostgreSQL tells which row it refuses; in JSON, where a line ends in \n and quotes are escaped.
    (re.compile(r"(DETAIL:  )(?:[^\"\\]|\\[^n])*"), r"\1[row]"),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "[address]"),
]


def redact(message: str) -> str:
    for pattern, replacement in SECRETS:
        message = pattern.sub(replacement, message)
    return message


class RedactedJsonFormatter(JsonFormatter):
    def format(self, record: logging.LogRecord) -> str:
        # Django attaches the request, whose form data and headers are personal.
        record.__dict__.pop("request", None)
        return redact(super().format(record))


def redact_event(event: Any, hint: dict[str, Any]) -> Any:
    """For Sentry: the address of a failing page may be a personal link."""
    return json.loads(redact(json.dumps(event, default=str)))
