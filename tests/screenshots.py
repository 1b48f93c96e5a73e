"""Pictures of the main pages for docs/screenshots, of a site that is running: `make screenshots SITE=http://127.0.0.1:8000`."""

import sys
from pathlib import Path

from tests.browser import launched

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
PAGES = {
    "home": "/",
    "agenda": "/agenda/",
    "webinar": "/webinar/akhiri-kekerasan/",
    "sign-up": "/daftar/",
    "organisation-en": "/en/mitra/bakti/",
}
WIDTHS = {360: 780, 1280: 900}


def main(site: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with launched() as browser:
        for width, height in WIDTHS.items():
            page = browser.new_page(viewport={"width": width, "height": height}, timezone_id="Asia/Makassar")
            for name, path in PAGES.items():
                page.goto(f"{site}{path}")
                page.screenshot(path=FOLDER / f"{name}-{width}.png")


if __name__ == "__main__":
    main(*sys.argv[1:])
