"""The demo's mail server: takes every message and keeps it as a file, for the pages under /demo/mailbox/.

    python -m alliance.mailbox --dir var/mail --port 2525

A message is written under another name first and renamed, so a reader never sees half of one. Names sort by time of
arrival. Nothing is ever sent on. Not for production: whoever can connect (only this machine) can fill the disk.
"""

import argparse
import asyncio
import contextlib
import itertools
import os
import secrets
import signal
import sys
import time
from pathlib import Path
from typing import Any

LARGEST_MESSAGE = 20_000_000  # bytes
MESSAGES_KEPT = 2000  # the oldest go first


class Mailbox:
    """What aiosmtpd calls for each message."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._turn = itertools.count()
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for unfinished in directory.glob(".*.new"):
            unfinished.unlink(missing_ok=True)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Keep one message; the answer to the sender is given only when it is on the disk."""
        content = envelope.content if isinstance(envelope.content, bytes) else envelope.content.encode()
        head = "".join(f"X-Demo-Recipient: {address}\r\n" for address in envelope.rcpt_tos).encode("utf-8", "replace")
        try:
            self.keep(head + content)
        except OSError as error:
            return f"452 4.3.1 Cannot keep the message: {error.strerror}"
        return "250 2.0.0 Kept"

    def keep(self, content: bytes) -> Path:
        """Write one message; where it is."""
        name = f"{time.time_ns():020d}-{next(self._turn) % 1_000_000:06d}-{secrets.token_hex(4)}"
        draft = self.directory / f".{name}.new"
        with open(draft, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        final = self.directory / f"{name}.eml"
        draft.rename(final)
        return final

    def forget_oldest(self) -> None:
        """Keep the newest messages only."""
        for path in sorted(self.directory.glob("*.eml"))[:-MESSAGES_KEPT]:
            path.unlink(missing_ok=True)


async def serve(directory: Path, port: int) -> None:
    """Take mail on the loopback address until SIGTERM or SIGINT."""
    from aiosmtpd.smtp import SMTP

    mailbox = Mailbox(directory)
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for sig in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sig, stop.set)
    server = await loop.create_server(
        lambda: SMTP(mailbox, data_size_limit=LARGEST_MESSAGE, enable_SMTPUTF8=True, hostname="demo.localhost"),
        "127.0.0.1",
        port,
    )
    print(f"keeping mail from 127.0.0.1:{port} in {directory}", flush=True)
    while not stop.is_set():
        mailbox.forget_oldest()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 60)
    server.close()
    await server.wait_closed()


def main() -> int:
    """The command line; the exit code."""
    parser = argparse.ArgumentParser(description="The demo's mail server.")
    parser.add_argument("--dir", type=Path, required=True, help="where messages are kept")
    parser.add_argument("--port", type=int, required=True, help="where to listen on 127.0.0.1")
    options = parser.parse_args()
    try:
        asyncio.run(serve(options.dir, options.port))
    except OSError as error:
        print(f"mailbox: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
