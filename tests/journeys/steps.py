"""What people do on the site, as the journeys need it."""

import re
import time
from email.message import EmailMessage

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.utils import translation
from django.utils.translation import gettext, ngettext
from playwright.sync_api import expect

from tests.servers import wait_until


def say(language: str, words: str, **values: object) -> str:
    """The site's own words in that language."""
    with translation.override(language):
        return gettext(words) % values if values else gettext(words)


def say_count(language: str, one: str, many: str, number: int) -> str:
    with translation.override(language):
        return ngettext(one, many, number) % number


def prefix(language: str) -> str:
    return "/en" if language == "en" else ""


def text_of(message: EmailMessage) -> str:
    return "\n".join(message.get_body(("plain",)).get_content().splitlines())


def mail_to(mailbox, address: str, number: int) -> EmailMessage:
    """Her mail of that number, counted from 1, as soon as it is there."""
    wait_until(lambda: len(mailbox.to(address)) >= number, 15, lambda: f"mail {number} to {address} did not come")
    return mailbox.to(address)[number - 1]


def code_in(message: EmailMessage) -> str:
    return re.search(r"^\d{6}$", text_of(message), re.MULTILINE)[0]


def links_in(message: EmailMessage, part: str) -> list[str]:
    return [link for link in re.findall(r"https?://\S+", text_of(message)) if part in link]


def totp(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def fill_in(page, *webinars, name: str, email: str, province: str = "81") -> None:
    for webinar in webinars:
        page.locator(f"input[name=webinars][value={webinar.slug}]").check()
    page.fill("[name=name]", name)
    page.fill("[name=email]", email)
    page.select_option("[name=province]", province)
    page.check("[name=consent_processing]")


def send(page) -> None:
    """The first form in the page's content."""
    page.locator("main form .button").first.click()
    expect(page.locator("form[aria-busy]")).to_have_count(0)


def enter_code(page, mailbox, address: str, number: int = 1) -> None:
    page.fill("[name=code]", code_in(mail_to(mailbox, address, number)))
    send(page)


def sign_in(page, mailbox, user, secret: str) -> None:
    """From the page that asks for her address, through the mail and her telephone."""
    page.fill("[name=email]", user.email)
    send(page)
    enter_code(page, mailbox, user.email)
    page.fill("[name=code]", totp(secret))
    send(page)
