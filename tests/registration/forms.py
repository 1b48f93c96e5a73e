"""What a person types into the sign-up form, as the tests need it."""

from typing import Any


def filled_in(*webinars: Any, **changes: Any) -> dict[str, Any]:
    return {
        "webinars": [webinar.slug for webinar in webinars],
        "name": "Contoh Maria",
        "email": "maria@example.org",
        "province": "53",
        "consent_processing": "on",
        **changes,
    }
