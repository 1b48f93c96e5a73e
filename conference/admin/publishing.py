"""Giving a preview away, and publishing: each step on a page of its own that says what it does."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone, translation
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe
from unfold.widgets import INPUT_CLASSES, UnfoldAdminRadioSelectWidget

from conference import previewing, publishing, sharing, timezones, views
from conference.admin.content import ContentAdmin, content_written
from conference.admin.steps import back_to, page


class OwnPagesAdmin(ContentAdmin):
    """Pages beneath one row's own: `steps` names them, each a method of (request, pk)."""

    steps = ()

    def get_urls(self):
        label = f"{self.opts.app_label}_{self.opts.model_name}"
        own = [
            path(f"<int:pk>/{name}/", self.admin_site.admin_view(getattr(self, name)), name=f"{label}_{name}")
            for name in self.steps
        ]
        return [*own, *super().get_urls()]

    def to_change(self, request, pk):
        """The row, for whoever may change it."""
        row = get_object_or_404(self.model, pk=pk)
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        return row

    def answer(self, request, row, words, level=messages.SUCCESS):
        return back_to(request, self, words, level, self.step_url(row))

    def too_late(self, request, row):
        words = _("Nothing has changed: another click, or another organiser, was faster.")
        return self.answer(request, row, words, messages.WARNING)

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if obj and obj.pk:
            context["panel"] = self.panel(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def panel(self, request, row):
        return {}


# ---- Previews for those without an account


class PreviewLinkAdmin(OwnPagesAdmin):
    steps = ("preview_link", "end_previews")
    change_form_outer_before_template = "admin/conference/panel.html"

    @method_decorator(require_safe)
    def preview_link(self, request, pk):
        row = self.to_change(request, pk)
        context = {
            **admin.site.each_context(request),
            "opts": self.opts,
            "title": _("Preview link"),
            "media": self.media,
            "row": row,
            "is_shown": previewing.is_shown(row),
            "links": preview_links(row),
            "until": timezones.moment(timezone.now() + previewing.AGE),
            "end": self.step_url(row, "end_previews"),
            "back": self.step_url(row),
        }
        return TemplateResponse(request, "admin/conference/preview_link.html", context)

    def as_preview(self, pk):
        """What is public already is shown as it is."""
        row = get_object_or_404(self.model, pk=pk)
        return None if previewing.is_shown(row) else views.Preview()

    @method_decorator(require_POST)
    def end_previews(self, request, pk):
        row = self.to_change(request, pk)
        previewing.end_links(row)
        return self.answer(request, row, _("The preview links that were given away work no more."))

    def panel(self, request, row):
        is_theirs = self.has_change_permission(request, row) and not previewing.is_shown(row)
        return super().panel(request, row) | ({"preview_link": self.step_url(row, "preview_link")} if is_theirs else {})


def preview_links(row):
    """In either language."""
    token, links = previewing.token(row), []
    for code, name in (("id", "Bahasa Indonesia"), ("en", "English")):
        with translation.override(code):
            links.append((name, sharing.full_address(reverse("conference:preview", args=[token]))))
    return links


# ---- Publishing


class PublishForm(forms.Form):
    when = forms.ChoiceField(
        label=_("When"),
        choices=[("now", _("Now")), ("later", _("At the hour below"))],
        initial="now",
        widget=UnfoldAdminRadioSelectWidget,
    )
    publish_at = forms.DateTimeField(
        label=_("Day and hour"),
        required=False,
        widget=forms.DateTimeInput(
            format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local", "class": " ".join(INPUT_CLASSES)}
        ),
        help_text=_("In WITA. Until then it stays a draft, and you can change everything."),
    )

    def clean(self):
        data = super().clean()
        if data.get("when") == "later" and "publish_at" not in self.errors:
            if not data.get("publish_at"):
                self.add_error("publish_at", _("Write the day and the hour."))
            elif data["publish_at"] <= timezone.now():
                self.add_error("publish_at", _("This hour has passed."))
        return data


class PublishingAdmin(PreviewLinkAdmin):
    """What the subclasses say: `words`, and which gaps a row has."""

    steps = (*PreviewLinkAdmin.steps, "publish", "unschedule", "unpublish")

    def may_publish(self, request, row):
        return self.has_change_permission(request, row)

    def to_publish(self, request, pk):
        row = self.to_change(request, pk)
        if not self.may_publish(request, row):
            raise PermissionDenied
        return row

    def gaps(self, request, row):
        """As (words, address, whether it holds up)."""
        return []

    def why_not_unpublish(self, row):
        """Asked while the row is locked. A sentence, or nothing."""
        return ""

    def before_change(self, row):
        """In the transaction of the deed, before it."""

    def state_changed(self, request, row):
        """In the transaction of the deed, after it."""

    def publish(self, request, pk):
        row = self.to_publish(request, pk)
        if publishing.is_public(row):
            return self.too_late(request, row)
        initial = {"when": "later", "publish_at": row.publish_at} if row.publish_at else {}
        form = PublishForm(request.POST or None, initial=initial)
        if form.is_valid():
            return self.published(request, row, form.cleaned_data)
        gaps = [words for words, _address, _holds_up in self.gaps(request, row)]
        lead = [_("As soon as it is public, everybody sees it on the site, in the agenda and in search engines.")]
        if gaps:
            lead.append(_("You can publish it all the same. This is still missing:"))
        back = self.step_url(row)
        return page(
            request, self, title=self.words["publish"], form=form, lead=lead, facts=gaps, send=_("Publish"), back=back
        )

    def published(self, request, row, data):
        if data["when"] == "later":
            publishing.schedule(row, data["publish_at"])
            words = _("It goes public by itself: %(moment)s.") % {"moment": timezones.moment(data["publish_at"])}
            return self.answer(request, row, words)
        return self.decided(request, row, publishing.publish, self.words["published"])

    @method_decorator(require_POST)
    def unschedule(self, request, pk):
        row = self.to_publish(request, pk)
        if not publishing.schedule(row, None):
            return self.too_late(request, row)
        return self.answer(request, row, _("It stays a draft until somebody publishes it."))

    def unpublish(self, request, pk):
        row = self.to_publish(request, pk)
        if not publishing.is_public(row):
            return self.too_late(request, row)
        if objection := self.why_not_unpublish(row):
            return self.answer(request, row, objection, messages.ERROR)
        lead = [_("Nobody finds it on the site any more, and its address leads nowhere. You can publish it again.")]
        return self.asked(
            request, row, publishing.unpublish, self.words["unpublished"], title=self.words["unpublish"], lead=lead
        )

    def asked(self, request, row, deed, done, *, title, lead, facts=()):
        """One button and no field; done when it is pressed."""
        if request.method == "POST":
            return self.decided(request, row, deed, done)
        return page(
            request,
            self,
            title=title,
            form=forms.Form(),
            lead=lead,
            facts=facts,
            send=title,
            back=self.step_url(row),
            is_final=True,
        )

    def decided(self, request, row, deed, words):
        with transaction.atomic():
            fresh = publishing.lock(row)
            objection = self.why_not_unpublish(fresh) if deed is publishing.unpublish else ""
            self.before_change(fresh)
            is_done = not objection and deed(fresh)
            if is_done:
                fresh.refresh_from_db()
                self.log_change(request, fresh, deed.__name__)
                self.state_changed(request, fresh)
        if objection:
            return self.answer(request, row, objection, messages.ERROR)
        if not is_done:
            return self.too_late(request, row)
        content_written()
        return self.answer(request, row, words)

    def panel(self, request, row):
        panel = super().panel(request, row)
        is_public, may = publishing.is_public(row), self.may_publish(request, row)
        gaps = self.gaps(request, row)
        return panel | {
            "state": self.state_in_words(row),
            "gaps": [{"words": words, "address": address, "holds_up": up} for words, address, up in gaps],
            "has_checklist": self.has_checklist(row),
            "deeds": self.deeds(row, is_public=is_public) if may else [],
            "unschedule": self.step_url(row, "unschedule") if may and row.publish_at and not is_public else "",
        }

    def state_in_list(self, row, words):
        """With the hour at which a draft goes public."""
        if not row.publish_at or publishing.is_public(row):
            return words
        return _("Draft until %(moment)s") % {"moment": timezones.moment(row.publish_at)}

    def has_checklist(self, row):
        return False

    def deeds(self, row, *, is_public):
        """The links of the buttons, as (words, address, variant)."""
        step = "unpublish" if is_public else "publish"
        variant = "default" if is_public else "primary"
        return [{"words": self.words[step], "address": self.step_url(row, step), "variant": variant}]

    def state_in_words(self, row):
        if publishing.is_public(row):
            return {"label": _("Public"), "type": "success", "words": _("Everybody sees it on the site.")}
        if row.publish_at:
            words = _("It goes public by itself: %(moment)s.") % {"moment": timezones.moment(row.publish_at)}
            return {"label": _("Scheduled"), "type": "warning", "words": words}
        return {"label": _("Draft"), "type": "info", "words": _("Only organisers and editors see it.")}
