"""What a person agreed to, what is asked with more care, and what becomes of her data in the end."""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from conference.models import Edition, Organisation, Webinar
from registration import regions
from registration.models.mail import OutgoingMail
from registration.models.people import Participant, User


class SensitiveAnswers(models.Model):
    """Washington Group Short Set and access needs: own consent, own earlier deletion, never in a partner's file."""

    class Difficulty(models.TextChoices):
        NONE = "none", _("No difficulty")
        SOME = "some", _("Some difficulty")
        A_LOT = "a_lot", _("A lot of difficulty")
        CANNOT = "cannot", _("Cannot do at all")
        UNDISCLOSED = "undisclosed", _("Rather not say")

    class Need(models.TextChoices):
        SIGN_LANGUAGE = "sign_language", _("Sign language interpretation")
        CAPTIONS = "captions", _("Captions")
        SCREEN_READER = "screen_reader", _("Files that a screen reader can read")
        COMPANION = "companion", _("A person who assists me")

    # The six domains of the Washington Group Short Set, in its order.
    DOMAINS = ("seeing", "hearing", "walking", "remembering", "self_care", "communicating")

    participant = models.OneToOneField(
        Participant, models.CASCADE, related_name="sensitive_answers", verbose_name=_("participant")
    )
    seeing = models.CharField(_("seeing"), max_length=12, choices=Difficulty, blank=True)
    hearing = models.CharField(_("hearing"), max_length=12, choices=Difficulty, blank=True)
    walking = models.CharField(_("walking or climbing steps"), max_length=12, choices=Difficulty, blank=True)
    remembering = models.CharField(_("remembering or concentrating"), max_length=12, choices=Difficulty, blank=True)
    self_care = models.CharField(_("self-care"), max_length=12, choices=Difficulty, blank=True)
    communicating = models.CharField(_("communicating"), max_length=12, choices=Difficulty, blank=True)
    needs = ArrayField(
        models.CharField(max_length=20, choices=Need), verbose_name=_("access needs"), default=list, blank=True
    )
    access_needs = models.TextField(_("other access needs"), blank=True)
    delete_on = models.DateField(_("delete on"))

    class Meta:
        verbose_name = _("sensitive answers")
        verbose_name_plural = _("sensitive answers")

    def __str__(self) -> str:
        return str(self.participant)


