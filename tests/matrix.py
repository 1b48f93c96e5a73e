"""The table of tests/test_matrix.py: whose each address is."""

ROLES = [
    "anonymous",
    "participant",
    "bare",  # an editor without a second factor
    "editor",
    "mail_desk",
    "observer",
    "organiser",
    "owner",
    "viewer",
    "manager",
]
SETS = {
    "*": ROLES,
    "people": ROLES[1:],
    "staff": ["editor", "mail_desk", "observer", "organiser", "owner"],
    "partners": ["viewer", "manager"],
}
# Django's own pages of a model in the admin; the last three are about one row.
VIEWS = {"changelist": None, "add": None, "change": "pk", "delete": "pk", "history": "pk"}


def expected(role, words):
    found = ""
    for word in words.split():
        who, _is, what = word.partition("=")
        if role in [one for name in who.split(",") for one in SETS.get(name, [name])]:
            found = what
    return found


def may(words):
    """In the admin: who isn't of the staff, or lacks her second factor, is sent to its sign-in, which says why."""
    return f"anonymous,participant,partners,bare=admin staff=403 {words}"


def in_admin(get, post):
    return may(get), may(post)


# What each may do with a model's rows on Django's own pages of it: add, change, delete, view.
MODELS = {
    "auth.group": "owner=v",
    "conference.agendaitem": "editor,organiser,owner=acdv",
    "conference.appearance": "editor,organiser,owner=acdv",
    "conference.edition": "editor,mail_desk=v organiser,owner=acdv",
    "conference.material": "editor,organiser,owner=acdv",
    "conference.organisation": "editor,organiser,owner=acdv",
    "conference.page": "editor,organiser,owner=acdv",
    "conference.partnership": "editor,organiser,owner=acdv",
    "conference.programmechange": "editor=v organiser,owner=dv",
    "conference.speaker": "editor,organiser,owner=acdv",
    "conference.webinar": "editor,organiser,owner=acdv mail_desk=v",
    "mfa.authenticator": "owner=dv",
    "registration.apitoken": "organiser=v owner=av",
    "registration.announcement": "mail_desk,organiser,owner=acdv",
    "registration.attendance": "organiser,owner=av",
    "registration.auditentry": "organiser,owner=v",
    "registration.bouncedaddress": "mail_desk,organiser,owner=v",
    "registration.bouncereport": "mail_desk,organiser,owner=v",
    "registration.breach": "organiser,owner=acv",
    "registration.certificate": "organiser,owner=v",
    "registration.consent": "organiser,owner=v",
    "registration.consenttext": "organiser,owner=v",
    "registration.download": "organiser,owner=v",
    "registration.event": "organiser,owner=v",
    "registration.feedback": "organiser,owner=v",
    "registration.figure": "owner=v",
    "registration.handover": "organiser,owner=v",
    "registration.invitation": "organiser,owner=acv",
    "registration.keptcount": "owner=v",
    "registration.mailtext": "mail_desk,organiser,owner=cv",
    "registration.outgoingmail": "mail_desk,organiser,owner=v",
    "registration.participant": "organiser,owner=cv",
    "registration.partnermember": "organiser,owner=acdv",
    "registration.preparedfile": "organiser,owner=v",
    "registration.registration": "organiser,owner=av",
    "registration.retentionperiod": "organiser=v owner=cv",
    "registration.retentionrun": "organiser,owner=v",
    "registration.roleinvitation": "organiser,owner=v",
    "registration.sensitiveanswers": "owner=v",
    "registration.user": "organiser,owner=acv",
    "registration.webhookdelivery": "organiser,owner=v",
    "registration.webhookendpoint": "organiser=v owner=acdv",
    "registration.withdrawal": "organiser,owner=v",
}

