from allauth.account import views as account
from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.contrib.sitemaps.views import sitemap
from django.urls import include, path, reverse_lazy
from django.views.generic import RedirectView
from django.views.static import serve

from conference.sitemaps import SITEMAPS
from kpt import offline, views
from registration.views import factors, sessions
from registration.views.code import ConfirmCodeView
from registration.views.notices import notice

handler403 = views.forbidden
handler404 = views.not_found
handler500 = views.failed

# allauth without passwords: sign-in by emailed code or passkey, second factor. Its other pages don't exist here.
account_urls = [
    path("masuk/", account.request_login_code, name="account_login"),
    path("masuk/", account.request_login_code, name="account_request_login_code"),
    path("kode/", ConfirmCodeView.as_view(), name="account_confirm_login_code"),
    path("keluar/", account.logout, name="account_logout"),
    path("nonaktif/", account.account_inactive, name="account_inactive"),
    path("ulang/", account.reauthenticate, name="account_reauthenticate"),
    path("sesi/", sessions.signed_in, name="account_sessions"),
    path("sesi/akhiri/", sessions.end, name="account_end_sessions"),
    path("daftar/", RedirectView.as_view(url=reverse_lazy("registration:sign_up")), name="account_signup"),
    path("2fa/totp/activate/", factors.activate_app, name="mfa_activate_totp"),
    path("2fa/webauthn/add/", factors.add_key, name="mfa_add_webauthn"),
    path("2fa/", include("allauth.mfa.urls")),
]

urlpatterns = [
    path("healthz/live", views.live),
    path("healthz/ready", views.ready),
    path("healthz/metrics", views.metrics),
    path("robots.txt", views.robots),
    path("sw.js", offline.worker),
    path(".well-known/security.txt", views.security_txt),
    path("surat/pantulan/<slug:provider>/", notice, name="bounce_notice"),
    path("sitemap.xml", sitemap, {"sitemaps": SITEMAPS}, name="sitemap"),
    *i18n_patterns(
        path("admin/", admin.site.urls),
        path("manifest.webmanifest", offline.manifest, name="manifest"),
        path("luring/", offline.offline),
        path("akun/", include(account_urls)),
        path("api/v1/", include("kpt.api")),
        path("", include("registration.urls")),
        path("", include("conference.urls")),
        prefix_default_language=False,
    ),
]

if settings.DEMO or settings.DEBUG:
    # In production the reverse proxy serves what organisers uploaded (deploy/Caddyfile).
    urlpatterns.insert(0, path("media/<path:path>", serve, {"document_root": settings.MEDIA_ROOT}))

if settings.INBOX_DIR:
    urlpatterns.insert(0, path("kotak-masuk/", include("kpt.inbox_urls")))
