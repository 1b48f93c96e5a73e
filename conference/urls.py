from django.urls import path, re_path

from conference import views
from conference.keeping import kept

app_name = "conference"

urlpatterns = [
    path("", views.home, name="home"),
    path("agenda/", views.agenda, name="agenda"),
    path("agenda.ics", views.agenda_ics, name="agenda_ics"),
    path("agenda.json", views.agenda_json, name="agenda_json"),
    path("agenda.xml", views.agenda_xml, name="agenda_xml"),
    path("perubahan.atom", views.changes_atom, name="changes_atom"),
    path("webinar/<slug:slug>/", views.webinar, name="webinar"),
    path("webinar/<slug:slug>.ics", views.webinar_ics, name="webinar_ics"),
    path("pembicara/", views.speakers, name="speakers"),
    path("pembicara/<slug:slug>/", views.speaker, name="speaker"),
    path("mitra/", views.organisations, name="organisations"),
    path("mitra/<slug:slug>/", views.organisation, name="organisation"),
    path("edisi/", views.editions, name="editions"),
    path("edisi/<int:year>/", views.edition, name="edition"),
    path("halaman/<slug:slug>/", views.page, name="page"),
]

# Every page of the conference is the same for every visitor.
for address in urlpatterns:
    address.callback = kept(address.callback)

urlpatterns += [
    path("pratinjau/<str:token>/", views.preview, name="preview"),
    path("pratinjau/<str:token>/<slug:slug>/", views.preview_webinar, name="preview_webinar"),
    path("gambar/<slug:kind>.png", views.picture, name="picture"),
    path("gambar/<slug:kind>/<slug:name>.png", views.picture, name="picture"),
    # Read aloud nobody says a stroke at the end.
    re_path(r"^(?P<number>[1-9][0-9]?)/?$", views.short, name="short"),
]
