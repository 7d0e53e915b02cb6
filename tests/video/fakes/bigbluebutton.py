"""BigBlueButton as far as we use it: it checks the signature and answers in XML."""

from __future__ import annotations

import hashlib
from urllib.parse import urlencode

from tests.video.fakes.server import Exchange, Fake, Reply

SECRET = "639259d4-9dd8-4b25-bf01-95f9567eaf4b"  # of the published example


class FakeBigBlueButton(Fake):
    """Meetings by id."""

    def __init__(self) -> None:
        self.meetings: dict[str, str] = {}
        super().__init__()

    def reply(self, exchange: Exchange) -> Reply:
        """What the server answers."""
        call = exchange.path.rpartition("/")[2]
        values = {name: value for name, value in exchange.query.items() if name != "checksum"}
        wanted = hashlib.sha256(f"{call}{urlencode(values)}{SECRET}".encode()).hexdigest()
        if exchange.query.get("checksum") != wanted:
            return self._xml("FAILED", "checksumError")
        self.meetings[values["meetingID"]] = values["name"]
        return self._xml("SUCCESS", "duplicateWarning")

    @staticmethod
    def _xml(code: str, key: str) -> Reply:
        text = f"<response><returncode>{code}</returncode><messageKey>{key}</messageKey></response>"
        return Reply(200, text.encode(), kind="text/xml;charset=utf-8")
