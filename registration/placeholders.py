"""What each kind of mail lets organisers put into their text, with what it stands for."""

from django.utils.translation import gettext_lazy as _

from registration import links
from registration.models import OutgoingMail
from registration.vocabulary import Condition, Facts, Placeholder, Vocabulary

Kind = OutgoingMail.Kind


NAME = Placeholder(_("Her full name"), lambda facts: facts["participant"].name)
FIRST_NAME = Placeholder(_("Her first name"), lambda facts: facts["participant"].first_name)
PERSONAL_PAGE = Placeholder(
    _(
        "The address of her page with all her registrations, without signing in. It also stands at the foot of each mail"
    ),
    lambda facts: facts.get("mine") or links.mine(),
    is_link=True,
)
PERSON = {"name": NAME, "first_name": FIRST_NAME, "personal_page": PERSONAL_PAGE}
TITLES = Placeholder(
    _("The titles of her webinars, with commas between them"),
    lambda facts: ", ".join(entry.registration.webinar.title for entry in facts["entries"]),
)
WEBINARS = Placeholder(
    _("Her webinars, each with title, day, hours in the three zones, her personal link and the link to cancel"),
    block="blocks/webinars",
    is_required=True,
)
ABOUT_WEBINARS = PERSON | {"webinars": WEBINARS, "titles": TITLES}
TITLE = Placeholder(_("The webinar's title"), lambda facts: facts["session"].webinar.title)
SIGN_UP = Placeholder(_("The address of the sign-up page"), lambda facts: facts["sign_up"], is_link=True)
UNTIL = Placeholder(_("Until when, with day and hours"), lambda facts: facts["until"])
ROOM = Placeholder(_("The address of the partners' room"), lambda facts: facts["room"], is_link=True, is_required=True)
SESSION = Placeholder(_("The webinar with title, day and hours"), block="session", is_required=True)
# A carer may have left no name.
MAYBE_NAMED = {
    "name": Placeholder(_("Her full name, only after {if_name}"), lambda facts: facts["name"]),
    "personal_page": PERSONAL_PAGE,
}
IF_NAME = Condition(_("if we know her name"), lambda facts: bool(facts["name"]))


def is_moved(facts: Facts) -> bool:
    return bool(facts["moved"])


def is_hers(facts: Facts) -> bool:
    return bool(facts["own"] or facts["people"])


def has_calendar(facts: Facts) -> bool:
    return bool(is_hers(facts) and facts.get("entries") and facts["session"].hours)


CHANGES = {
    "if_on_again": Condition(_("if it takes place after all"), lambda facts: bool(facts["on_again"])),
    "if_moved": Condition(_("if it has a new time"), is_moved),
    "if_hour_set": Condition(
        _("if its hour was open and is set now"), lambda facts: bool(facts["hour_set"]) and not is_moved(facts)
    ),
    "if_hour_open": Condition(
        _("if its hour is open again"),
        lambda facts: bool(facts["hour_open"]) and not (facts["moved"] or facts["hour_set"]),
    ),
    "if_before": Condition(
        _("if there was another time before"), lambda facts: bool(facts["moved"] or facts["hour_open"])
    ),
    "if_room": Condition(_("if it is held in another room"), lambda facts: bool(facts["room"])),
    "if_calendar": Condition(_("if she is registered, and a calendar file is attached"), has_calendar),
    "if_no_calendar": Condition(
        _("if she is registered, and no calendar file is attached"),
        lambda facts: is_hers(facts) and not has_calendar(facts),
    ),
}

