"""The project's settings in haste: beat's clock runs sixty times as fast, so five minutes without a broker are five
seconds, and a mail server that says nothing is given up after a second.

What a tick does, and how long a dead worker's mails are left to it, stays as it is: tests move the rows' own times.
"""

from kpt import settings
from kpt.settings import *  # noqa: F403

SPEED = 60
EMAIL_TIMEOUT = 1
CELERY_BEAT_SCHEDULE = {
    name: entry | {"schedule": entry["schedule"] / SPEED if isinstance(entry["schedule"], float) else entry["schedule"]}
    for name, entry in settings.CELERY_BEAT_SCHEDULE.items()
}
