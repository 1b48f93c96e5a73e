"""How the admin looks, and its menu: what an organiser does, in the order of the conference."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override


def may_see(app_label: str, model: str) -> Callable[[HttpRequest], bool]:
    def permission(request: HttpRequest) -> bool:
        user = request.user
        return user.has_perm(f"{app_label}.view_{model}") or user.has_perm(f"{app_label}.change_{model}")

    return permission


def item(title: Any, icon: str, app_label: str, model: str, page: str = "changelist") -> dict[str, Any]:
    link = reverse_lazy(f"admin:{app_label}_{model}_{page}")
    return {
        "title": title,
        "icon": icon,
        "link": link,
        "permission": may_see(app_label, model),
        "active": is_open(app_label, model, page),
    }


# Pages that stand in the menu beside the list under whose address they are.
OWN_PAGES = {"board", "charts", "reports"}


def is_open(app_label: str, model: str, page: str) -> Callable[[HttpRequest], bool]:
    """Of the board and the log of mail one alone."""

    def active(request: HttpRequest) -> bool:
        folder = reverse(f"admin:{app_label}_{model}_changelist")
        if not request.path.startswith(folder):
            return False
        first = request.path.removeprefix(folder).partition("/")[0]
        return first == page if page in OWN_PAGES else first not in OWN_PAGES

    return active


def sees_numbers(request: HttpRequest) -> bool:
    return request.user.has_perm("registration.see_numbers")


def is_owner(request: HttpRequest) -> bool:
    return request.user.is_superuser


def admin_in(language: str) -> Callable[[HttpRequest], str]:
    def link(request: HttpRequest) -> str:
        with override(language):
            return reverse("admin:index")

    return link


NAVIGATION = [
    {
        "title": _("Overview"),
        "items": [
            {
                "title": _("Desk"),
                "icon": "dashboard",
                "link": reverse_lazy("admin:index"),
                "active": lambda request: request.path == reverse("admin:index"),
            },
            {
                "title": _("Charts"),
                "icon": "insert_chart",
                "link": reverse_lazy("admin:registration_figure_charts"),
                "permission": sees_numbers,
            },
            item(_("Reports"), "table_chart", "registration", "keptcount", page="reports")
            | {"permission": sees_numbers},
        ],
    },
    {
        "title": _("Edition and programme"),
        "separator": True,
        "items": [
            item(_("Editions"), "event", "conference", "edition"),
            item(_("Webinars"), "videocam", "conference", "webinar"),
            item(_("Agenda items"), "view_agenda", "conference", "agendaitem"),
            item(_("Speakers"), "record_voice_over", "conference", "speaker"),
            item(_("Materials"), "attach_file", "conference", "material"),
            item(_("Pages"), "article", "conference", "page"),
            item(_("Changes in the programme"), "history", "conference", "programmechange"),
        ],
    },
    {
        "title": _("People and registrations"),
        "separator": True,
        "items": [
            item(_("Registrations"), "how_to_reg", "registration", "registration"),
            item(_("Participants"), "groups", "registration", "participant"),
            item(_("Invitations"), "mail", "registration", "invitation"),
            item(_("Attendances"), "login", "registration", "attendance"),
            item(_("Feedback"), "reviews", "registration", "feedback"),
            item(_("Certificates"), "workspace_premium", "registration", "certificate"),
            item(_("Handovers"), "swap_horiz", "registration", "handover"),
            item(_("History"), "history", "registration", "event"),
        ],
    },
    {
        "title": _("Mail"),
        "separator": True,
        "items": [
            item(_("Announcements"), "campaign", "registration", "announcement"),
            item(_("Mail texts"), "edit_note", "registration", "mailtext"),
            item(_("Mail board"), "monitoring", "registration", "outgoingmail", page="board"),
            item(_("Mail log"), "outgoing_mail", "registration", "outgoingmail"),
            item(_("Addresses that bounce"), "unsubscribe", "registration", "bouncedaddress"),
            item(_("Bounces"), "undo", "registration", "bouncereport"),
        ],
    },
    {
        "title": _("Partners"),
        "separator": True,
        "items": [
            item(_("Organisations"), "corporate_fare", "conference", "organisation"),
            item(_("Partners' people"), "badge", "registration", "partnermember"),
            item(_("Downloads"), "download", "registration", "download"),
            item(_("Withdrawals"), "person_remove", "registration", "withdrawal"),
        ],
    },
    {
        "title": _("Connections"),
        "separator": True,
        "items": [
            item(_("Tokens of programs"), "vpn_key", "registration", "apitoken"),
            item(_("Webhooks"), "webhook", "registration", "webhookendpoint"),
            item(_("Webhook log"), "receipt_long", "registration", "webhookdelivery"),
        ],
    },
    {
        "title": _("Security"),
        "separator": True,
        "items": [
            item(_("Team"), "group_add", "registration", "roleinvitation", page="team"),
            item(_("Accounts"), "person", "registration", "user"),
            item(_("Groups"), "lock_person", "auth", "group"),
            item(_("Second factors"), "key", "mfa", "authenticator"),
            item(_("Consents"), "handshake", "registration", "consent"),
            item(_("Consent texts"), "contract", "registration", "consenttext"),
            item(_("Sensitive answers"), "visibility_lock", "registration", "sensitiveanswers"),
            item(_("Retention runs"), "auto_delete", "registration", "retentionrun"),
            item(_("Retention periods"), "hourglass_bottom", "registration", "retentionperiod"),
            item(_("Kept counts"), "bar_chart", "registration", "keptcount") | {"permission": is_owner},
            item(_("Data breaches"), "gpp_maybe", "registration", "breach"),
            item(_("Audit"), "policy", "registration", "auditentry"),
        ],
    },
]

# From the cloths: cotton to night, and mengkudu, the morinda red.
COTTON_TO_NIGHT = {
    "50": "#FBF6EC",
    "100": "#F5EDDF",
    "200": "#E8DCC8",
    "300": "#D3C5B2",
    "400": "#A5968A",
    "500": "#6F6259",
    "600": "#5F534B",
    "700": "#463B34",
    "800": "#332923",
    "900": "#261D18",
    "950": "#17120F",
}
MENGKUDU = {
    "50": "#FCF1EE",
    "100": "#F8E0DA",
    "200": "#F2C4B9",
    "300": "#EFA693",
    "400": "#F2917C",
    "500": "#C4503E",
    "600": "#8E2B1F",
    "700": "#7B241A",
    "800": "#641E16",
    "900": "#4E1913",
    "950": "#2C0D09",
}

UNFOLD = {
    "SITE_TITLE": _("KPT admin"),
    "SITE_HEADER": "KPT",
    "SITE_SUBHEADER": _("Organisers' room"),
    "SITE_URL": reverse_lazy("conference:home"),
    "SITE_SYMBOL": "diversity_3",
    "DASHBOARD_CALLBACK": "registration.admin.start.overview",
    "SHOW_BACK_BUTTON": True,
    "BORDER_RADIUS": "4px",
    "COLORS": {
        "base": COTTON_TO_NIGHT,
        "primary": MENGKUDU,
        "font": {
            "subtle-light": "var(--color-base-600)",
            "subtle-dark": "var(--color-base-300)",
            "default-light": "var(--color-base-700)",
            "default-dark": "var(--color-base-200)",
            "important-light": "var(--color-base-950)",
            "important-dark": "var(--color-base-50)",
        },
    },
    "STYLES": [lambda request: static("css/admin.css")],
    # The language comes from the path, so the other language is another address.
    "ACCOUNT": {
        "navigation": [
            {"title": "Bahasa Indonesia", "link": admin_in("id")},
            {"title": "English", "link": admin_in("en")},
            {"title": _("Second factor"), "link": reverse_lazy("mfa_index")},
            {"title": _("Where you are signed in"), "link": reverse_lazy("account_sessions")},
        ]
    },
    "SIDEBAR": {"show_search": True, "navigation": NAVIGATION},
}
