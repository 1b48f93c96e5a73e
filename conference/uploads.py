"""The files of portraits and logos leave the disk with the last row that names them."""

from collections.abc import Iterable
from functools import partial

from django.core.files.storage import default_storage
from django.db import models, transaction

from conference.models import Organisation, Speaker

FIELDS: dict[type[models.Model], str] = {Speaker: "photo", Organisation: "logo"}


def named_by(rows: "models.QuerySet[models.Model]") -> list[str]:
    """To be asked before they change or go."""
    field = FIELDS.get(rows.model)
    return list(rows.exclude(**{field: ""}).values_list(field, flat=True)) if field else []


def forget_unused(names: Iterable[str]) -> None:
    """Once it is committed that no row shows them; what is still shown elsewhere stays."""
    if names := list(names):
        transaction.on_commit(partial(remove_unused, names), robust=True)


def remove_unused(names: Iterable[str]) -> None:
    for name in names:
        if not any(model._default_manager.filter(**{field: name}).exists() for model, field in FIELDS.items()):
            default_storage.delete(name)