MATRIX = {
    # ---- For everybody
    "/healthz/live": ("*=200", "*=405"),
    "/healthz/ready": ("*=200", "*=405"),
    "/healthz/metrics": ("*=404", "*=405"),
    "/robots.txt": ("*=200", "*=405"),
    "/sw.js": ("*=200", "*=405"),
    "/.well-known/security.txt": ("*=200", "*=405"),
    "bounce_notice 'nobody'": ("*=405", "*=404"),
    "sitemap": ("*=200", "*=200"),
    "manifest": ("*=200", "*=405"),
    "/luring/": ("*=200", "*=405"),
    "conference:preview 'forged'": ("*=404", "*=405"),
    "conference:preview_webinar 'forged' 'draft'": ("*=404", "*=405"),
    # ---- Signing in
    "account_login": ("*=302 anonymous=200", "*=302 anonymous=200"),
    "account_request_login_code": ("*=302 anonymous=200", "*=302 anonymous=200"),
    "account_confirm_login_code": ("*=302 anonymous=sign-in", "*=302 anonymous=sign-in"),
    "account_logout": ("*=200 anonymous=302", "*=302"),
    "account_inactive": ("*=200", "*=405"),
    "account_reauthenticate": (
        "*=302 anonymous=sign-in participant,bare=403",
        "*=302 anonymous=sign-in participant,bare=403",
    ),
    "account_sessions": ("*=200 anonymous=sign-in", "*=405 anonymous=sign-in"),
    "account_end_sessions": ("*=405 anonymous=sign-in", "*=302 anonymous=sign-in"),
    "account_signup": ("*=302", "*=302"),
    "mfa_index": ("*=200 anonymous=sign-in", "*=405 anonymous=sign-in"),
    "mfa_authenticate": ("*=302 anonymous=sign-in", "*=302 anonymous=sign-in"),
    "mfa_reauthenticate": (
        "*=200 anonymous=sign-in participant,bare=403",
        "*=200 anonymous=sign-in participant,bare=403",
    ),
    "mfa_activate_totp": (
        "*=302 anonymous=sign-in participant,bare=200",
        "*=302 anonymous=sign-in participant,bare=200",
    ),
    "mfa_deactivate_totp": (
        "*=302 anonymous=sign-in participant,bare=404",
        "*=302 anonymous=sign-in participant,bare=404",
    ),
    "mfa_view_recovery_codes": ("*=404 anonymous=sign-in", "*=405 anonymous=sign-in"),
    "mfa_generate_recovery_codes": (
        "*=302 anonymous=sign-in participant,bare=200",
        "*=302 anonymous=sign-in participant,bare=200",
    ),
    "mfa_download_recovery_codes": ("*=404 anonymous=sign-in", "*=404 anonymous=sign-in"),
    "mfa_list_webauthn": ("*=200 anonymous=sign-in", "*=405 anonymous=sign-in"),
    "mfa_add_webauthn": (
        "*=302 anonymous=sign-in participant,bare=200",
        "*=302 anonymous=sign-in participant,bare=200",
    ),
    "mfa_reauthenticate_webauthn": (
        "*=302 anonymous=sign-in participant,bare=403",
        "*=302 anonymous=sign-in participant,bare=403",
    ),
    "mfa_remove_webauthn '9'": (
        "*=302 anonymous=sign-in participant,bare=404",
        "*=302 anonymous=sign-in participant,bare=404",
    ),
    "mfa_edit_webauthn '9'": (
        "*=302 anonymous=sign-in participant,bare=404",
        "*=302 anonymous=sign-in participant,bare=404",
    ),
    "mfa_login_webauthn": ("*=302 anonymous=sign-in", "*=302 anonymous=sign-in"),
    # ---- The conference
    "conference:home": ("*=200", "*=405"),
    "conference:agenda": ("*=200", "*=405"),
    "conference:agenda_ics": ("*=200", "*=405"),
    "conference:agenda_json": ("*=200", "*=405"),
    "conference:agenda_xml": ("*=200", "*=405"),
    "conference:changes_atom": ("*=200", "*=405"),
    "conference:webinar webinar.slug": ("*=200", "*=405"),
    "conference:webinar draft.slug": ("*=404", "*=405"),
    "conference:webinar_ics webinar.slug": ("*=200", "*=405"),
    "conference:webinar_ics draft.slug": ("*=404", "*=405"),
    "conference:speakers": ("*=200", "*=405"),
    "conference:speaker speaker.slug": ("*=404", "*=405"),
    "conference:organisations": ("*=200", "*=405"),
    "conference:organisation own.slug": ("*=200", "*=405"),
    "conference:editions": ("*=200", "*=405"),
    "conference:edition webinar.edition.year": ("*=200", "*=405"),
    "conference:page row.page.slug": ("*=200", "*=405"),
    "conference:picture 'beranda'": ("*=200", "*=405"),
    "conference:picture 'webinar' webinar.slug": ("*=200", "*=405"),
    "conference:picture 'webinar' draft.slug": ("*=404", "*=405"),
    "conference:short webinar.number": ("*=302", "*=405"),
    # ---- For programs
    "api:docs": ("*=200", "*=405"),
    "api:openapi": ("*=200", "*=405"),
    "api:editions": ("*=200", "*=405"),
    "api:edition webinar.edition.year": ("*=200", "*=405"),
    "api:webinars": ("*=200", "*=405"),
    "api:webinar webinar.slug": ("*=200", "*=405"),
    "api:webinar draft.slug": ("*=404", "*=405"),
    "api:speakers": ("*=200", "*=405"),
    "api:speaker speaker.slug": ("*=404", "*=405"),
    "api:organisations": ("*=200", "*=405"),
    "api:organisation own.slug": ("*=200", "*=405"),
    # With a token alone: test_readings.py. Being signed in, as whomever, opens nothing.
    "api:attendees webinar.slug": ("*=401", "*=405"),
    "api:attendees draft.slug": ("*=401", "*=405"),
    "api:attendee webinar.slug seat.code": ("*=401", "*=405"),
    # ---- One's own
    "registration:sign_up": ("*=200", "*=200"),
    "registration:fresh_code": ("*=302 anonymous=sign-in", "*=302 anonymous=sign-in"),
    "registration:mine": ("*=200 anonymous=sign-in", "*=405 anonymous=sign-in"),
    "registration:calendar tokens.calendar": ("*=200", "*=405"),
    "registration:calendar 'forged'": ("*=404", "*=405"),
    "registration:renew_calendar person.pk": ("*=405 anonymous=sign-in", "*=404 anonymous=sign-in participant=302"),
    "registration:renew_calendar stranger.pk": ("*=405 anonymous=sign-in", "*=404 anonymous=sign-in"),
    "registration:cancel seat.code": (
        "*=404 anonymous=sign-in participant=200",
        "*=404 anonymous=sign-in participant=302",
    ),
    "registration:cancel foreign_seat.code": ("*=404 anonymous=sign-in", "*=404 anonymous=sign-in"),
    "registration:data": ("*=200 anonymous=sign-in", "*=405 anonymous=sign-in"),
    "registration:delete": ("*=200 anonymous=sign-in", "*=302"),
    "registration:deleted": ("*=200", "*=405"),
    "registration:delete_person cared.pk": ("*=302 anonymous=sign-in participant=200", "*=302"),
    "registration:delete_person foreign_cared.pk": ("*=302 anonymous=sign-in", "*=302"),
    "registration:take_data person.pk": ("*=404 anonymous=sign-in participant=200", "*=405 anonymous=sign-in"),
    "registration:take_data stranger.pk": ("*=404 anonymous=sign-in", "*=405 anonymous=sign-in"),
    "registration:take_page person.pk": ("*=404 anonymous=sign-in participant=200", "*=405 anonymous=sign-in"),
    "registration:take_page stranger.pk": ("*=404 anonymous=sign-in", "*=405 anonymous=sign-in"),
    "registration:address": ("*=200 anonymous=sign-in", "*=200 anonymous=sign-in"),
    "registration:person person.pk": ("*=404 anonymous=sign-in participant=200", "*=405 anonymous=sign-in"),
    "registration:person stranger.pk": ("*=404 anonymous=sign-in", "*=405 anonymous=sign-in"),
    "registration:correct person.pk": (
        "*=404 anonymous=sign-in participant=200",
        "*=404 anonymous=sign-in participant=200",
    ),
    "registration:correct stranger.pk": ("*=404 anonymous=sign-in", "*=404 anonymous=sign-in"),
    "registration:needs person.pk": (
        "*=404 anonymous=sign-in participant=200",
        "*=404 anonymous=sign-in participant=302",
    ),
    "registration:needs stranger.pk": ("*=404 anonymous=sign-in", "*=404 anonymous=sign-in"),
    "registration:give_consent person.pk": ("*=405 anonymous=sign-in", "*=404 anonymous=sign-in participant=302"),
    "registration:give_consent stranger.pk": ("*=405 anonymous=sign-in", "*=404 anonymous=sign-in"),
    "registration:take_back person.pk consent.pk": (
        "*=404 anonymous=sign-in participant=200",
        "*=404 anonymous=sign-in participant=302",
    ),
    "registration:take_back person.pk foreign_consent.pk": ("*=404 anonymous=sign-in", "*=404 anonymous=sign-in"),
    "registration:take_back stranger.pk foreign_consent.pk": ("*=404 anonymous=sign-in", "*=404 anonymous=sign-in"),
    "registration:restrict person.pk": ("*=405 anonymous=sign-in", "*=404 anonymous=sign-in participant=302"),
    "registration:restrict stranger.pk": ("*=405 anonymous=sign-in", "*=404 anonymous=sign-in"),
    "registration:subscribe person.pk": ("*=405 anonymous=sign-in", "*=404 anonymous=sign-in participant=302"),
    "registration:subscribe stranger.pk": ("*=405 anonymous=sign-in", "*=404 anonymous=sign-in"),
    "registration:record person.pk": ("*=404 anonymous=sign-in participant=200", "*=405 anonymous=sign-in"),
    "registration:record stranger.pk": ("*=404 anonymous=sign-in", "*=405 anonymous=sign-in"),
    "registration:renew_links": ("*=200 anonymous=sign-in", "*=302 anonymous=sign-in"),
    "registration:group": ("*=200 anonymous=sign-in", "*=405 anonymous=sign-in"),
    "registration:group_add": ("*=200 anonymous=sign-in", "*=200 anonymous=sign-in"),
    "registration:group_file": ("*=200 anonymous=sign-in", "*=200 anonymous=sign-in"),
    "registration:group_template 'csv'": ("*=200 anonymous=sign-in", "*=405 anonymous=sign-in"),
    "registration:group_correct cared.pk": (
        "*=404 anonymous=sign-in participant=200",
        "*=404 anonymous=sign-in participant=200",
    ),
    "registration:group_correct foreign_cared.pk": ("*=404 anonymous=sign-in", "*=404 anonymous=sign-in"),
    "registration:group_remove cared.pk": ("*=404 anonymous=sign-in participant=200", "*=302 anonymous=sign-in"),
    "registration:group_remove foreign_cared.pk": ("*=404 anonymous=sign-in", "*=302 anonymous=sign-in"),
    "registration:group_hand_over cared.pk": (
        "*=404 anonymous=sign-in participant=200",
        "*=404 anonymous=sign-in participant=200",
    ),
    "registration:group_hand_over foreign_cared.pk": ("*=404 anonymous=sign-in", "*=404 anonymous=sign-in"),
    "registration:group_take_back cared.pk": ("*=405 anonymous=sign-in", "*=404 anonymous=sign-in participant=302"),
    "registration:group_take_back foreign_cared.pk": ("*=405 anonymous=sign-in", "*=404 anonymous=sign-in"),
    # ---- With a token
    "registration:handover tokens.handover": ("*=200", "*=200"),
    "registration:handover 'forged'": ("*=404", "*=404"),
    "registration:page tokens.page": ("*=200", "*=404"),
    "registration:page 'forged'": ("*=404", "*=404"),
    "registration:join tokens.join": ("*=200", "*=409"),
    "registration:join 'forged'": ("*=404", "*=404"),
    "registration:leave tokens.join": ("*=200", "*=200"),
    "registration:leave 'forged'": ("*=404", "*=404"),
    "registration:accept tokens.join": ("*=303", "*=303"),
    "registration:accept 'forged'": ("*=404", "*=404"),
    "registration:others tokens.join": ("*=302", "*=302"),
    "registration:others 'forged'": ("*=404", "*=404"),
    "registration:invitation tokens.invitation": ("*=200", "*=409"),
    "registration:invitation 'forged'": ("*=404", "*=404"),
    "registration:unsubscribe tokens.unsubscribe": ("*=200", "*=200"),
    "registration:unsubscribe 'forged'": ("*=404", "*=404"),
    "registration:role tokens.role": ("*=200", "*=403 anonymous=302 participant=2fa"),
    "registration:role tokens.foreign_role": ("*=200", "*=403 anonymous=302"),
    "registration:role 'forged'": ("*=404", "*=404"),
    # ---- Partners
    "registration:partner_room": ("*=404 anonymous=sign-in partners=200", "*=405 anonymous=sign-in"),
    "registration:removed withdrawal.pk": ("*=405 anonymous=sign-in", "*=404 anonymous=sign-in partners=302"),
    "registration:removed foreign_withdrawal.pk": ("*=405 anonymous=sign-in", "*=404 anonymous=sign-in"),
    "registration:attendees_csv webinar.slug": ("*=404 anonymous=sign-in partners=200", "*=405"),
    "registration:attendees_csv elsewhere.slug": ("*=404 anonymous=sign-in", "*=405"),
    "registration:attendees_xlsx webinar.slug": ("*=404 anonymous=sign-in partners=200", "*=405"),
    "registration:attendees_xlsx elsewhere.slug": ("*=404 anonymous=sign-in", "*=405"),
    "registration:attendees webinar.slug": ("*=404 anonymous=sign-in partners=200", "*=405"),
    "registration:attendees elsewhere.slug": ("*=404 anonymous=sign-in", "*=405"),
    "registration:attendees draft.slug": ("*=404 anonymous=sign-in", "*=405"),
    "registration:attendees_file webinar.slug": ("*=405", "*=404 anonymous=sign-in partners=200"),
    "registration:attendees_file elsewhere.slug": ("*=405", "*=404 anonymous=sign-in"),
    "registration:partner_log own.slug": ("*=404 anonymous=sign-in viewer=403 manager=200", "*=405"),
    "registration:partner_log other.slug": ("*=404 anonymous=sign-in", "*=405"),
    # The manager's, and an owner's own: nobody else's, whatever her role.
    "registration:file file.token": ("*=404 anonymous=sign-in manager=200", "*=405"),
    "registration:file staff_file.token": ("*=404 anonymous=sign-in owner=200", "*=405"),
    "registration:file_progress file.token": ("*=404 anonymous=sign-in manager=200", "*=405"),
    "registration:file_progress staff_file.token": ("*=404 anonymous=sign-in owner=200", "*=405"),
    "registration:file_fetch file.token": ("*=405", "*=404 anonymous=sign-in manager=200"),
    "registration:file_fetch staff_file.token": ("*=405", "*=404 anonymous=sign-in owner=200"),
    "registration:file_again file.token": ("*=405", "*=404 anonymous=sign-in manager=302"),
    "registration:file_again staff_file.token": ("*=405", "*=404 anonymous=sign-in owner=302"),
    "registration:team own.slug": (
        "*=404 anonymous=sign-in viewer=403 manager=200",
        "*=404 anonymous=sign-in viewer=403 manager=200",
    ),
    "registration:team other.slug": ("*=404 anonymous=sign-in", "*=404 anonymous=sign-in"),
    "registration:team_again own.slug offer.pk": (
        "*=404 anonymous=sign-in viewer=403 manager=405",
        "*=404 anonymous=sign-in viewer=403 manager=302",
    ),
    "registration:team_again own.slug foreign_offer.pk": (
        "*=404 anonymous=sign-in viewer=403 manager=405",
        "*=404 anonymous=sign-in viewer=403",
    ),
    "registration:team_again other.slug foreign_offer.pk": ("*=404 anonymous=sign-in", "*=404 anonymous=sign-in"),
    "registration:team_revoke own.slug offer.pk": (
        "*=404 anonymous=sign-in viewer=403 manager=405",
        "*=404 anonymous=sign-in viewer=403 manager=302",
    ),
    "registration:team_revoke own.slug foreign_offer.pk": (
        "*=404 anonymous=sign-in viewer=403 manager=405",
        "*=404 anonymous=sign-in viewer=403",
    ),
    "registration:team_revoke other.slug foreign_offer.pk": ("*=404 anonymous=sign-in", "*=404 anonymous=sign-in"),
    "registration:team_remove own.slug colleague.pk": (
        "*=404 anonymous=sign-in viewer=403 manager=200",
        "*=404 anonymous=sign-in viewer=403 manager=302",
    ),
    "registration:team_remove own.slug outsider.pk": (
        "*=404 anonymous=sign-in viewer=403",
        "*=404 anonymous=sign-in viewer=403",
    ),
    "registration:team_remove other.slug outsider.pk": ("*=404 anonymous=sign-in", "*=404 anonymous=sign-in"),
    # ---- The admin
    "admin:index": in_admin("bare,staff=200", "bare,staff=200"),
    "admin:login": (
        "*=302 anonymous=sign-in partners,participant=403 bare=2fa",
        "*=200 anonymous=sign-in partners,participant=403 bare=2fa",
    ),
    "admin:logout": ("*=302 staff=405", "*=302"),
    "admin:search": in_admin("staff=200", "staff=200"),
    "admin:password_change": in_admin("staff=404", "staff=404"),
    "admin:password_change_done": in_admin("staff=200", "staff=405"),
    "admin:autocomplete": in_admin("bare=403", "bare,staff=405"),
    "admin:jsi18n": in_admin("bare,staff=200", "bare,staff=405"),
    "admin:view_on_site '1' '1'": in_admin("staff=404", "staff=404"),
    "admin:app_list 'registration'": in_admin(
        "editor,observer=404 mail_desk,organiser,owner=200", "editor,observer=404 mail_desk,organiser,owner=200"
    ),
    "/admin/(?P<url>.*)$": ("*=admin staff=404", "*=admin staff=404"),
    "admin:conference_page_preview row.page.pk": in_admin("editor,organiser,owner=200", "editor,organiser,owner=200"),
    "admin:registration_apitoken_revoke row.apitoken.pk": in_admin("owner=200", "owner=302"),
    "admin:registration_webhookendpoint_see_log row.webhookendpoint.pk": in_admin(
        "organiser,owner=302", "organiser,owner=302"
    ),
    "admin:registration_webhookendpoint_test row.webhookendpoint.pk": in_admin("owner=200", "owner=302"),
    "admin:registration_webhookendpoint_renew row.webhookendpoint.pk": in_admin("owner=200", "owner=200"),
    "admin:registration_webhookdelivery_again row.webhookdelivery.pk": in_admin("owner=200", "owner=302"),
    "admin:registration_announcement_send row.announcement.pk": in_admin(
        "mail_desk,organiser,owner=200", "mail_desk,organiser,owner=200"
    ),
    "admin:registration_announcement_test row.announcement.pk": in_admin("staff=405", "mail_desk,organiser,owner=302"),
    "admin:registration_announcement_stop row.announcement.pk": in_admin("staff=405", "mail_desk,organiser,owner=302"),
    "admin:registration_announcement_resume row.announcement.pk": in_admin(
        "staff=405", "mail_desk,organiser,owner=302"
    ),
    "admin:registration_announcement_draft row.announcement.pk": in_admin("staff=405", "mail_desk,organiser,owner=302"),
    "admin:registration_announcement_progress row.announcement.pk": in_admin(
        "mail_desk,organiser,owner=200", "staff=405"
    ),
    "admin:registration_bouncedaddress_correct row.bouncedaddress.pk": in_admin(
        "organiser,owner=200", "organiser,owner=200"
    ),
    "admin:registration_breach_list row.breach.pk": in_admin("staff=405", "organiser,owner=200"),
    "admin:registration_keptcount_reports": in_admin("observer,organiser,owner=200", "staff=405"),
    "admin:registration_keptcount_report": in_admin("observer,organiser,owner=200", "staff=405"),
    "admin:registration_keptcount_report_print": in_admin("observer,organiser,owner=200", "staff=405"),
    "admin:registration_keptcount_report_csv": in_admin("observer,organiser,owner=200", "staff=405"),
    "admin:registration_keptcount_report_xlsx": in_admin("observer,organiser,owner=200", "staff=405"),
    "admin:registration_keptcount_report_pack": in_admin("observer,organiser,owner=200", "staff=405"),
    "admin:registration_figure_charts": in_admin("observer,organiser,owner=200", "staff=405"),
    "admin:registration_figure_recount": in_admin("staff=405", "observer,organiser,owner=302"),
    "admin:registration_figure_download 'gender' 'csv'": in_admin("observer,organiser,owner=200", "staff=405"),
    "admin:registration_outgoingmail_mend": in_admin("staff=405", "mail_desk,organiser,owner=302"),
    "admin:registration_outgoingmail_board": in_admin("mail_desk,organiser,owner=200", "mail_desk,organiser,owner=200"),
    "admin:registration_outgoingmail_to_board": in_admin(
        "mail_desk,organiser,owner=302", "mail_desk,organiser,owner=302"
    ),
    "admin:registration_outgoingmail_send_this_again mail.pk": in_admin(
        "mail_desk,organiser,owner=200", "mail_desk,organiser,owner=200"
    ),
    "admin:registration_outgoingmail_cancel_this mail.pk": in_admin(
        "mail_desk,organiser,owner=200", "mail_desk,organiser,owner=200"
    ),
    "admin:registration_outgoingmail_repeat_this mail.pk": in_admin(
        "mail_desk,organiser,owner=200", "mail_desk,organiser,owner=200"
    ),
    "admin:registration_mailtext_edit 'code'": in_admin(
        "mail_desk,organiser,owner=200", "mail_desk,organiser,owner=200"
    ),
    "admin:registration_mailtext_restore row.mailtext.pk": in_admin("staff=405", "mail_desk,organiser,owner=302"),
    "admin:registration_auditentry_export 'csv'": in_admin("staff=405", "organiser,owner=200"),
    "admin:registration_auditentry_export 'pdf'": in_admin("staff=405", "organiser,owner=404"),
    "admin:registration_participant_record person.pk": in_admin("organiser,owner=302", "organiser,owner=302"),
    "admin:registration_participant_merge person.pk": in_admin("organiser,owner=200", "organiser,owner=200"),
    "admin:registration_registration_give_seat seat.pk": in_admin("organiser,owner=200", "organiser,owner=302"),
    "admin:registration_registration_move seat.pk": in_admin("organiser,owner=200", "organiser,owner=200"),
    "admin:registration_registration_cancel seat.pk": in_admin("organiser,owner=200", "organiser,owner=302"),
    "admin:registration_retentionrun_stop row.retentionrun.pk": in_admin("staff=405", "organiser,owner=302"),
    "admin:registration_roleinvitation_team": in_admin("organiser,owner=200", "organiser,owner=200"),
    "admin:registration_roleinvitation_to_team": in_admin("organiser,owner=302", "organiser,owner=302"),
    "admin:registration_roleinvitation_end": in_admin("staff=405", "organiser,owner=404"),
    "admin:registration_roleinvitation_again offer.pk": in_admin("staff=405", "organiser,owner=302"),
    "admin:registration_roleinvitation_revoke offer.pk": in_admin("staff=405", "organiser,owner=302"),
    "admin:registration_user_end_sessions person.account.pk": in_admin("staff=405", "owner=302"),
    "admin:conference_webinar_preview webinar.pk": in_admin(
        "bare,editor,mail_desk,organiser,owner=200", "bare,editor,mail_desk,organiser,owner=200"
    ),
    "admin:conference_webinar_preview draft.pk": in_admin(
        "bare,editor,mail_desk,organiser,owner=200", "bare,editor,mail_desk,organiser,owner=200"
    ),
    "admin:conference_webinar_preview_link webinar.pk": in_admin("editor,organiser,owner=200", "staff=405"),
    "admin:conference_webinar_end_previews webinar.pk": in_admin("staff=405", "editor,organiser,owner=302"),
    "admin:conference_webinar_publish webinar.pk": in_admin("editor,organiser,owner=302", "editor,organiser,owner=302"),
    "admin:conference_webinar_unschedule webinar.pk": in_admin("staff=405", "editor,organiser,owner=302"),
    "admin:conference_webinar_unpublish webinar.pk": in_admin(
        "editor,organiser,owner=302", "editor,organiser,owner=302"
    ),
    "admin:conference_webinar_cancel webinar.pk": in_admin("editor,organiser,owner=200", "editor,organiser,owner=302"),
    "admin:conference_webinar_reinstate webinar.pk": in_admin(
        "editor,organiser,owner=302", "editor,organiser,owner=302"
    ),
    "admin:conference_webinar_preview_link draft.pk": in_admin("editor,organiser,owner=200", "staff=405"),
    "admin:conference_webinar_end_previews draft.pk": in_admin("staff=405", "editor,organiser,owner=302"),
    "admin:conference_webinar_publish draft.pk": in_admin("editor,organiser,owner=200", "editor,organiser,owner=200"),
    "admin:conference_webinar_unschedule draft.pk": in_admin("staff=405", "editor,organiser,owner=302"),
    "admin:conference_webinar_unpublish draft.pk": in_admin("editor,organiser,owner=302", "editor,organiser,owner=302"),
    "admin:conference_webinar_cancel draft.pk": in_admin("editor,organiser,owner=302", "editor,organiser,owner=302"),
    "admin:conference_webinar_reinstate draft.pk": in_admin("editor,organiser,owner=302", "editor,organiser,owner=302"),
    "admin:conference_page_preview_link row.page.pk": in_admin("editor,organiser,owner=200", "staff=405"),
    "admin:conference_page_end_previews row.page.pk": in_admin("staff=405", "editor,organiser,owner=302"),
    "admin:conference_page_publish row.page.pk": in_admin("editor,organiser,owner=302", "editor,organiser,owner=302"),
    "admin:conference_page_unschedule row.page.pk": in_admin("staff=405", "editor,organiser,owner=302"),
    "admin:conference_page_unpublish row.page.pk": in_admin("editor,organiser,owner=200", "editor,organiser,owner=302"),
    "admin:conference_edition_preview row.edition.pk": in_admin(
        "editor,mail_desk,organiser,owner=200", "editor,mail_desk,organiser,owner=200"
    ),
    "admin:conference_edition_preview_link row.edition.pk": in_admin("organiser,owner=200", "staff=405"),
    "admin:conference_edition_end_previews row.edition.pk": in_admin("staff=405", "organiser,owner=302"),
    "admin:conference_edition_copy row.edition.pk": in_admin("organiser,owner=200", "organiser,owner=200"),
    "admin:conference_webinar_changelist": in_admin(
        "bare,editor,mail_desk,organiser,owner=200", "bare,editor,mail_desk,organiser,owner=200"
    ),
    "admin:conference_webinar_add": in_admin("bare,editor,organiser,owner=200", "bare,editor,organiser,owner=200"),
    "admin:conference_webinar_delete draft.pk": in_admin("editor,organiser,owner=200", "editor,organiser,owner=200"),
    "admin:conference_webinar_history draft.pk": in_admin(
        "editor,mail_desk,organiser,owner=200", "editor,mail_desk,organiser,owner=200"
    ),
    "admin:conference_webinar_change webinar.pk": in_admin(
        "bare=302 editor,mail_desk,organiser,owner=200", "bare=302 editor,organiser,owner=200"
    ),
    "admin:conference_webinar_change draft.pk": in_admin(
        "bare,editor,mail_desk,organiser,owner=200", "bare,editor,organiser,owner=200"
    ),
}

# Content keeps its versions: who writes it goes back, an owner forgets. Some kinds of it go out and come in as files.
for kind in (
    "agendaitem",
    "appearance",
    "edition",
    "material",
    "organisation",
    "page",
    "partnership",
    "speaker",
    "webinar",
):
    writers = "organiser,owner" if kind == "edition" else "editor,organiser,owner"
    MATRIX |= {
        f"admin:conference_{kind}_go_back row.{kind}.pk version.{kind}.pk": in_admin(
            f"{writers}=200", f"{writers}=409"
        ),
        f"admin:conference_{kind}_forget row.{kind}.pk": in_admin("owner=200", "owner=302"),
    }
for kind in ("agendaitem", "organisation", "speaker", "webinar"):
    MATRIX |= {
        f"admin:conference_{kind}_table": in_admin("editor,organiser,owner=200", "editor,organiser,owner=200"),
        f"admin:conference_{kind}_table_file 'csv'": in_admin("editor,organiser,owner=200", "staff=405"),
    }
MATRIX |= {
    "admin:registration_registration_paper_list": in_admin("organiser,owner=200", "organiser,owner=200"),
    "admin:registration_registration_paper_list_file webinar.pk 'csv'": in_admin("organiser,owner=200", "staff=405"),
}
