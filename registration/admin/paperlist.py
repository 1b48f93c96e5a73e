"""The page of a list from paper: every row is looked at by the form for one person, and all are signed up or none."""

import functools
from dataclasses import dataclass, field

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone, translation
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from conference import spreadsheets
from conference.admin.tables import MOST_SHOWN, download, file_field, kept_in_page, sent_again
from conference.models import Edition, Webinar
from conference.spreadsheets import Unreadable
from registration import addresses, audit, care, desk, files, groupfile, paperlist, seats
from registration.admin.desk import LANGUAGES, SignUpForm
from registration.admin.readonly import ReadOnlyAdmin
from registration.forms import PersonForm
from registration.models import Participant, Registration, User

SALT = "kpt.paperlist"
WRITERS = {"csv": paperlist.csv_of, "xlsx": paperlist.xlsx_of}


class ListForm(forms.Form):
    file = file_field(
        _("CSV or Excel (.xlsx), at most 1,000 people and 1 MB. Nobody is signed up before you have seen it.")
    )
    webinars = forms.MultipleChoiceField(
        label=_("Webinars"),
        required=False,
        help_text=_("For everybody whose row names no webinar."),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    carer = forms.EmailField(
        label=_("Whose account gets the mail of those without an address"),
        required=False,
        help_text=_("The email of an account that exists already. Left empty it is your own account."),
        widget=UnfoldAdminEmailInputWidget,
    )
    language = forms.ChoiceField(
        label=_("Language of their mails"), choices=LANGUAGES, initial="id", widget=UnfoldAdminSelectWidget
    )
    note = forms.CharField(
        label=_("Where their consents are kept"),
        max_length=280,
        help_text=_("Such as: attendance list of 12 May, folder Kupang. It stands in the history of each."),
        error_messages={"required": _("Write where their consents are kept.")},
        widget=UnfoldAdminTextInputWidget,
    )

    def __init__(self, *args, actor, webinars, **kwargs):
        super().__init__(*args, **kwargs)
        self.actor = actor
        self.fields["webinars"].choices = [(str(webinar.pk), webinar.title) for webinar in webinars]

    def clean_carer(self):
        email = self.cleaned_data["carer"]
        self.carer = User.objects.filter(email_key=addresses.key(email)).first() if email else self.actor
        if self.carer is None:
            raise forms.ValidationError(_("There is no account of this address."))
        return email


class RowForm(SignUpForm):
    """As for one person, without its page."""

    def __init__(self, *args, actor, webinars, known, **kwargs):
        PersonForm.__init__(self, *args, **kwargs)
        self.actor, self.known = actor, known
        self.open_webinars = webinars
        self.fields["webinars"].choices = [(str(webinar.pk), webinar.title) for webinar in webinars]
        hosts = {str(host.pk): host.name for webinar in webinars for host in webinar.hosts.all()}
        self.fields["consent_partners"].choices = list(hosts.items())
        self.speak_of_her()

    def check_carer(self):
        self.carer = self.actor

    def check_known(self):
        """An address that is somebody else's is a slip, or two people's: neither is for a list."""
        name = self.known.get(addresses.key(self.cleaned_data.get("email") or ""), "")
        if name and name.casefold() != self.cleaned_data.get("name", "").casefold():
            words = _("This address belongs to %(name)s. Correct it, or sign this person up by hand.")
            self.add_error("email", forms.ValidationError(words, params={"name": name}))


@dataclass
class Line:
    number: int
    row: dict
    form: RowForm
    more: list = field(default_factory=list)

    @property
    def errors(self):
        told = [(paperlist.LABELS.get(name, ""), words) for name, list_ in self.form.errors.items() for words in list_]
        return [*told, *self.more]


@dataclass
class Sheet:
    lines: list
    unknown: list
    about_all: list = field(default_factory=list)

    @property
    def wrong(self):
        return [line for line in self.lines if line.errors]

    def batch(self, now):
        forms_ = [line.form for line in self.lines]
        with_address = [form.answers(now=now) for form in forms_ if form.cleaned_data["email"]]
        return desk.Batch(with_address, [form.entry() for form in forms_ if not form.cleaned_data["email"]])


def look_into(content, facts, actor, carer, webinars):
    """Every row by its form, and then by the rules that hold between rows. Raises Unreadable."""
    grid = spreadsheets.read(content, paperlist.LIMITS)
    listed = groupfile.listed(grid, paperlist.COLUMNS, paperlist.MOST_PEOPLE)
    known = known_names(listed.rows)
    lines = []
    for number, row in zip(listed.numbers, listed.rows, strict=True):
        data = paperlist.form_data(row, webinars, facts["webinars"]) | {key: facts[key] for key in ("note", "language")}
        form = RowForm(groupfile.as_post(data), actor=actor, webinars=webinars, known=known)
        for name, words in groupfile.misread(row):
            form.errors.pop(name, None)
            form.add_error(name, words)
        lines.append(Line(number, row, form))
    sheet = Sheet(lines, listed.unknown)
    find_twice(sheet)
    find_problems(sheet, carer)
    return sheet


def known_names(rows):
    keys = {addresses.key(row["email"]) for row in rows if row.get("email")}
    return dict(Participant.objects.filter(email_key__in=keys).values_list("email_key", "name"))


def find_twice(sheet):
    seen = {}
    for line in sheet.lines:
        key = addresses.key(line.row["email"]) if line.row.get("email") else ""
        if key and key in seen:
            line.more.append((_("Email"), _("Row %(row)d has this address already.") % {"row": seen[key]}))
        seen.setdefault(key, line.number)


def find_problems(sheet, carer):
    lines = [line for line in sheet.lines if not line.errors and not line.form.cleaned_data["email"]]
    for problem in care.problems(carer, [line.form.entry() for line in lines]):
        if problem.place is None:
            words = _("One account has the care of %(most)d people without an address at most. Divide the list.")
            sheet.about_all.append(words % {"most": settings.PEOPLE_PER_CARER})
        else:
            told = IN_A_LIST.get(problem.field, problem.words)
            lines[problem.place].more.append((paperlist.LABELS.get(problem.field, ""), told))


# Of those without an address: what stands against them can be decided by hand alone.
IN_A_LIST = {
    "name": _(
        "This name is in the same care or in the list already. Take the line out, or sign this person up by hand."
    ),
    "phone": _(
        "Another person without an address has this number. Leave the cell empty, or sign this person up by hand."
    ),
}


def seats_wanted(sheet, webinars):
    """(webinar, how many are wanted, how many are left or None)."""
    chosen = [pk for line in sheet.lines for pk in line.form.cleaned_data.get("webinars", [])]
    left = seats.left_by_webinar(webinars)
    counted = [(webinar, chosen.count(str(webinar.pk)), left[webinar.pk]) for webinar in webinars]
    return [(webinar, wanted, free, free is not None and wanted > free) for webinar, wanted, free in counted if wanted]


class PaperListAdmin(ReadOnlyAdmin):
    actions_list = ["paper_list"]

    def get_urls(self):
        own = path(
            "paper-list/<int:webinar>/<str:format>/",
            self.admin_site.admin_view(self.paper_list_file),
            name="registration_registration_paper_list_file",
        )
        return [own, *super().get_urls()]

    def has_paper_list_permission(self, request):
        return request.user.has_perm("registration.add_registration")

    @action(description=_("Import a list from paper"), url_path="paper-list", permissions=["paper_list"])
    def paper_list(self, request):
        if not self.has_paper_list_permission(request):
            raise PermissionDenied
        edition = Edition.objects.current()
        webinars = edition.open_webinars(timezone.now()) if edition else []
        if request.method == "POST" and "kept" in request.POST:
            return self.write_paper_list(request, webinars)
        sent = (request.POST, request.FILES) if request.method == "POST" else ()
        form = ListForm(*sent, actor=request.user, webinars=webinars)
        if form.is_bound and form.is_valid():
            content = form.cleaned_data["file"].read(paperlist.LIMITS.largest + 1)
            facts = {name: form.cleaned_data[name] for name in ("webinars", "language", "note")}
            try:
                sheet = look_into(content, facts, request.user, form.carer, webinars)
                return self.show_sheet(request, sheet, content, facts | {"carer": form.carer.pk}, webinars)
            except Unreadable as error:
                form.add_error("file", str(error))
        return self.start_page(request, form, webinars)

    def start_page(self, request, form, webinars):
        rows = Webinar.objects.published().filter(edition=Edition.objects.current()).in_order()
        exports = [
            (
                webinar,
                {
                    format: reverse("admin:registration_registration_paper_list_file", args=[webinar.pk, format])
                    for format in WRITERS
                },
            )
            for webinar in (rows if request.user.has_perm(files.RIGHT) else [])
        ]
        facts = {"form": form, "columns": paperlist.COLUMNS, "exports": exports, "is_open": bool(webinars)}
        return self.paper_page(request, "start", **facts)

    def show_sheet(self, request, sheet, content, facts, webinars, words=""):
        is_sound = not sheet.wrong and not sheet.about_all
        context = {
            "sheet": sheet,
            "wrong": sheet.wrong[:MOST_SHOWN],
            "wrong_rows": len(sheet.wrong) + len(sheet.about_all),
            "most": MOST_SHOWN,
            "wanted": seats_wanted(sheet, webinars),
            "kept": kept_in_page([request.user.pk, facts], content, SALT) if is_sound else "",
            "words": words,
        }
        return self.paper_page(request, "preview", **context)

    def write_paper_list(self, request, webinars):
        start = HttpResponseRedirect(reverse("admin:registration_registration_paper_list"))
        told, content = sent_again(request.POST["kept"], SALT)
        if not told or told[0] != request.user.pk:
            self.message_user(
                request, _("The file did not arrive whole, or too late. Choose it once more."), messages.ERROR
            )
            return start
        facts, now = told[1], timezone.now()
        carer = get_object_or_404(User, pk=facts["carer"])
        sheet = look_into(content, facts, request.user, carer, webinars)
        again = functools.partial(self.show_sheet, request, sheet, content, facts, webinars)
        if sheet.wrong or sheet.about_all:
            return again(_("Something has changed meanwhile. Look at it once more."))
        try:
            words = {name: facts[name] for name in ("language", "note")}
            changed = desk.sign_up_all(sheet.batch(now), carer=carer, actor=request.user, now=now, **words)
        except care.Refused as refused:
            return again(" ".join(problem.words for problem in refused.problems))
        self.message_user(request, outcome(sheet, changed), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:registration_registration_changelist"))

    @method_decorator(require_safe)
    def paper_list_file(self, request, webinar, format):
        if not (self.has_paper_list_permission(request) and request.user.has_perm(files.RIGHT)):
            raise PermissionDenied
        if format not in WRITERS:
            raise Http404
        webinar = get_object_or_404(Webinar, pk=webinar)
        rows = paperlist.rows(webinar)
        if len(rows) > paperlist.MOST_PEOPLE:
            words = _("“%(webinar)s” has more than 1,000 people: take its file from the list of registrations.")
            self.message_user(request, words % {"webinar": webinar.title}, messages.WARNING)
            return HttpResponseRedirect(reverse("admin:registration_registration_paper_list"))
        facts = {"actor": request.user, "now": timezone.now(), "webinar_id": webinar.pk, "rows": len(rows)}
        names = ", ".join(paperlist.LABELS)
        audit.note(audit.Action.DOWNLOADED, Registration, details=names, **facts)
        name = f"kpt-{webinar.slug}-{timezone.localdate():%Y-%m-%d}.{format}"
        return download(WRITERS[format](rows), name)

    def paper_page(self, request, step, **facts):
        context = {
            **admin.site.each_context(request),
            "opts": self.opts,
            "title": _("Import a list from paper"),
            "media": self.media,
            "start": reverse("admin:registration_registration_paper_list"),
            "back": reverse("admin:registration_registration_changelist"),
            "language": translation.get_language(),
            **facts,
        }
        return TemplateResponse(request, f"admin/registration/registration/paper_{step}.html", context)


def outcome(sheet, changed):
    number, waits = len(sheet.lines), sum(row.is_waitlisted for row in changed)
    words = ngettext("%d person is in.", "%d people are in.", number) % number
    if waits:
        words += " " + ngettext("%d place is on a waiting list.", "%d places are on waiting lists.", waits) % waits
    return words
