from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from conference.models import Edition, Webinar


class Figure(models.Model):
    """How many people, counted anew by `statistics.refresh`: in all and by each coarse answer, without a person behind it."""

    class Dimension(models.TextChoices):
        ALL = "all", _("all")
        GENDER = "gender", _("gender")
        AGE_GROUP = "age_group", _("age group")
        PROVINCE = "province", _("province")
        ORGANISATION_KIND = "organisation_kind", _("kind of organisation")
        LANGUAGE = "language", _("language")
        DAY = "day", _("day of signing up")

    edition = models.ForeignKey(Edition, models.CASCADE, related_name="figures", verbose_name=_("edition"))
    webinar = models.ForeignKey(
        Webinar,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="figures",
        verbose_name=_("webinar"),
        help_text=_("Empty: each person once over the edition."),
    )
    dimension = models.CharField(_("counted by"), max_length=20, choices=Dimension)
    value = models.CharField(
        _("answer"), max_length=12, blank=True, help_text=_("Of a day its date in Makassar: in an edition her first.")
    )
    signed_up = models.PositiveIntegerField(_("signed up"), help_text=_("Whatever has become of it."))
    registered = models.PositiveIntegerField(_("registered"), help_text=_("Has a seat, or was there."))
    waiting = models.PositiveIntegerField(_("waiting"))
    cancelled = models.PositiveIntegerField(_("cancelled"))
    attended = models.PositiveIntegerField(_("attended"))
    # What whoever sees no person may see: by the rule of the reports, so that the two can't be compared.
    shown_registered = models.PositiveIntegerField(
        _("registered, without small numbers"), null=True, blank=True, help_text=_("Empty: hidden.")
    )
    shown_attended = models.PositiveIntegerField(
        _("attended, without small numbers"), null=True, blank=True, help_text=_("Empty: hidden.")
    )

    class Meta:
        verbose_name = _("figure")
        verbose_name_plural = _("figures")
        constraints = [
            models.UniqueConstraint(
                fields=["edition", "webinar", "dimension", "value"], nulls_distinct=False, name="figure_once"
            ),
            models.CheckConstraint(
                condition=Q(attended__lte=F("registered"), registered__lte=F("signed_up")), name="figure_in_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.edition} · {self.get_dimension_display()} · {self.value}"


class KeptDay(models.Model):
    """How many of those whose data is gone had signed up on a day. Added with `KeptCount`, by the same rule."""

    edition = models.ForeignKey(Edition, models.CASCADE, related_name="kept_days", verbose_name=_("edition"))
    webinar = models.ForeignKey(
        Webinar, models.CASCADE, null=True, blank=True, related_name="kept_days", verbose_name=_("webinar")
    )
    day = models.DateField(_("day"))
    registered = models.PositiveIntegerField(_("registered"))

    class Meta:
        verbose_name = _("kept day")
        verbose_name_plural = _("kept days")
        constraints = [
            models.UniqueConstraint(fields=["edition", "webinar", "day"], nulls_distinct=False, name="kept_day_once"),
        ]

    def __str__(self) -> str:
        return f"{self.edition} · {self.day}"


class Counting(models.Model):
    """The latest counting of all figures: when, how long it took, and how the tables stood before it. One row."""

    counted_at = models.DateTimeField(_("counted at"))
    seconds = models.FloatField(_("seconds it took"))
    marks = models.CharField(_("state of the tables"), max_length=300)

    class Meta:
        verbose_name = _("counting")
        verbose_name_plural = _("countings")

    def __str__(self) -> str:
        return f"{self.counted_at:%Y-%m-%d %H:%M}"
