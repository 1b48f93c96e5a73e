"""The record of what staff and partners do with people's data: written with the deed, changed by nobody."""

from contextvars import ContextVar
from datetime import datetime

from django.db.models import Model

from conference.models import Organisation
from registration.models import AuditEntry, Participant, User

Action = AuditEntry.Action

# The network that the present request comes from. Rules take no request, and who acts from where is no part of a rule.
network: ContextVar[str] = ContextVar("network", default="")


def note(
    action: AuditEntry.Action,
    row: Model | type[Model],
    *,
    actor: User | None,
    now: datetime,
    participant: Participant | None = None,
    organisation: Organisation | None = None,
    webinar_id: int | None = None,
    rows: int | None = None,
    details: str = "",
) -> AuditEntry:
    """One deed on one row, or with a model's class on many. `organisation` is the partner for which it was done."""
    is_one = isinstance(row, Model)
    return AuditEntry.objects.create(
        at=now,
        actor=actor,
        actor_name=actor.email if actor else "",
        action=action,
        object_type=row._meta.label_lower,
        object_id=str(row.pk) if is_one else "",
        object_name=str(row)[:200] if is_one else "",
        participant_id=participant.pk if participant else None,
        organisation=organisation,
        webinar_id=webinar_id,
        rows=rows,
        details=details[:500],
        network=network.get(),
    )