VOCABULARIES: dict[str, Vocabulary] = {
    Kind.CODE: Vocabulary(
        _("When somebody signs up or signs in: the six digits that prove her address."),
        {
            "code": Placeholder(
                _("The six digits; large if they stand on a line of their own"),
                lambda facts: facts["code"],
                block="blocks/code",
                is_required=True,
            ),
            "minutes": Placeholder(_("For how many minutes they are valid"), lambda facts: facts["minutes"]),
        },
        subject={"code": "{code}"},
    ),
    Kind.UNKNOWN_ACCOUNT: Vocabulary(
        _("When somebody wants to sign in with an address that we don't know."), {"sign_up": SIGN_UP}
    ),
    Kind.CONFIRMATION: Vocabulary(
        _("After sign-up, once the address is proven: one mail for all webinars chosen."),
        ABOUT_WEBINARS
        | {
            "moved_from": Placeholder(
                _("The webinar from which the organisers have moved her, only after {if_moved}"),
                lambda facts: facts["moved_from"].title if facts["moved_from"] else "",
            )
        },
        {
            "if_seat": Condition(_("if she has a seat in at least one webinar"), lambda facts: facts["has_seat"]),
            "if_waiting": Condition(_("if she is only on waiting lists so far"), lambda facts: not facts["has_seat"]),
            "if_moved": Condition(
                _("if the organisers have moved her from another webinar"), lambda facts: bool(facts["moved_from"])
            ),
        },
        subject=None,
    ),
    Kind.GROUP: Vocabulary(
        _("To somebody who registers others, after each step: how it stands for them."),
        {
            "people": Placeholder(
                _("The people, each with webinars, hours and personal links"), block="blocks/in_care", is_required=True
            ),
            "group": Placeholder(_("The address of the page of her group"), lambda facts: facts["group"], is_link=True),
        },
        {
            "if_seat": Condition(_("if at least one of them has a seat"), lambda facts: facts["has_seat"]),
            "if_no_seat": Condition(_("if none of them has a seat so far"), lambda facts: not facts["has_seat"]),
        },
        subject=None,
    ),
    Kind.PROMOTED: Vocabulary(_("When a seat comes free and is hers."), ABOUT_WEBINARS),
    Kind.OFFER: Vocabulary(
        _("When a seat comes free shortly before the start: she has to answer."), ABOUT_WEBINARS | {"until": UNTIL}
    ),
    Kind.CANCELLATION: Vocabulary(
        _("When a registration has been cancelled, by herself or by the organisers."),
        ABOUT_WEBINARS
        | {
            "reason": Placeholder(
                _("The organisers' reason, only after {if_reason}"), lambda facts: facts["reason"] or ""
            ),
            "sign_up": SIGN_UP,
        },
        {"if_reason": Condition(_("if the organisers have given a reason"), lambda facts: bool(facts["reason"]))},
    ),
    Kind.INVITATION: Vocabulary(
        _("When organisers invite a guest, and once more before the invitation ends."),
        {
            "name": Placeholder(_("The guest's name"), lambda facts: facts["invitation"].name),
            "webinar": Placeholder(
                _("The webinar with title, day, hours and the link to the answer"),
                block="blocks/invited_to",
                is_required=True,
            ),
            "title": TITLE,
            "until": UNTIL,
            "message": Placeholder(
                _("What the organisers have written to this guest; nothing if they have not"), block="blocks/message"
            ),
        },
        {
            "if_first": Condition(_("in the first mail"), lambda facts: not facts["is_reminder"]),
            "if_reminder": Condition(_("in the second mail, the reminder"), lambda facts: facts["is_reminder"]),
        },
        subject=None,
    ),
    Kind.WEBINAR_CANCELLED: Vocabulary(
        _("When a webinar will not take place: to all in it, and to those invited."),
        {
            "name": Placeholder(_("Her full name"), lambda facts: facts["name"]),
            "webinar": SESSION,
            "title": TITLE,
            "people": Placeholder(
                _("Those in her care for whom it is cancelled too; nothing if there are none"), block="blocks/names"
            ),
            "others": Placeholder(
                _("The webinars that are open, and the button to choose from them; nothing if there are none"),
                block="blocks/others",
            ),
        },
        {
            "if_several": Condition(
                _("if it is cancelled for several people in her care"), lambda facts: len(facts.get("people", [])) > 1
            ),
            "if_choice": Condition(
                _("if other webinars are open and she was registered"),
                lambda facts: bool(facts["others"] and facts.get("people")),
            ),
            "if_guest_choice": Condition(
                _("if other webinars are open and she was only invited"),
                lambda facts: bool(facts["others"] and not facts.get("people")),
            ),
        },
        subject={"session": {"webinar": {"title": "{title}"}}},
    ),
    Kind.HANDOVER: Vocabulary(
        _("When somebody hands a registration over to the person herself."),
        {
            "first_name": Placeholder(_("Her first name"), lambda facts: facts["first_name"]),
            "carer": Placeholder(_("Who has registered her, only after {if_carer}"), lambda facts: facts["carer"]),
            "link": Placeholder(
                _("The address where she takes over"), lambda facts: facts["link"], is_link=True, is_required=True
            ),
            "until": Placeholder(_("The last day on which the link works"), lambda facts: facts["until"]),
        },
        {
            "if_carer": Condition(_("if we know who has registered her"), lambda facts: bool(facts["carer"])),
            "if_no_carer": Condition(_("if we don't know it any more"), lambda facts: not facts["carer"]),
        },
    ),
    Kind.DATA_DELETED: Vocabulary(
        _("The last mail, after everything about a person has been deleted."),
        {"name": Placeholder(_("Her full name"), lambda facts: facts["name"]), "sign_up": SIGN_UP},
        {
            "if_herself": Condition(_("if it is about the reader"), lambda facts: not facts["is_in_care"]),
            "if_in_care": Condition(
                _("if it is about somebody in the reader's care"), lambda facts: bool(facts["is_in_care"])
            ),
            "if_account_gone": Condition(
                _("if the reader's account is gone too"), lambda facts: bool(facts["is_account_gone"])
            ),
            "if_account_stays": Condition(
                _("if the reader's account stays"), lambda facts: not facts["is_account_gone"]
            ),
            "if_recorded": Condition(
                _("if the record names the reader, who worked with other people's data"),
                lambda facts: bool(facts.get("is_recorded")),
            ),
        },
    ),
    Kind.WITHDRAWAL: Vocabulary(
        _("To a partner's people, when somebody takes her consent back after the partner has downloaded her data."),
        {
            "organisation": Placeholder(_("The partner's name"), lambda facts: facts["organisation"].name),
            "people": Placeholder(
                _("The registration codes to be removed, each with its webinar"),
                block="blocks/withdrawn",
                is_required=True,
            ),
            "room": ROOM,
        },
    ),
    Kind.REMINDER: Vocabulary(
        _("Some time before a webinar starts, as set at the webinar: not to those who are in the room already."),
        MAYBE_NAMED
        | {
            "webinar": Placeholder(
                _("The webinar with title, day, hours and her personal link, or the links of those in her care"),
                block="blocks/reminded_of",
                is_required=True,
            ),
            "title": TITLE,
            "hour": Placeholder(_("The hour at which it starts, on her clock"), lambda facts: facts["hour"]),
            "door": Placeholder(_("From which hour on the room is open"), lambda facts: facts["door"]),
        },
        {
            "if_name": IF_NAME,
            "if_begun": Condition(_("if it has begun already"), lambda facts: facts["has_begun"]),
            "if_today": Condition(
                _("if it begins today"), lambda facts: facts["day"] == "today" and not facts["has_begun"]
            ),
            "if_tomorrow": Condition(
                _("if it begins tomorrow"), lambda facts: facts["day"] == "tomorrow" and not facts["has_begun"]
            ),
            "if_later": Condition(
                _("if it begins later than tomorrow"), lambda facts: not (facts["day"] or facts["has_begun"])
            ),
            "if_open": Condition(_("if the room is open already"), lambda facts: facts["is_open"]),
            "if_not_open": Condition(_("if the room is not open yet"), lambda facts: not facts["is_open"]),
        },
        subject=None,
    ),
    Kind.WEBINAR_CHANGED: Vocabulary(
        _("When the hour or the room of a webinar has changed: to all in it, and to those invited."),
        MAYBE_NAMED
        | {
            "webinar": Placeholder(
                _("The webinar as it is now, with title, day, hours and the personal links"),
                block="blocks/changed",
                is_required=True,
            ),
            "title": TITLE,
            "was": Placeholder(_("Day and hours as they were before"), lambda facts: facts["was"]),
        },
        {"if_name": IF_NAME} | CHANGES,
        subject=None,
    ),
    Kind.PARTNER_LIST: Vocabulary(
        _("To a partner's people, when a list of participants is ready for them."),
        {
            "organisation": Placeholder(_("The partner's name"), lambda facts: facts["organisation"]),
            "number": Placeholder(_("How many people are in the list"), lambda facts: facts["shared"]),
            "webinar": SESSION,
            "title": TITLE,
            "room": ROOM,
        },
        {
            "if_before": Condition(_("before the webinar"), lambda facts: not facts["is_after"]),
            "if_after": Condition(_("after the webinar"), lambda facts: facts["is_after"]),
            "if_one": Condition(_("if one person is in the list"), lambda facts: facts["shared"] == 1),
            "if_many": Condition(_("if several people are in the list"), lambda facts: facts["shared"] != 1),
        },
        subject=None,
    ),
    Kind.ROLE_INVITATION: Vocabulary(
        _("To somebody who is invited to the team, or to a partner's room."),
        {
            "inviter": Placeholder(_("Who invites her"), lambda facts: facts["inviter"]),
            "role": Placeholder(_("The role that is offered to her"), lambda facts: facts["role"]),
            "organisation": Placeholder(
                _("The partner's name, only after {if_partner}"), lambda facts: facts["organisation"]
            ),
            "link": Placeholder(
                _("The address where she takes the role"), lambda facts: facts["link"], is_link=True, is_required=True
            ),
            "until": Placeholder(_("The last day on which the link works"), lambda facts: facts["until"]),
        },
        {
            "if_partner": Condition(_("if it is a partner's room"), lambda facts: bool(facts["organisation"])),
            "if_team": Condition(_("if it is the team of the conference"), lambda facts: not facts["organisation"]),
        },
        subject=None,
    ),
    Kind.FILE_READY: Vocabulary(
        _("To somebody whose list was too long to wait for, when it is written."),
        {
            "about": Placeholder(_("What the file is: whose, of which webinar"), lambda facts: facts["about"]),
            "number": Placeholder(_("How many people are in the file"), lambda facts: facts["number"]),
            "link": Placeholder(
                _("The address where the file is fetched"), lambda facts: facts["link"], is_link=True, is_required=True
            ),
            "until": UNTIL,
        },
        subject=None,
    ),
    Kind.DIGEST: Vocabulary(
        _("To organisers who want it, in the morning after a day on which something happened."),
        {
            "day": Placeholder(_("The day"), lambda facts: facts["day"]),
            "signed_up": Placeholder(_("How many have registered"), lambda facts: facts["numbers"]["signed_up"]),
            "numbers": Placeholder(_("All numbers of the day"), block="blocks/numbers", is_required=True),
            "webinars": Placeholder(_("The webinars with their seats"), block="blocks/webinar_numbers"),
            "admin": Placeholder(_("The address of this admin"), lambda facts: facts["admin"], is_link=True),
        },
        subject=None,
    ),
    Kind.ALERT: Vocabulary(
        _("To organisers, when mails fail or wait too long."),
        {
            "at": Placeholder(_("When it was so, with day and hours"), lambda facts: facts["at"]),
            "trouble": Placeholder(
                _("What is wrong, in sentences with numbers"), block="blocks/trouble", is_required=True
            ),
            "log": Placeholder(_("The address of the mail log"), lambda facts: facts["log"], is_link=True),
        },
        subject=None,
    ),
}
