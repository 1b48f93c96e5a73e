from registration.models.history import Event
from registration.models.invitations import Handover, Invitation
from registration.models.mail import Announcement, OutgoingMail
from registration.models.partners import Download, PartnerMember
from registration.models.people import Participant, User
from registration.models.privacy import (
    Consent,
    ConsentText,
    KeptCount,
    RetentionPeriod,
    RetentionRun,
    SensitiveAnswers,
    Withdrawal,
)
from registration.models.registrations import Attendance, Certificate, Feedback, Registration, SeatCount

__all__ = [
    "Announcement",
    "Attendance",
    "Certificate",
    "Consent",
    "ConsentText",
    "Download",
    "Event",
    "Feedback",
    "Handover",
    "Invitation",
    "KeptCount",
    "OutgoingMail",
    "Participant",
    "PartnerMember",
    "Registration",
    "RetentionPeriod",
    "RetentionRun",
    "SeatCount",
    "SensitiveAnswers",
    "User",
    "Withdrawal",
]
