from registration.models.mail import Announcement, OutgoingMail
from registration.models.partners import Download, PartnerMember
from registration.models.people import Consent, Participant, SensitiveAnswers, User
from registration.models.registrations import Attendance, Certificate, Feedback, Registration, SeatCount

__all__ = [
    "Announcement",
    "Attendance",
    "Certificate",
    "Consent",
    "Download",
    "Feedback",
    "OutgoingMail",
    "Participant",
    "PartnerMember",
    "Registration",
    "SeatCount",
    "SensitiveAnswers",
    "User",
]
