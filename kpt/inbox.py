"""The local SMTP inbox of `make run`: each message becomes a file that /kotak-masuk/ shows.

python -m kpt.inbox --dir DIR --port PORT
"""

import argparse
import asyncio
import secrets
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session


class Folder:
    """aiosmtpd's handler."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        keep(self.path, envelope)
        return "250 OK"


def keep(folder: Path, envelope: Envelope) -> Path:
    """Write the message under a name that sorts by time, whole or not at all."""
    content = envelope.original_content or b""
    head = [
        f"X-Envelope-From: {envelope.mail_from or ''}",
        f"X-Envelope-To: {', '.join(envelope.rcpt_tos)}",
        f"X-Received-At: {datetime.now(UTC).isoformat(timespec='milliseconds')}",
    ]
    name = f"{time.time_ns():020d}-{secrets.token_hex(4)}.eml"
    unfinished = folder / f".{name}"
    unfinished.write_bytes("".join(f"{line}\r\n" for line in head).encode() + content)
    return unfinished.rename(folder / name)


async def serve(folder: Path, port: int) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    handler = Folder(folder)
    server = await loop.create_server(lambda: SMTP(handler, enable_SMTPUTF8=True, loop=loop), "127.0.0.1", port)
    await stopped.wait()
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    options.dir.mkdir(parents=True, exist_ok=True)
    asyncio.run(serve(options.dir, options.port))


if __name__ == "__main__":
    main()
