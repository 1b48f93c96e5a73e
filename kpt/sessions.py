"""Django's sessions in the database, with as few statements as they need: each costs a sign-up some of its time."""

from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import VALID_KEY_CHARS, CreateError, UpdateError
from django.db import IntegrityError
from django.utils.crypto import get_random_string


class SessionStore(db.SessionStore):
    """Before a sign-in's new key is saved, `retired` is the key that it takes the place of."""

    retired: str | None = None

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
        row: Any = self.create_model_instance(self._get_session(no_load=must_create))  # type: ignore[attr-defined]
        if must_create:
            self.insert(row)
            return
        known = self.model.objects.filter(session_key=self.retired or self.session_key)
        values = {"session_key": row.session_key, "session_data": row.session_data, "expire_date": row.expire_date}
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
