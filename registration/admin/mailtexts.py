"""What mails say: organisers write their own words, look at them, send them to themselves, and go back."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from registration import audit, mailpreviews, mailtexts
from registration.admin.readonly import ReadOnlyAdmin
from registration.models import MailText, OutgoingMail
from registration.placeholders import VOCABULARIES
from registration.vocabulary import USUAL_SUBJECT

LANGUAGES = {"id": "Bahasa Indonesia", "en": "English"}
OUTRUN = _(
    "Somebody else has saved another text meanwhile: look at it under “Versions”, copy what you want to keep, and open "
    "this page anew."
)


class WordsForm(forms.Form):
    """A mail's words in one language. What goes out now stands in it, so that there is something to begin with."""

    subject = forms.CharField(label=_("Subject"), required=False, widget=UnfoldAdminTextInputWidget)
    body = forms.CharField(
        label=_("Text"), required=False, strip=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 22})
    )
    after = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, data=None, *, kind, language):
        self.kind, self.language = kind, language
        self.row = mailtexts.newest(kind, language)
        self.now = mailtexts.shown(self.row, kind, language)
        initial = {"subject": self.now[0], "body": self.now[1], "after": self.row.version if self.row else 0}
        super().__init__(data, prefix=language, initial=initial)
        for name in ("subject", "body"):
            self.fields[name].widget.attrs["lang"] = language

    @property
    def name(self):
        return LANGUAGES[self.language]

    @property
    def is_shipped(self):
        return not (self.row and self.row.body)

    @property
    def words(self):
        """As they stand in the fields."""
        return self.typed if self.is_bound else self.now

    @property
    def is_changed(self):
        return self.words != self.now

    def to_be_shown(self):
        """None: nobody has touched the shipped text."""
        return None if self.is_shipped and not self.is_changed else self.words

    def clean(self):
        subject, body = (self.cleaned_data.get(name) or "" for name in ("subject", "body"))
        self.typed = subject, body.replace("\r\n", "\n").strip()
        if self.is_changed and not self.errors:
            found = mailtexts.problems(self.kind, *self.words)
            for name, words in (("subject", found.subject), ("body", found.body)):
                for problem in words:
                    self.add_error(name, problem)

    def begin_with_shipped(self):
        self.data = self.data.copy()
        self.data[self.add_prefix("subject")], self.data[self.add_prefix("body")] = mailtexts.starting(
            self.kind, self.language
        )


