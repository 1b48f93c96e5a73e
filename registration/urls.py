from django.urls import path

from registration.views import calendar, join, partners, personal, sign_up

app_name = "registration"
urlpatterns = [
    path("daftar/", sign_up.sign_up, name="sign_up"),
    path("saya/", personal.mine, name="mine"),
    path("saya/kalender/<str:token>.ics", calendar.calendar, name="calendar"),
    path("saya/kalender/<int:pk>/baru/", calendar.renew, name="renew_calendar"),
    path("saya/<str:code>/batal/", personal.cancel, name="cancel"),
    path("saya/persetujuan/<int:pk>/tarik/", personal.withdraw, name="withdraw"),
    path("gabung/<str:token>/", join.join, name="join"),
    path("gabung/<str:token>/batal/", join.leave, name="leave"),
    path("ruang-mitra/", partners.partner_room, name="partner_room"),
    path("ruang-mitra/<slug:slug>/peserta.csv", partners.attendees_csv, name="attendees_csv"),
    path("ruang-mitra/<slug:slug>/peserta.xlsx", partners.attendees_xlsx, name="attendees_xlsx"),
]
