"""The form of a page of the admin, filled in by a program: what is asked of an organiser is asked of a file too, and of
an earlier version; and who may not change a field by hand may not change it so either."""

import json

from django import forms
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper


def filled(model_admin, request, row, values):
    """Bound, with the row's own values where `values` say nothing. Files stay as they are."""
    form_class = form_of(model_admin, request, row)
    kept = form_class(instance=row) if row else form_class()
    data = {}
    for name, field in kept.fields.items():
        put(data, field.widget, name, field.prepare_value(values[name]) if name in values else kept[name].value())
    return form_class(data, {}, **({"instance": row} if row else {}))


def form_of(model_admin, request, row=None):
    return model_admin.get_form(request, row, change=row is not None)


def put(data, widget, name, value):
    """As the widget's part of a sent form."""
    if isinstance(widget, RelatedFieldWidgetWrapper):
        widget = widget.widget
    if isinstance(widget, forms.FileInput):
        return
    if isinstance(widget, forms.MultiWidget):
        parts = value if isinstance(value, list) else widget.decompress(value)
        for suffix, part, one in zip(widget.widgets_names, parts, widget.widgets, strict=True):
            put(data, one, f"{name}{suffix}", part)
    elif isinstance(value, dict):
        data[name] = json.dumps(value)
    else:
        data[name] = value


def is_sound(model_admin, form):
    if form.is_valid():
        model_admin.check_filled(form)
    return form.is_valid()


def save(model_admin, request, form, reason):
    """With all that follows when an organiser presses the button."""
    is_change = form.instance.pk is not None
    form.instance._change_reason = reason
    row = model_admin.save_form(request, form, is_change)
    model_admin.save_model(request, row, form, is_change)
    model_admin.save_related(request, form, [], is_change)
    told = model_admin.construct_change_message(request, form, [], add=not is_change)
    (model_admin.log_change if is_change else model_admin.log_addition)(request, row, told)
    return row


def problems(form):
    """(name of the field or nothing, words)."""
    return [(name if name != "__all__" else "", words) for name, list_ in form.errors.items() for words in list_]
