"""A mail server that takes everything: `python -m bench.mailsink PORT [--late MILLISECONDS] [--keep]`.

Leaner than what it serves, so that it is not what is measured. It keeps nothing, or with `--keep` has each mail on the disk
before it says that it took it, as a server must that answers for it (RFC 5321, 6.1); `--late` answers as one far away. As
servers of providers do, it takes the commands of an envelope at once (RFC 2920) from whoever sends them so.
"""

import argparse
import asyncio
import os
import tempfile

END, TAKEN = b"\r\n.\r\n", b"250 2.0.0 Ok\r\n"
ANSWERS = {b"DATA": b"354 Go on\r\n", b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"}


class Sink(asyncio.Protocol):
    wait, keeps = 0.0, False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.read, self.words = bytearray(), bytearray()
        self.is_text = False
        self.disk = tempfile.TemporaryFile(buffering=0) if self.keeps else None  # noqa: SIM115 -- closed with the line
        self.say(b"220 sink\r\n")

    def connection_lost(self, _reason: Exception | None) -> None:
        if self.disk:
            self.disk.close()

    def say(self, words: bytes) -> None:
        if self.wait:
            asyncio.get_running_loop().call_later(self.wait, self.transport.write, words)
        else:
            self.transport.write(words)

    def data_received(self, data: bytes) -> None:
        self.read += data
        while self.take_text() if self.is_text else self.take_command():
            pass
        if self.words:
            self.say(bytes(self.words))
            self.words.clear()

    def take_text(self) -> bool:
        if not self.read.endswith(END):
            return False
        self.is_text = False
        if self.disk:
            kept = asyncio.get_running_loop().run_in_executor(None, self.keep, bytes(self.read))
            kept.add_done_callback(lambda done: self.say(done.result()))
        else:
            self.words += TAKEN
        self.read.clear()
        return True

    def keep(self, text: bytes) -> bytes:
        assert self.disk
        self.disk.write(text)
        os.fdatasync(self.disk.fileno())
        return TAKEN

    def take_command(self) -> bool:
        end = self.read.find(b"\r\n")
        if end < 0:
            return False
        verb = bytes(self.read[:4]).upper()
        del self.read[: end + 2]
        self.is_text = verb == b"DATA"
        self.words += ANSWERS.get(verb, TAKEN)
        if verb == b"QUIT":
            self.transport.close()
        return True


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--late", type=float, default=0)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    Sink.wait, Sink.keeps = options.late / 1000, options.keep
    asyncio.run(serve(options.port))