@admin.register(MailText)
class MailTextAdmin(ReadOnlyAdmin):
    """A row is a version; a page is a kind of mail."""

    list_select_related = ["created_by"]

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("kind/<slug:kind>/", view(self.edit), name="registration_mailtext_edit"),
            path("<int:pk>/restore/", view(self.restore), name="registration_mailtext_restore"),
            *super().get_urls(),
        ]

    def may_write(self, request):
        return request.user.has_perm("registration.change_mailtext")

    def page(self, request, template, title, **context):
        context |= {**self.admin_site.each_context(request), "opts": self.opts, "title": title, "media": self.media}
        context["may_write"] = self.may_write(request)
        return TemplateResponse(request, f"admin/registration/mailtext/{template}.html", context)

    # ---- All kinds

    def changelist_view(self, request, extra_context=None):
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = {(row.kind, row.language): row for row in MailText.objects.newest().select_related("created_by")}
        kinds = [
            {
                "name": OutgoingMail.Kind(kind).label,
                "when": vocabulary.when,
                "link": reverse("admin:registration_mailtext_edit", args=[kind]),
                "states": [(name, rows.get((kind, language))) for language, name in LANGUAGES.items()],
            }
            for kind, vocabulary in VOCABULARIES.items()
        ]
        return self.page(request, "kinds", _("Mail texts"), kinds=kinds)

    # ---- One kind

    def edit(self, request, kind):
        if kind not in VOCABULARIES:
            raise Http404
        if not self.has_view_permission(request):
            raise PermissionDenied
        sides = [WordsForm(request.POST or None, kind=kind, language=language) for language in LANGUAGES]
        step, _dash, language = request.POST.get("_step", "").partition("-")
        meant = next((side for side in sides if side.language == language), None)
        if meant is None and step in ("start", "test", "shipped"):
            raise Http404
        if step == "start":
            meant.begin_with_shipped()
        wrong = [side for side in sides if side.is_bound and not side.is_valid()]
        if step in ("save", "test", "shipped"):
            if not self.may_write(request):
                raise PermissionDenied
            done = {"save": self.save, "test": self.send_test, "shipped": self.back_to_shipped}[step]
            if (step == "shipped" or not wrong) and done(request, kind, meant or sides):
                return HttpResponseRedirect(reverse("admin:registration_mailtext_edit", args=[kind]))
        return self.page(request, "edit", OutgoingMail.Kind(kind).label, **self.of_kind(request, kind, sides))

    def of_kind(self, request, kind, sides):
        vocabulary = VOCABULARIES[kind]
        asked_for = (request.POST or request.GET).get("person", "")
        may_see = request.user.has_perm("registration.view_participant")
        if person := mailpreviews.find(asked_for) if may_see else None:
            audit.look(person, actor=request.user, now=timezone.now())
        looks = [look(kind, side, person) for side in sides]
        return {
            "kind": kind,
            "when": vocabulary.when,
            "sides": list(zip(sides, looks, strict=True)),
            "placeholders": explained(vocabulary),
            "conditions": [(f"{{{name}}}", entry.explanation) for name, entry in vocabulary.conditions.items()],
            "usual_subject": f"{{{USUAL_SUBJECT}}}",
            "example": f"{{{next(iter(vocabulary.conditions), '')}}}",
            "asked_for": asked_for,
            "may_see": may_see,
            "is_unknown": bool(asked_for.strip()) and person is None,
            "person": person,
            "versions": MailText.objects.filter(kind=kind).select_related("created_by").order_by("-created_at", "-pk"),
        }

    def save(self, request, kind, sides):
        changed = [side for side in sides if side.is_changed]
        if not changed:
            self.message_user(request, _("Nothing has changed."), messages.INFO)
            return True
        try:
            with transaction.atomic():
                for side in changed:
                    after, (subject, body) = side.cleaned_data["after"], side.words
                    mailtexts.save(
                        kind, side.language, subject, body, after=after, actor=request.user, now=timezone.now()
                    )
        except mailtexts.Outrun:
            self.message_user(request, OUTRUN, messages.ERROR)
            return False
        for side in changed:
            words = _("The %(language)s text is saved and counts from now on.")
            self.message_user(request, words % {"language": side.name}, messages.SUCCESS)
        return True

    def send_test(self, request, kind, side):
        """Leaves the fields as they are: nothing is saved yet."""
        to = request.user.email
        try:
            mailpreviews.send_test(kind, side.language, side.to_be_shown(), to=to, now=timezone.now())
        except (mailtexts.Broken, OSError) as error:
            words = _("The test could not be sent: %(error)s")
            self.message_user(request, words % {"error": error}, messages.ERROR)
        else:
            words = _("A test is on its way to %(address)s, with a made-up person.")
            self.message_user(request, words % {"address": to}, messages.SUCCESS)
        return False

    def back_to_shipped(self, request, kind, side):
        after = side.row.version if side.row else 0
        try:
            mailtexts.back_to_shipped(kind, side.language, after=after, actor=request.user, now=timezone.now())
        except mailtexts.Outrun:
            self.message_user(request, OUTRUN, messages.ERROR)
            return False
        words = _("The shipped %(language)s text counts again. The former one stays among the versions.")
        self.message_user(request, words % {"language": side.name}, messages.SUCCESS)
        return True

    # ---- One version

    def change_view(self, request, object_id, form_url="", extra_context=None):
        row = get_object_or_404(MailText.objects.select_related("created_by"), pk=object_id)
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        versions = MailText.objects.filter(kind=row.kind, language=row.language)
        former = versions.filter(version__lt=row.version).order_by("-version").first()
        latest = versions.order_by("-version").first()
        return self.page(
            request,
            "version",
            _("%(kind)s: version %(number)d") % {"kind": row.get_kind_display(), "number": row.version},
            row=row,
            language=LANGUAGES[row.language],
            former=former,
            changes=changes(former, row),
            is_latest=row == latest,
            way_back=None if row == latest else changes(latest, row),
            back=reverse("admin:registration_mailtext_edit", args=[row.kind]),
        )

    @method_decorator(require_POST)
    def restore(self, request, pk):
        row = get_object_or_404(MailText, pk=pk)
        if not self.may_write(request):
            raise PermissionDenied
        try:
            mailtexts.restore(row, actor=request.user, now=timezone.now())
        except mailtexts.Broken as error:
            words = _("This version can't be used any more: %(reason)s")
            self.message_user(request, words % {"reason": error}, messages.ERROR)
        except mailtexts.Outrun:
            self.message_user(request, OUTRUN, messages.ERROR)
        else:
            words = _("Version %(number)d counts again, as the newest version.")
            self.message_user(request, words % {"number": row.version}, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:registration_mailtext_edit", args=[row.kind]))


def look(kind, side, person):
    """How the mail looks with what stands in the fields, or why it can't be shown."""
    now = timezone.now()
    facts = mailpreviews.facts_about(person, kind, side.language, now=now) if person else None
    sample = facts is None
    facts = facts or mailpreviews.sample(kind, side.language, now=now)
    try:
        preview = mailpreviews.preview(kind, side.language, side.to_be_shown(), facts)
    except mailtexts.Broken as error:
        return {"preview": None, "error": str(error), "is_sample": sample}
    return {"preview": preview, "is_sample": sample}


def explained(vocabulary):
    return [
        {
            "name": f"{{{name}}}",
            "explanation": entry.explanation,
            "is_block": entry.value is None,
            "is_link": entry.is_link,
            "is_required": entry.is_required,
        }
        for name, entry in vocabulary.placeholders.items()
    ]


def changes(before, after):
    was = mailtexts.shown(before, after.kind, after.language)
    becomes = mailtexts.shown(after, after.kind, after.language)
    return [mailtexts.difference(*pair) for pair in zip(was, becomes, strict=True)]