class ConsentText(models.Model):
    """A consent's wording as people saw it; never changed, since consents refer to it."""

    purpose = models.CharField(_("purpose"), max_length=12)
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    version = models.CharField(_("version"), max_length=20, help_text=_("The first signs of the text's own digest."))
    text = models.TextField(_("text"))
    columns = ArrayField(
        models.CharField(max_length=20),
        verbose_name=_("columns of the list that it names"),
        default=list,
        blank=True,
        help_text=_("A partner's list says no more of a person than her text names."),
    )
    first_shown_at = models.DateTimeField(_("first agreed to at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("consent text")
        verbose_name_plural = _("consent texts")
        constraints = [
            models.UniqueConstraint(fields=["purpose", "language", "version"], name="consent_text_once"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} · {self.language} · {self.version}"


class ConsentQuerySet(models.QuerySet["Consent"]):
    def in_force(self) -> "ConsentQuerySet":
        return self.filter(withdrawn_at=None)


class Consent(models.Model):
    class Purpose(models.TextChoices):
        PROCESSING = "processing", _("Take part in the conference")
        PARTNER = "partner", _("Share with a partner organisation")
        GUARDIAN = "guardian", _("Guardian's consent for a person under 18")
        SENSITIVE = "sensitive", _("Answers about difficulties and access needs")
        NEWS = "news", _("News about later conferences")

    participant = models.ForeignKey(Participant, models.CASCADE, related_name="consents", verbose_name=_("participant"))
    purpose = models.CharField(_("purpose"), max_length=12, choices=Purpose)
    organisation = models.ForeignKey(
        "conference.Organisation",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="consents",
        verbose_name=_("organisation"),
    )
    version = models.CharField(_("version of the text"), max_length=20)
    text = models.ForeignKey(
        ConsentText, models.PROTECT, null=True, blank=True, related_name="consents", verbose_name=_("text")
    )
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    granted_at = models.DateTimeField(_("granted at"))
    withdrawn_at = models.DateTimeField(_("withdrawn at"), null=True, blank=True)

    objects = ConsentQuerySet.as_manager()

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints = [
            models.UniqueConstraint(
                fields=["participant", "purpose", "organisation"],
                condition=Q(withdrawn_at=None),
                nulls_distinct=False,
                name="consent_once_in_force",
            ),
            models.CheckConstraint(
                condition=Q(purpose="partner", organisation__isnull=False)
                | (~Q(purpose="partner") & Q(organisation=None)),
                name="consent_partner_names_organisation",
            ),
        ]
        indexes = [
            models.Index(fields=["-granted_at", "-id"], name="consent_list"),
            models.Index(fields=["purpose", "-granted_at", "-id"], name="consent_list_purpose"),
        ]

    def __str__(self) -> str:
        return f"{self.participant} · {self.get_purpose_display()}"


class Withdrawal(models.Model):
    """A person who must leave an organisation's files: it had downloaded her before she took her consent back."""

    organisation = models.ForeignKey(
        Organisation, models.CASCADE, related_name="withdrawals", verbose_name=_("organisation")
    )
    webinar = models.ForeignKey(Webinar, models.CASCADE, related_name="withdrawals", verbose_name=_("webinar"))
    # Not a foreign key: the person may be deleted altogether.
    registration_code = models.CharField(_("registration code"), max_length=12)
    withdrawn_at = models.DateTimeField(_("withdrawn at"))
    done_at = models.DateTimeField(_("removed at"), null=True, blank=True)
    done_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, verbose_name=_("removed by"))

    class Meta:
        verbose_name = _("withdrawal")
        verbose_name_plural = _("withdrawals")
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "registration_code"],
                condition=Q(done_at=None),
                name="withdrawal_open_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} · {self.registration_code}"


class RetentionPeriod(models.Model):
    """How long one kind of data is kept."""

    class Kind(models.TextChoices):
        SENSITIVE = "sensitive", _("Answers about difficulties and access needs")
        MAIL_TEXT = "mail_text", _("Text of mails as sent")
        PERSON = "person", _("Participants and their registrations")
        HISTORY = "history", _("Steps in a person's history")
        DOWNLOAD = "download", _("Record of partners' downloads")
        AUDIT = "audit", _("Names in the record of who did what")

    kind = models.CharField(_("kind of data"), max_length=12, choices=Kind, unique=True)
    days = models.PositiveIntegerField(_("days"), help_text=_("Counted from the day given in the list."))

    class Meta:
        verbose_name = _("retention period")
        verbose_name_plural = _("retention periods")
        constraints = [models.CheckConstraint(condition=Q(days__gte=1), name="retention_period_positive")]

    def __str__(self) -> str:
        return self.get_kind_display()


class RetentionRunQuerySet(models.QuerySet["RetentionRun"]):
    def open(self) -> "RetentionRunQuerySet":
        return self.filter(ran_at=None, stopped_at=None)

    def due(self, now: datetime) -> "RetentionRunQuerySet":
        return self.open().filter(due_at__lte=now).order_by("due_at", "pk")


class RetentionRun(models.Model):
    """Announced first, with the number that would go, and carried out a week later at the earliest."""

    kind = models.CharField(_("kind of data"), max_length=12, choices=RetentionPeriod.Kind)
    planned_at = models.DateTimeField(_("announced at"))
    due_at = models.DateTimeField(_("not before"))
    # Kept, so that a period changed after the announcement never takes more than was announced.
    up_to = models.DateField(_("takes what counts from this day or earlier"))
    planned = models.PositiveIntegerField(_("rows announced"))
    ran_at = models.DateTimeField(_("carried out at"), null=True, blank=True)
    removed = models.PositiveIntegerField(_("rows removed"), null=True, blank=True)
    stopped_at = models.DateTimeField(_("stopped at"), null=True, blank=True)

    objects = RetentionRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("retention run")
        verbose_name_plural = _("retention runs")
        constraints = [
            models.UniqueConstraint(
                fields=["kind"], condition=Q(ran_at=None, stopped_at=None), name="retention_run_open_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.planned_at:%Y-%m-%d}"

    @property
    def is_open(self) -> bool:
        return self.ran_at is None and self.stopped_at is None

    def is_due(self, now: datetime) -> bool:
        return self.is_open and self.due_at <= now


class KeptCount(models.Model):
    """What reports need of people whose data is gone: numbers by coarse answers, without a person behind them."""

    class Difficulty(models.TextChoices):
        YES = "yes", _("A lot of difficulty or more in at least one domain")
        NO = "no", _("Less")
        REFUSED = "refused", _("Rather not say")
        UNKNOWN = "unknown", _("Not answered")

    edition = models.ForeignKey(Edition, models.CASCADE, related_name="kept_counts", verbose_name=_("edition"))
    webinar = models.ForeignKey(
        Webinar,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="kept_counts",
        verbose_name=_("webinar"),
        help_text=_("Empty: each person once over the edition."),
    )
    gender = models.CharField(_("gender"), max_length=12, choices=Participant.Gender, blank=True)
    age_group = models.CharField(_("age group"), max_length=12, choices=Participant.AgeGroup, blank=True)
    province = models.CharField(_("province"), max_length=2, choices=regions.province_choices)
    organisation_kind = models.CharField(
        _("kind of organisation"), max_length=12, choices=Participant.OrganisationKind, blank=True
    )
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    difficulty = models.CharField(_("difficulty"), max_length=8, choices=Difficulty)
    registered = models.PositiveIntegerField(_("registered"), default=0)
    attended = models.PositiveIntegerField(_("attended"), default=0)
    answers_only = models.BooleanField(
        _("answers only"),
        default=False,
        help_text=_("Her answers are gone and she is still there: count it by difficulty, never in a total."),
    )

    class Meta:
        verbose_name = _("kept count")
        verbose_name_plural = _("kept counts")
        permissions = [("see_numbers", _("Can see numbers of people: charts and reports"))]
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "edition",
                    "webinar",
                    "gender",
                    "age_group",
                    "province",
                    "organisation_kind",
                    "language",
                    "difficulty",
                    "answers_only",
                ],
                nulls_distinct=False,
                name="kept_count_once",
            ),
            models.CheckConstraint(condition=Q(attended__lte=models.F("registered")), name="kept_count_attended"),
        ]

    def __str__(self) -> str:
        return f"{self.edition} · {self.registered}"


