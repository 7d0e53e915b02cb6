"""Zoom webinars and meetings, by server-to-server OAuth.

Facts that shape this: registration must be asked for when a meeting is made; Zoom's own mails are switched off, for
webinars only by a second call; the same person may be added three times a day; who was cancelled is "denied" and comes
back by being approved, not by being added; numbers of errors are reused, so the status comes first and the text helps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Unpack
from urllib.parse import quote, urlsplit

from django.utils.translation import gettext_lazy as _

from video.adapters import http, signed, tokens
from video.adapters.base import (
    Attendee,
    Facts,
    Plain,
    Presence,
    RegistrantAction,
    RegistrantStatus,
    RemoteRegistrant,
    RemoteSession,
    SessionSpec,
    WebhookResult,
)
from video.adapters.credentials import Credentials
from video.adapters.errors import (
    AuthExpired,
    CapacityReached,
    Closed,
    InvalidRequest,
    Misconfigured,
    NotFound,
    OperatorActionNeeded,
    OutcomeUnknown,
    Refused,
    Thing,
    Unavailable,
    VideoError,
)
from video.models import HostAccount, Meeting

TOKEN_URL = "https://zoom.us/oauth/token"  # noqa: S105 - an address
API_URL = "https://api.zoom.us"
# What every account has; further languages can be added to an account (HostAccount.own_languages).
LANGUAGES = frozenset({"en", "zh", "ja", "de", "fr", "ru", "pt", "es", "ko"})
_MAILS_OF_WEBINARS = (
    "attendees_and_panelists_reminder_email_notification",
    "follow_up_attendees_email_notification",
    "follow_up_absentees_email_notification",
)
_PAGE = 300
_MOST_PAGES = 100
_STATUSES = {
    "approved": RegistrantStatus.APPROVED,
    "pending": RegistrantStatus.PENDING,
    "denied": RegistrantStatus.DENIED,
}


class _Zoom(Plain):
    """What webinars and meetings have in common."""

    kind: str  # in addresses: "webinars" or "meetings"
    type: int

    def __init__(self, account: HostAccount | None, *, within: float | None = None) -> None:
        """Raises OperatorActionNeeded without an account."""
        super().__init__(account, within=within)
        if account is None:
            raise OperatorActionNeeded(_("The meeting has no host account."))
        self.credentials = Credentials(account)
        self.host = account.host or "me"

    @classmethod
    def facts(cls) -> Facts:
        """Personal addresses for everybody, and nine languages."""
        return Facts(
            has_registrants=True,
            forbids_recording=True,
            languages=LANGUAGES,
            hosts=("zoom.us", "zoomgov.com", "zoom.com"),
        )

    # --- meetings ---

    def create_session(self, meeting: Meeting, spec: SessionSpec, *, key: str) -> RemoteSession:
        """Make it, with our key in its agenda."""
        body = self._body(spec) | {"type": self.type, "agenda": key}
        body["settings"] |= {"approval_type": 0, "registration_type": 1}
        answer = self._call("POST", f"/users/{quote(self.host, safe='')}/{self.kind}", body=body)
        return _session(answer.data)

    def update(self, meeting: Meeting, spec: SessionSpec) -> None:
        """Title, time, languages; and that Zoom writes to nobody."""
        self._update(meeting, spec)

    def _update(self, meeting: Meeting, spec: SessionSpec, **silent: bool) -> None:
        body = self._body(spec)
        body["settings"] |= {"registrants_confirmation_email": False, **silent}
        self._call("PATCH", self._path(meeting), body=body, is_question=True)

    def cancel(self, meeting: Meeting) -> None:
        """Delete it without mails."""
        silent = "cancel_webinar_reminder" if self.kind == "webinars" else "cancel_meeting_reminder"
        try:
            self._call("DELETE", self._path(meeting), params={silent: "false"}, is_question=True)
        except NotFound:
            return

    def find_session(self, meeting: Meeting, *, key: str) -> RemoteSession | None:
        """Look through what the host has planned for our key."""
        path = f"/users/{quote(self.host, safe='')}/{self.kind}"
        for page in range(1, _MOST_PAGES):
            params = {"type": "scheduled", "page_size": _PAGE, "page_number": page}
            data = self._call("GET", path, params=params).data
            rows = _rows(data, self.kind)
            for row in rows:
                if row.get("agenda") == key:
                    return _session(row)
            if page >= int(data.get("page_count") or 1) or not rows:
                return None
        raise OutcomeUnknown

    def _body(self, spec: SessionSpec) -> dict[str, Any]:
        settings: dict[str, Any] = {"registrants_email_notification": False}
        if not spec.is_recordable:
            settings["auto_recording"] = "none"
        if spec.interpretation and self._languages().issuperset(spec.interpretation):
            settings["language_interpretation"] = {"enable": True}
        minutes = int((spec.ends_at - spec.starts_at).total_seconds() // 60)
        return {
            "topic": spec.title[:200],
            "start_time": spec.starts_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "timezone": spec.time_zone,
            "duration": max(minutes, 1),
            "settings": settings,
        }

    def _languages(self) -> frozenset[str]:
        own = self.account.own_languages if self.account else []
        return LANGUAGES | frozenset(own)

    # --- people ---

    def add_registrant(self, meeting: Meeting, attendee: Attendee) -> RemoteRegistrant:
        """Enter somebody under the one name they have here. Costs one of three calls a day."""
        body: dict[str, Any] = {"email": attendee.email, "first_name": attendee.display_name[:64]}
        body |= self._more
        data = self._call("POST", f"{self._path(meeting)}/registrants", body=body, about=Thing.SESSION).data
        return RemoteRegistrant(
            http.text(data, "registrant_id", most=120),
            RegistrantStatus.APPROVED,
            join_url=http.text(data, "join_url"),
            email=attendee.email,
        )

    _more: Mapping[str, Any] = {}

    def registrants(self, meeting: Meeting) -> Iterator[RemoteRegistrant]:
        """Three walks, for each status one: Zoom shows only who is approved unless asked for the others."""
        for name, status in _STATUSES.items():
            params: dict[str, Any] = {"status": name, "page_size": _PAGE}
            for _page in range(_MOST_PAGES):
                data = self._call("GET", f"{self._path(meeting)}/registrants", params=params).data
                for row in _rows(data, "registrants"):
                    yield RemoteRegistrant(
                        http.text(row, "id", most=120),
                        status,
                        join_url=str(row.get("join_url") or ""),
                        email=str(row.get("email") or ""),
                    )
                following = data.get("next_page_token")
                if not following:
                    break
                params = params | {"next_page_token": str(following)}
            else:
                raise OutcomeUnknown

    def set_status(self, meeting: Meeting, registrants: Sequence[RemoteRegistrant], action: RegistrantAction) -> None:
        """At most 30 at a time; ten times a day for each."""
        for first in range(0, len(registrants), 30):
            some = registrants[first : first + 30]
            people = [{"id": one.provider_id} | ({"email": one.email} if one.email else {}) for one in some]
            body = {"action": action.value, "registrants": people}
            self._call("PUT", f"{self._path(meeting)}/registrants/status", body=body, is_question=True)

    def remove(self, meeting: Meeting, registrant_id: str) -> None:
        """Delete somebody."""
        path = f"{self._path(meeting)}/registrants/{quote(registrant_id, safe='')}"
        try:
            self._call("DELETE", path, about=Thing.REGISTRANT, is_question=True)
        except NotFound:
            return

    # --- what it tells ---

    def attendance(self, meeting: Meeting) -> Sequence[Presence]:
        """From the report of the meeting that was held last; who came in without being entered is left out."""
        if not meeting.provider_id:
            raise NotFound(Thing.SESSION)
        path = f"/report/{self.kind}/{quote(meeting.provider_id, safe='')}/participants"
        params: dict[str, Any] = {"page_size": _PAGE, "include_fields": "registrant_id"}
        found: list[Presence] = []
        for _page in range(_MOST_PAGES):
            data = self._call("GET", path, params=params).data
            for row in _rows(data, "participants"):
                times = signed.instant(row.get("join_time")), signed.instant(row.get("leave_time"))
                if number := signed.word(row.get("registrant_id")):
                    found.append(Presence(number, *times))
            if not data.get("next_page_token"):
                return found
            params = params | {"next_page_token": str(data["next_page_token"])}
        raise OutcomeUnknown

    def parse_webhook(self, headers: Mapping[str, str], raw: bytes, *, now: datetime) -> WebhookResult:
        """An event, or the question whether the address is ours."""
        return signed.from_zoom(self.credentials.get("WEBHOOK_SECRET"), headers, raw, now=now)

    # --- calls ---

    def _path(self, meeting: Meeting) -> str:
        if not meeting.provider_id:
            raise NotFound(Thing.SESSION)
        return f"/{self.kind}/{quote(meeting.provider_id, safe='')}"

    def _call(
        self, method: str, path: str, *, about: Thing = Thing.SESSION, **asked: Unpack[http.Asked]
    ) -> http.Answer:
        """One call with the token of all; when a new one is refused, too, find out what is."""

        def ask(token: tokens.Token) -> http.Answer:
            url = f"{token.api_url or API_URL}/v2{path}"
            headers = {"authorization": f"Bearer {token.value}"}
            return http.call(method, url, headers=headers, seconds=self._left(), **asked)

        try:
            answer = tokens.use(self._token, ask)
        except AuthExpired:
            raise self._why_refused(self._token(), path) from None
        if answer.status >= 400:
            raise error_of(answer, about)
        return answer

    def _why_refused(self, token: tokens.Token, path: str) -> VideoError:
        """Zoom says "invalid token" also of a meeting that takes no registration: then its own page still answers."""
        parts = path.split("/")
        if len(parts) <= 3 or parts[1] != self.kind:
            return tokens.CredentialsRefused()
        url = f"{token.api_url or API_URL}/v2/{self.kind}/{parts[2]}"
        try:
            http.call("GET", url, headers={"authorization": f"Bearer {token.value}"}, seconds=self._left())
        except AuthExpired:
            return tokens.CredentialsRefused()
        return Misconfigured()

    def _token(self, *, refused: int | None = None) -> tokens.Token:
        found = self.credentials
        name = tokens.name_of("zoom", found["ACCOUNT_ID"], found["CLIENT_ID"], found["CLIENT_SECRET"])
        return tokens.get(name, self._fetch, refused=refused, seconds=self._left())

    def _fetch(self) -> tokens.Fetched:
        found = self.credentials
        answer = http.call(
            "POST",
            http.check_base(found.get("TOKEN_URL", TOKEN_URL)),
            form={"grant_type": "account_credentials", "account_id": found["ACCOUNT_ID"]},
            basic=(found["CLIENT_ID"], found["CLIENT_SECRET"]),
            seconds=self._left(),
            is_question=True,
        )
        if answer.status >= 400:
            raise tokens.CredentialsRefused
        seconds = answer.data.get("expires_in")
        seconds = seconds if isinstance(seconds, int) and 60 < seconds <= 86400 else 3600
        return tokens.Fetched(http.text(answer.data, "access_token", most=8000), seconds, self._api_url(answer.data))

    def _api_url(self, data: Mapping[str, Any]) -> str:
        """The regional address from the token's answer, if it is Zoom's; what settings say comes first."""
        if configured := self.credentials.get("API_URL"):
            return http.check_base(configured)
        given = str(data.get("api_url") or "")
        host = urlsplit(given).hostname or ""
        is_theirs = given.startswith("https://") and (host == "zoom.us" or host.endswith((".zoom.us", ".zoomgov.com")))
        return http.check_base(given) if is_theirs else API_URL


class ZoomWebinar(_Zoom):
    """A webinar: people listen, panelists speak."""

    kind = "webinars"
    type = 5

    def update(self, meeting: Meeting, spec: SessionSpec) -> None:
        """As every update; and nobody gets a mail of Zoom's about it."""
        self._update(meeting, spec, notify_registrants=False)

    def _body(self, spec: SessionSpec) -> dict[str, Any]:
        """Without Zoom's reminders before and its thanks after, which an account may have switched on for all."""
        body = super()._body(spec)
        body["settings"] |= {name: {"enable": False, "type": 0} for name in _MAILS_OF_WEBINARS}
        return body


