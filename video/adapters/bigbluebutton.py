"""BigBlueButton: signed addresses. Nobody is entered; the personal address is computed at the click.

A meeting that nobody is in is forgotten by the server after some minutes. `create` may be called again at any time with
the same values, so it is called before every entry.
"""

from __future__ import annotations

import hashlib
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode

from alliance import crypto
from video import recordings
from video.adapters import http, tokens
from video.adapters.base import Attendee, Facts, Plain, RemoteSession, SessionSpec
from video.adapters.credentials import Credentials
from video.adapters.errors import Misconfigured, OperatorActionNeeded, OutcomeUnknown, Unavailable, VideoError
from video.models import HostAccount, Meeting

_HASHES = ("sha1", "sha256", "sha384", "sha512")
_DECLARED = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)


def signed(base: str, call: str, values: Mapping[str, str], *, secret: str, algorithm: str = "sha256") -> str:
    """The address of a call, with the hash over call, encoded query and secret at its end."""
    query = urlencode(values)
    checksum = hashlib.new(algorithm, f"{call}{query}{secret}".encode()).hexdigest()
    return f"{base}/{call}?{query}{'&' if query else ''}checksum={checksum}"


class BigBlueButton(Plain):
    """A server of one's own, or one rented."""

    def __init__(self, account: HostAccount | None, *, within: float | None = None) -> None:
        """Raises OperatorActionNeeded without an account or without its address and secret."""
        super().__init__(account, within=within)
        if account is None:
            raise OperatorActionNeeded
        found = Credentials(account)
        self.base = http.check_base(found["URL"])
        self.secret = found["SECRET"]
        self.algorithm = found.get("CHECKSUM", "sha256").lower()
        if self.algorithm not in _HASHES:
            raise OperatorActionNeeded

    @classmethod
    def facts(cls) -> Facts:
        """Interpretation is not built in."""
        return Facts(forbids_recording=True, languages=frozenset())

    def create_session(self, meeting: Meeting, spec: SessionSpec, *, key: str) -> RemoteSession:
        """Our key is its id there. Asking shows that server and secret are right."""
        self._create(key, spec.title, is_recordable=spec.is_recordable)
        return RemoteSession(key)

    def update(self, meeting: Meeting, spec: SessionSpec) -> None:
        """The server knows no times; the title is given at the next entry."""

    def cancel(self, meeting: Meeting) -> None:
        """Nobody is let in any more; an empty meeting ends by itself."""

    def find_session(self, meeting: Meeting, *, key: str) -> RemoteSession | None:
        """Creating twice is harmless there: nothing needs to be looked for."""
        return None

    def join_url(self, meeting: Meeting, attendee: Attendee, *, now: datetime) -> str:
        """Make sure the meeting is there, then the person's own signed address."""
        refused = recordings.is_refused(session_id=meeting.session_id, conference_id=meeting.conference_id)
        self._create(meeting.provider_id, _title(meeting), is_recordable=not refused)
        values = {
            "fullName": attendee.display_name,
            "meetingID": meeting.provider_id,
            "role": "VIEWER",
            "userID": str(attendee.public_id),
            "guest": "true",
        }
        return self._signed("join", values)

    def _signed(self, call: str, values: Mapping[str, str]) -> str:
        return signed(self.base, call, values, secret=self.secret, algorithm=self.algorithm)

    def _create(self, meeting_id: str, title: str, *, is_recordable: bool) -> None:
        if not meeting_id:
            raise Misconfigured
        values = {"name": title[:200], "meetingID": meeting_id}
        if not is_recordable:
            values |= dict.fromkeys(("record", "autoStartRecording", "allowStartStopRecording"), "false")
        # Its own words for the two roles; nobody is told them, addresses are signed.
        for role in ("attendeePW", "moderatorPW"):
            values[role] = crypto.derive_token("bigbluebutton", role, meeting_id)[:32]
        answer = http.call(
            "GET", self._signed("create", values), types=http.XML, seconds=self._left(), is_question=True
        )
        if answer.status >= 400:
            raise OperatorActionNeeded
        error = error_of(answer.raw)
        if error is not None:
            raise error


def _title(meeting: Meeting) -> str:
    """What the server shows at the top; its id for a meeting of nothing."""
    thing = meeting.session or meeting.conference
    return thing.title.best("en").text if thing is not None else meeting.provider_id


def error_of(raw: bytes) -> VideoError | None:
    """What the server's XML says: None when it worked."""
    if _DECLARED.search(raw):  # no declarations, so that nothing in it can grow or fetch
        return Unavailable()
    try:
        root = ET.fromstring(raw)  # nosec B314 # noqa: S314 - without declarations, and of limited size
    except ET.ParseError:
        return Unavailable()
    if root.findtext("returncode") == "SUCCESS":
        return None
    match root.findtext("messageKey"):
        case "checksumError":
            return tokens.CredentialsRefused()
        case "idNotUnique" | "invalidMeetingIdentifier":
            return Misconfigured()
        case None:
            return OutcomeUnknown()
        case _:
            return OperatorActionNeeded()