class Breach(models.Model):
    """Data that got into wrong hands: what it was and since when it is known. Who must be told follows from it."""

    class Scope(models.TextChoices):
        EVERYTHING = "everything", _("The whole database")
        WEBINAR = "webinar", _("One webinar's list")
        DOWNLOADS = "downloads", _("One organisation's downloads")
        MAILS = "mails", _("Mails of one kind")

    scope = models.CharField(_("what leaked"), max_length=12, choices=Scope)
    webinar = models.ForeignKey(
        Webinar, models.PROTECT, null=True, blank=True, related_name="breaches", verbose_name=_("webinar")
    )
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="breaches", verbose_name=_("organisation")
    )
    mail_kind = models.CharField(_("kind of mail"), max_length=20, choices=OutgoingMail.Kind, blank=True)
    known_at = models.DateTimeField(_("known since"), help_text=_("The 72 hours of the law run from here."))
    note = models.TextField(
        _("what happened"), blank=True, help_text=_("When, how, and what has been done. For your own record.")
    )
    recorded_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, editable=False, related_name="+", verbose_name=_("recorded by")
    )
    recorded_at = models.DateTimeField(_("recorded at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("data breach")
        verbose_name_plural = _("data breaches")
        constraints = [
            models.CheckConstraint(
                condition=Q(scope="everything", webinar=None, organisation=None, mail_kind="")
                | Q(scope="webinar", webinar__isnull=False, organisation=None, mail_kind="")
                | Q(scope="downloads", webinar=None, organisation__isnull=False, mail_kind="")
                | (Q(scope="mails", webinar=None, organisation=None) & ~Q(mail_kind="")),
                name="breach_names_what_leaked",
                violation_error_message=_("Name the webinar, the organisation or the kind of mail, and nothing else."),
            ),
        ]

    def __str__(self) -> str:
        about = self.webinar or self.organisation or (self.mail_kind and self.get_mail_kind_display())
        return f"{self.get_scope_display()} · {about}" if about else self.get_scope_display()
