import logging
import re

from pythonjsonlogger.json import JsonFormatter

# Personal links and addresses have no place in a log: /gabung/<token>/ is a key to a person's seat.
SECRETS = [
    (re.compile(r"(/(?:gabung|sertifikat)/)[^/\s?\"']+"), r"\1[token]"),
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
