import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kpt.settings")

django = get_wsgi_application()

from kpt.pages import answered_from_the_shelf  # noqa: E402 -- needs Django's settings

application = answered_from_the_shelf(django)
