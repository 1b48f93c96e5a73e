from registration.admin import mail, partners, people, registrations, webinars

__all__ = ["mail", "partners", "people", "registrations", "webinars"]
