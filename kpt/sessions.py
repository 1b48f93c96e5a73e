"""Django's sessions in the database, with as few statements as they need: each costs a sign-up some of its time."""

from datetime import datetime
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import VALID_KEY_CHARS, CreateError, UpdateError
from django.db import IntegrityError
from django.utils.crypto import get_random_string

from registration import sessions
from registration.models import Session


class SessionStore(db.SessionStore):
    """Before a sign-in's new key is saved, `retired` is the key that it takes the place of."""

    retired: str | None = None

    @classmethod
    def get_model_class(cls) -> Any:
        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        """Whose it is and from where stands beside the data, written with it."""
        row: Any = super().create_model_instance(data)
        row.user_id = int(data[SESSION_KEY]) if SESSION_KEY in data else None
        row.device, row.network = data.get(sessions.DEVICE, ""), data.get(sessions.NETWORK, "")
        row.signed_in_at, row.seen_at = moment(data, sessions.SIGNED_IN), moment(data, sessions.SEEN)
        return row

    def _get_new_session_key(self) -> str:
        return get_random_string(32, VALID_KEY_CHARS)  # whether it is new is told by the insert

    def cycle_key(self) -> None:
        """The row gets its new key when the request saves it; from then on the old one opens nothing."""
        if self.session_key is None:
            super().cycle_key()
            return
        self.load_under_the_old_key()
        self.retired = self.retired or self.session_key
        self._session_key = self._get_new_session_key()
        self.modified = True

    def load_under_the_old_key(self) -> None:
        self.keys()

    def save(self, must_create: bool = False) -> None:
        if self.session_key is None:
            self.create()
            return
        row = self.create_model_instance(self._get_session(no_load=must_create))  # type: ignore[attr-defined]
        if must_create:
            self.insert(row)
            return
        known = self.model.objects.filter(session_key=self.retired or self.session_key)
        values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
        if not known.update(**values):
            raise UpdateError
        self.retired = None

    def insert(self, row: Any) -> None:
        try:
            row.save(force_insert=True)
        except IntegrityError as error:
            raise CreateError from error

    def delete(self, session_key: str | None = None) -> None:
        keys = [session_key] if session_key else [key for key in (self.session_key, self.retired) if key]
        if keys:
            self.model.objects.filter(session_key__in=keys).delete()


def moment(data: dict[str, Any], name: str) -> datetime | None:
    return datetime.fromisoformat(data[name]) if name in data else None
