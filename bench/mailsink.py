"""A mail server that takes everything and keeps nothing: `python -m bench.mailsink PORT [MILLISECONDS]`.

Leaner than what it serves, so that it is not what is measured; with milliseconds it answers as late as one far away. As
servers of providers do, it takes the commands of an envelope at once (RFC 2920) from whoever sends them so.
"""

import asyncio
import sys

END = b"\r\n.\r\n"
ANSWERS = {b"DATA": b"354 Go on\r\n", b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"}


class Sink(asyncio.Protocol):
    wait = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]
        self.read, self.words = bytearray(), bytearray()
        self.is_text = False
        self.say(b"220 sink\r\n")

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
        self.read.clear()
        self.is_text = False
        self.words += b"250 2.0.0 Ok\r\n"
        return True

    def take_command(self) -> bool:
        end = self.read.find(b"\r\n")
        if end < 0:
            return False
        verb = bytes(self.read[:4]).upper()
        del self.read[: end + 2]
        self.is_text = verb == b"DATA"
        self.words += ANSWERS.get(verb, b"250 2.0.0 Ok\r\n")
        if verb == b"QUIT":
            self.transport.close()
        return True


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    port, *milliseconds = map(float, sys.argv[1:])
    Sink.wait = milliseconds[0] / 1000 if milliseconds else 0.0
    asyncio.run(serve(int(port)))
