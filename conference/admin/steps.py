"""The page before a deed: what will happen, and a form or a button. Registration's deeds are asked in the same way."""

from django.contrib import admin
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse


def page(request, model_admin, *, title, form, lead=(), facts=(), send, back, is_final=False, hidden=()):
    """One form of ours in the admin's frame. `hidden` are fields that a list's action is repeated with."""
    context = {
        **admin.site.each_context(request),
        "opts": model_admin.opts,
        "title": title,
        "form": form,
        "media": model_admin.media,
        "lead": lead,
        "facts": facts,
        "send": send,
        "back": back,
        "is_final": is_final,
        "hidden": hidden,
    }
    return TemplateResponse(request, "admin/conference/step.html", context)


def back_to(request, model_admin, words, level, url):
    model_admin.message_user(request, words, level)
    return HttpResponseRedirect(url)
