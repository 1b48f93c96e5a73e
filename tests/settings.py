"""The project's own settings, read when the servers of the tests stand."""

from tests import servers

mail_server = servers.start()

from kpt.settings import *  # noqa: E402, F403
