from registration.models.audit import AuditEntry
from registration.models.connections import ApiToken, WebhookDelivery, WebhookEndpoint
from registration.models.files import PreparedBlock, PreparedFile
from registration.models.history import Event
from registration.models.invitations import Handover, Invitation
from registration.models.mail import Announcement, Heartbeat, OutgoingMail
from registration.models.mailtexts import BouncedAddress, BounceReport, MailText
from registration.models.partners import Download, PartnerMember
from registration.models.people import Participant, User
from registration.models.privacy import (
    Breach,
    Consent,
    ConsentText,
    KeptCount,
    RetentionPeriod,
    RetentionRun,
    SensitiveAnswers,
    Withdrawal,
)
from registration.models.registrations import Attendance, Certificate, Feedback, Registration, SeatCount
from registration.models.reminders import Reminder, WebinarNotice
from registration.models.roles import Role, RoleInvitation
from registration.models.sessions import Session
from registration.models.statistics import Counting, Figure, KeptDay

__all__ = [
    "Announcement",
    "ApiToken",
    "Attendance",
    "AuditEntry",
    "BounceReport",
    "BouncedAddress",
    "Breach",
    "Certificate",
    "Consent",
    "ConsentText",
    "Counting",
    "Download",
    "Event",
    "Feedback",
    "Figure",
    "Handover",
    "Heartbeat",
    "Invitation",
    "KeptCount",
    "KeptDay",
    "MailText",
    "OutgoingMail",
    "Participant",
    "PartnerMember",
    "PreparedBlock",
    "PreparedFile",
    "Registration",
    "Reminder",
    "RetentionPeriod",
    "RetentionRun",
    "Role",
    "RoleInvitation",
    "SeatCount",
    "SensitiveAnswers",
    "Session",
    "User",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebinarNotice",
    "Withdrawal",
]
