from django.conf import settings
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils.translation import gettext_lazy as _


class Session(AbstractBaseSession):
    """Django's, with whose it is and from where beside the data, so that she and an owner can find it and end it."""

    # Without a constraint: a sign-up would wait for the account's row. Those of accounts that are gone are swept up.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, null=True, db_constraint=False, related_name="sessions"
    )
    device = models.CharField(_("device"), max_length=60, blank=True)
    network = models.CharField(_("network"), max_length=45, blank=True)
    signed_in_at = models.DateTimeField(_("signed in at"), null=True)
    seen_at = models.DateTimeField(_("last seen at"), null=True)

    class Meta(AbstractBaseSession.Meta):
        verbose_name = _("session")  # type: ignore[assignment]
        verbose_name_plural = _("sessions")  # type: ignore[assignment]
