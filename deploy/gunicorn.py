"""The web server's settings in the container. WEB_CONCURRENCY sets the number of workers."""

import gc
import os
import sys
from typing import Any

bind = "0.0.0.0:8000"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
# More threads only wait for each other's turn at the interpreter, some of them with a webinar locked. For more at once,
# more workers.
threads = 2
# An attendee list of 100,000 rows is ready well before this.
timeout = 60
max_requests = 10_000
max_requests_jitter = 1_000
# The disk under /tmp may stall a worker's heartbeat.
worker_tmp_dir = "/dev/shm"
# Only the reverse proxy reaches this port. The application counts proxies itself (TRUSTED_PROXIES).
forwarded_allow_ips = "*"
control_socket_disable = True

# The same JSON lines as the application's own.
logconfig_dict = {
    "formatters": {
        "generic": {
            "()": "kpt.logs.RedactedJsonFormatter",
            "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s",
            "datefmt": "%Y-%m-%dT%H:%M:%S%z",
            "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
        }
    },
    "loggers": {"gunicorn.error": {"level": "INFO", "handlers": ["error_console"], "propagate": False}},
}


def post_worker_init(worker: Any) -> None:
    """What is loaded stays: the collector need not look through it again and again."""
    gc.collect()
    gc.freeze()
    # A thread that holds a webinar's lock must not wait long for its turn to give it back.
    sys.setswitchinterval(0.001)
