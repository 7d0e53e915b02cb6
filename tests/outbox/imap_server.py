"""A small IMAP server in a thread (RFC 3501, with UIDPLUS if asked for): one user, one folder, mails with flags."""

from __future__ import annotations

import re
import socketserver
import threading
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass
class Stored:
    """A mail of the mailbox."""

    raw: bytes
    flags: set[str] = field(default_factory=set)


class ImapServer:
    """Mails by UID. drops_after: ends the connection when so many commands have come."""

    def __init__(self, *mails: bytes, has_uidplus: bool = True) -> None:
        self.mails = {number: Stored(raw) for number, raw in enumerate(mails, start=7)}
        self.capabilities = "IMAP4rev1 UIDPLUS" if has_uidplus else "IMAP4rev1"
        self.drops_after = 100
        self.commands: list[str] = []
        owner = self

        class Handler(_Conversation):
            box = owner

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def url(self, user: str = "bounces%40office.example", password: str = "canary-word") -> str:  # noqa: S107 - a test
        """For BOUNCE_MAILBOX."""
        return f"imap://{user}:{password}@127.0.0.1:{self._server.server_address[1]}/Reports"

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Conversation(socketserver.StreamRequestHandler):
    box: ClassVar[ImapServer]

    def handle(self) -> None:
        """Greet, then answer line by line."""
        self.say("* OK ready")
        while line := self.rfile.readline().decode().strip():
            self.box.commands.append(line.partition(" ")[2])
            if len(self.box.commands) > self.box.drops_after:
                return
            tag, command = line.split(" ", 1)
            try:
                said = self.answer(command)
            except KeyError:
                said = "OK nothing"
            self.say(f"{tag} {said}")
            if command == "LOGOUT":
                return

    def say(self, text: str) -> None:
        """One line."""
        self.wfile.write(text.encode() + b"\r\n")

    def answer(self, command: str) -> str:
        """Do what a command says; the tagged answer."""
        mails = self.box.mails
        if command == "CAPABILITY":
            self.say(f"* CAPABILITY {self.box.capabilities}")
        elif command.startswith("LOGIN"):
            is_right = command == 'LOGIN bounces@office.example "canary-word"'
            return "OK welcome" if is_right else "NO wrong: bounces@office.example"
        elif command.startswith("SELECT"):
            assert command == 'SELECT "Reports"'
            self.say(f"* {len(mails)} EXISTS")
        elif command == "UID SEARCH UNSEEN":
            unseen = [str(number) for number, mail in mails.items() if r"\Seen" not in mail.flags]
            self.say(" ".join(["* SEARCH", *unseen]))
        elif found := re.fullmatch(r"UID FETCH (\d+) \(BODY\.PEEK\[\]<0\.(\d+)>\)", command):
            raw = mails[int(found[1])].raw[: int(found[2])]
            self.wfile.write(f"* 1 FETCH (UID {found[1]} BODY[]<0> {{{len(raw)}}}\r\n".encode() + raw + b")\r\n")
        elif found := re.fullmatch(r"UID STORE (\d+) \+FLAGS\.SILENT \((.+)\)", command):
            mails[int(found[1])].flags |= set(found[2].split())
        elif command == "EXPUNGE" or command.startswith("UID EXPUNGE"):
            for number in [number for number, mail in mails.items() if r"\Deleted" in mail.flags]:
                del mails[number]
        elif command == "LOGOUT":
            self.say("* BYE")
        else:
            return "BAD what"
        return "OK done"
