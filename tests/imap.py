"""A mailbox behind IMAP, as much of it as a reader of returned mail asks for."""

import re
import socketserver
import threading


class Mailbox:
    """`mailbox.mails` holds [raw, is_seen]; `mailbox.fetched` what was asked of which mail."""

    def __init__(self, mails=(), password="secret"):
        self.mails = [[raw, False] for raw in mails]
        self.password, self.fetched = password, []
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def port(self):
        return self.server.server_address[1]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def handler(self):
        mailbox = self

        class Talk(socketserver.StreamRequestHandler):
            def handle(self):
                self.say("* OK ready")
                while line := self.rfile.readline().decode().strip():
                    tag, _space, command = line.partition(" ")
                    answer = mailbox.answer(command, self.say)
                    self.say(f"{tag} {answer}")
                    if command == "LOGOUT":
                        return

            def say(self, line):
                self.wfile.write(line if isinstance(line, bytes) else f"{line}\r\n".encode())

        return Talk

    def answer(self, command, say):
        if command.startswith("CAPABILITY"):
            say("* CAPABILITY IMAP4REV1")
        elif command.startswith("LOGIN"):
            return "OK done" if f'"{self.password}"' in command else "NO wrong password"
        elif command.startswith("SELECT"):
            return "OK done" if '"INBOX"' in command else "NO there is no such folder"
        elif command.startswith("UID SEARCH"):
            say("* SEARCH " + " ".join(str(uid) for uid, row in enumerate(self.mails, 1) if not row[1]))
        elif found := re.match(r"UID FETCH (\d+) \(BODY\.PEEK\[(HEADER)?\]", command):
            self.fetch(int(found[1]), found[2], say)
        elif found := re.match(r"UID STORE (\d+) \+FLAGS \(\\Seen\)", command):
            self.mails[int(found[1]) - 1][1] = True
        return "OK done"

    def fetch(self, uid, part, say):
        raw = self.mails[uid - 1][0]
        content = raw.split(b"\r\n\r\n")[0] + b"\r\n\r\n" if part else raw
        self.fetched.append((uid, part or "all"))
        say(f"* {uid} FETCH (UID {uid} BODY[{part or ''}] {{{len(content)}}}")
        say(content + b")\r\n")