class ZoomMeeting(_Zoom):
    """A meeting: everybody may speak."""

    kind = "meetings"
    type = 2
    _more = {"auto_approve": True}

    def _body(self, spec: SessionSpec) -> dict[str, Any]:
        body = super()._body(spec)
        body["settings"] |= {"registrants_confirmation_email": False, "email_notification": False}
        return body


def _session(data: Mapping[str, Any]) -> RemoteSession:
    return RemoteSession(
        http.text(data, "id", most=120),
        address=str(data.get("join_url") or ""),
        host_address=str(data.get("start_url") or ""),
        passcode=str(data.get("password") or ""),
    )


def _rows(data: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    rows = data.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Unavailable  # an answer to a question: it may be asked again
    return rows


def error_of(answer: http.Answer, about: Thing) -> VideoError:
    """Zoom's error in our words."""
    status, code, said = answer.status, answer.code, answer.message
    if status == 404 or code == "3001":
        gone = Thing.REGISTRANT if about is Thing.REGISTRANT and code != "3001" else Thing.SESSION
        return NotFound(gone)
    if code == "3079" or ("registrant" in said and ("was not found" in said or "id field is invalid" in said)):
        return NotFound(Thing.REGISTRANT)
    if code in {"3043", "3035"} or "limit for the number of attendees" in said:
        return CapacityReached()
    if code == "3038":
        return Closed()
    if code in {"3027", "3034"} or "invited as a panelist" in said:
        return Refused()
    if "not have registration" in said or "has not been enabled" in said or code == "404":
        return Misconfigured()
    if status == 403 or code in {"200", "3161", "1010", "4711"}:
        return OperatorActionNeeded(_("Our account on the video platform lacks a licence or a right."))
    return InvalidRequest()
