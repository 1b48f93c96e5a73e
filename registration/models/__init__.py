from registration.models.audit import AuditEntry
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

__all__ = [
    "Announcement",
    "Attendance",
    "AuditEntry",
    "BounceReport",
    "BouncedAddress",
    "Breach",
    "Certificate",
    "Consent",
    "ConsentText",
    "Download",
    "Event",
    "Feedback",
    "Handover",
    "Heartbeat",
    "Invitation",
    "KeptCount",
    "MailText",
    "OutgoingMail",
    "Participant",
    "PartnerMember",
    "Registration",
    "Reminder",
    "RetentionPeriod",
    "RetentionRun",
    "Role",
    "RoleInvitation",
    "SeatCount",
    "SensitiveAnswers",
    "User",
    "WebinarNotice",
    "Withdrawal",
]
