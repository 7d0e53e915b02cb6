"""Jitsi on a server of one's own: a room with a name nobody guesses, and a signed pass if the server asks for one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import jwt

from video import recordings
from video.adapters import http
from video.adapters.base import Attendee, Facts, Plain, RemoteSession, SessionSpec
from video.adapters.credentials import Credentials
from video.adapters.errors import Misconfigured, OperatorActionNeeded
from video.models import HostAccount, Meeting

PASS_LIVES = timedelta(hours=2)  # long enough to come back after a lost connection
EARLIER = timedelta(minutes=1)  # for a server whose clock is behind


class Jitsi(Plain):
    """Variables: URL; with a pass also APP_ID and APP_SECRET."""

    def __init__(self, account: HostAccount | None, *, within: float | None = None) -> None:
        """Raises OperatorActionNeeded without an account or its address."""
        super().__init__(account, within=within)
        if account is None:
            raise OperatorActionNeeded
        self.credentials = Credentials(account)
        self.base = http.check_base(self.credentials["URL"])

    @classmethod
    def facts(cls) -> Facts:
        """Interpretation is not built in."""
        return Facts(forbids_recording=True, languages=frozenset())

    def create_session(self, meeting: Meeting, spec: SessionSpec, *, key: str) -> RemoteSession:
        """A room is made by whoever comes first; its name is our key."""
        return RemoteSession(key)

    def update(self, meeting: Meeting, spec: SessionSpec) -> None:
        """The server knows no times."""

    def cancel(self, meeting: Meeting) -> None:
        """Nobody is let in any more."""

    def find_session(self, meeting: Meeting, *, key: str) -> RemoteSession | None:
        """Nothing is made there beforehand."""
        return None

    def join_url(self, meeting: Meeting, attendee: Attendee, *, now: datetime) -> str:
        """The room, with a pass in the person's display name."""
        room = meeting.provider_id
        if not room:
            raise Misconfigured
        address = f"{self.base}/{quote(room, safe='')}"
        app_id, secret = self.credentials.get("APP_ID"), self.credentials.get("APP_SECRET")
        if not (app_id and secret):
            return f"{address}#{urlencode({'userInfo.displayName': _quoted(attendee.display_name)})}"
        claims: dict[str, Any] = {
            "iss": app_id,
            "aud": self.credentials.get("AUDIENCE", app_id),
            "sub": self.credentials.get("SUBJECT") or (urlsplit(self.base).hostname or ""),
            "room": room,
            "nbf": int((now - EARLIER).timestamp()),
            "exp": int((now + PASS_LIVES).timestamp()),
            "context": {"user": {"id": str(attendee.public_id), "name": attendee.display_name}},
        }
        if recordings.is_refused(session_id=meeting.session_id, conference_id=meeting.conference_id):
            claims["context"] |= {"features": {"recording": False, "livestreaming": False}}
        return f"{address}?{urlencode({'jwt': jwt.encode(claims, secret, algorithm='HS256')})}"


def _quoted(text: str) -> str:
    """A text as Jitsi reads it from the part behind the #."""
    return '"' + text.replace("\\", "").replace('"', "") + '"'
