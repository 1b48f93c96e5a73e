"""Outlives `kpt.run` by a few seconds, to end what a killed run left behind and what does not end by itself.

Each line on its input names the process groups of the children that run now. It is run by its path, so that it imports
nothing of the site: python kpt/guardian.py
"""

import os
import signal
import sys
import time
from contextlib import suppress

# The children are told to stop by the kernel when the supervisor dies (where it can); a task may take longer.
GRACE = 3


def main() -> None:
    # The last word of a run that ends by itself is an empty line.
    groups = ""
    for line in sys.stdin:
        groups = line
    if groups.split():
        time.sleep(GRACE)
    for group in groups.split():
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(int(group), signal.SIGKILL)


if __name__ == "__main__":
    main()
