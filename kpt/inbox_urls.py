from django.urls import re_path

from kpt import inbox_views as views

app_name = "inbox"

# The names that kpt.inbox gives its files, and nothing else.
NAME = r"(?P<name>[0-9]{20}-[0-9a-f]{8})"

urlpatterns = [
    re_path(r"^$", views.messages, name="list"),
    re_path(rf"^{NAME}/$", views.message, name="message"),
    re_path(rf"^{NAME}/html/$", views.html, name="html"),
    re_path(rf"^{NAME}/(?P<number>[0-9]{{1,3}})/$", views.attachment, name="attachment"),
]
