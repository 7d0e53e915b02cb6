"""Webex meetings, by a service app or an integration with a refresh token.

A registrant has no link of their own there: a fresh one, good for an hour at most, is asked for at the click. Our key
stands in the meeting's integration tags, by which it is found again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Unpack
from urllib.parse import parse_qs, quote, urlsplit

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
    names_of,
)
from video.adapters.credentials import Credentials
from video.adapters.errors import (
    AuthExpired,
    InvalidRequest,
    Misconfigured,
    NotFound,
    OperatorActionNeeded,
    OutcomeUnknown,
    Thing,
    Unavailable,
    VideoError,
)
from video.models import HostAccount, Meeting

API_URL = "https://webexapis.com/v1"
LINK_LIVES = 60  # minutes; Webex allows no more
_PATCH = "application/json-patch+json"  # what its document demands for an ordinary object
_PAGE = 100
_MOST_PAGES = 100
_STATUSES = {
    "approved": RegistrantStatus.APPROVED,
    "pending": RegistrantStatus.PENDING,
    "rejected": RegistrantStatus.DENIED,
}
_ACTIONS = {RegistrantAction.APPROVE: "approve", RegistrantAction.DENY: "reject", RegistrantAction.CANCEL: "bulkDelete"}


class Webex(Plain):
    """Variables: CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN. The account's host is the host's work address."""

    joins_by_host = True

    def __init__(self, account: HostAccount | None, *, within: float | None = None) -> None:
        """Raises OperatorActionNeeded without an account."""
        super().__init__(account, within=within)
        if account is None:
            raise OperatorActionNeeded(_("The meeting has no host account."))
        self.credentials = Credentials(account)
        self.host = account.host

    @classmethod
    def facts(cls) -> Facts:
        """Any pair of languages, but whether there are any is said when the room is made; links on Webex' own hosts."""
        return Facts(
            has_registrants=True,
            forbids_recording=True,
            languages=None,
            changes_interpretation=False,
            hosts=("webex.com",),
        )

    # --- meetings ---

    def create_session(self, meeting: Meeting, spec: SessionSpec, *, key: str) -> RemoteSession:
        """Make it, with registration open to nobody but us, and no mails."""
        registration = dict.fromkeys(("requireFirstName", "requireLastName", "requireEmail", "autoAcceptRequest"), True)
        body = self._body(spec) | {
            **self._kind(),
            "enabledJoinBeforeHost": False,
            "integrationTags": [key],
            "registration": registration,
        }
        return _session(self._call("POST", "/meetings", body=body | self._by()).data)

    def update(self, meeting: Meeting, spec: SessionSpec) -> None:
        """Title and time."""
        body = self._body(spec) | self._by()
        body.pop("simultaneousInterpretation", None)  # only when it is made
        self._call("PATCH", self._path(meeting), body=body, kind=_PATCH, is_question=True)

    def cancel(self, meeting: Meeting) -> None:
        """Delete it without mails."""
        try:
            self._call("DELETE", self._path(meeting), params={"sendEmail": "false"} | self._by(), is_question=True)
        except NotFound:
            return

    def find_session(self, meeting: Meeting, *, key: str) -> RemoteSession | None:
        """By the tag."""
        data = self._call("GET", "/meetings", params={"integrationTag": key, "max": 10} | self._by()).data
        rows = _items(data)
        return _session(rows[0]) if rows else None

    def _body(self, spec: SessionSpec) -> dict[str, Any]:
        body: dict[str, Any] = {
            "title": spec.title[:128],
            "start": _minute(spec.starts_at),
            "end": _minute(spec.ends_at),
            "timezone": spec.time_zone,
            "sendEmail": False,
        }
        if not spec.is_recordable:
            body["enabledAutoRecordMeeting"] = False
        if spec.interpretation:
            body["simultaneousInterpretation"] = {"enabled": True}
        return body

    def _kind(self) -> dict[str, Any]:
        return {"scheduledType": "meeting"}

    def _by(self) -> dict[str, str]:
        return {"hostEmail": self.host} if self.host else {}

    # --- people ---

    def add_registrant(self, meeting: Meeting, attendee: Attendee) -> RemoteRegistrant:
        """Enter somebody; the answer has no link."""
        first, last = names_of(attendee.display_name)
        body = {"firstName": first, "lastName": last, "email": attendee.email, "sendEmail": False}
        data = self._call("POST", f"{self._path(meeting)}/registrants", params=self._by(), body=body).data
        return _registrant(data, email=attendee.email)

    def registrants(self, meeting: Meeting) -> Iterator[RemoteRegistrant]:
        """All, page by page; without dates Webex would show those of one week."""
        path, params = (
            f"{self._path(meeting)}/registrants",
            {
                "max": _PAGE,
                "registrationTimeFrom": "2020-01-01T00:00:00Z",
                "registrationTimeTo": "2100-01-01T00:00:00Z",
            }
            | self._by(),
        )
        for _page in range(_MOST_PAGES):
            answer = self._call("GET", path, params=params)
            yield from (_registrant(row, email=str(row.get("email") or "")) for row in _items(answer.data))
            following = _next(answer.headers)
            if not following:
                return
            params = params | following
        raise OutcomeUnknown

    def find_registrant(self, meeting: Meeting, *, email: str) -> RemoteRegistrant | None:
        """By asking for the address."""
        path = f"{self._path(meeting)}/registrants/query"
        for status in _STATUSES:
            body = {"emails": [email], "status": status}
            data = self._call("POST", path, params=self._by(), body=body, is_question=True).data
            for row in _items(data):
                if str(row.get("email", "")).casefold() == email.casefold():
                    return _registrant(row, email=email)
        return None

    def set_status(self, meeting: Meeting, registrants: Sequence[RemoteRegistrant], action: RegistrantAction) -> None:
        """Who is cancelled is taken off the list, and can be entered anew."""
        body = {"registrants": [{"id": one.provider_id} for one in registrants]}
        if action is not RegistrantAction.CANCEL:
            body |= {"sendEmail": False}  # type: ignore[dict-item]  # one flag beside the list
        path = f"{self._path(meeting)}/registrants/{_ACTIONS[action]}"
        self._call("POST", path, params=self._by(), body=body, about=Thing.REGISTRANT, is_question=True)

    def remove(self, meeting: Meeting, registrant_id: str) -> None:
        """Delete somebody."""
        path = f"{self._path(meeting)}/registrants/{quote(registrant_id, safe='')}"
        try:
            self._call("DELETE", path, params=self._by(), about=Thing.REGISTRANT, is_question=True)
        except NotFound:
            return

    def join_url(self, meeting: Meeting, attendee: Attendee, *, now: datetime) -> str:
        """A fresh link, in the one name they have here."""
        body = {
            "meetingId": meeting.provider_id,
            "joinDirectly": False,
            "email": attendee.email,
            "displayName": attendee.display_name[:128],
            "expirationMinutes": LINK_LIVES,
        }
        body |= self._by() if self.joins_by_host else {}
        return http.text(self._call("POST", "/meetings/join", body=body, is_question=True).data, "joinLink")

    # --- what it tells ---

    def attendance(self, meeting: Meeting) -> Sequence[Presence]:
        """Who was there, page by page, by the address they were entered with: Webex names no registrant here."""
        if not meeting.provider_id:
            raise NotFound(Thing.SESSION)
        params = {"meetingId": meeting.provider_id, "max": str(_PAGE)} | self._by()
        found: list[Presence] = []
        for _page in range(_MOST_PAGES):
            answer = self._call("GET", "/meetingParticipants", params=params)
            for row in _items(answer.data):
                times = signed.instant(row.get("joinedTime")), signed.instant(row.get("leftTime"))
                if row.get("state") != "lobby" and (email := str(row.get("email") or "")):
                    found.append(Presence("", *times, email=email))
            following = _next(answer.headers)
            if not following:
                return found
            params = params | following
        raise OutcomeUnknown

    def parse_webhook(self, headers: Mapping[str, str], raw: bytes, *, now: datetime) -> WebhookResult:
        """An event. Webex signs no time: see video.services.events for how repeated ones are told."""
        return signed.from_webex(self.credentials.get("WEBHOOK_SECRET"), headers, raw)

    # --- calls ---

    def _path(self, meeting: Meeting) -> str:
        if not meeting.provider_id:
            raise NotFound(Thing.SESSION)
        return f"/meetings/{quote(meeting.provider_id, safe='')}"

    def _call(
        self, method: str, path: str, *, about: Thing = Thing.SESSION, kind: str = "", **asked: Unpack[http.Asked]
    ) -> http.Answer:
        """One call with the token of all. kind: content type of the body, where it is not plain JSON."""
        url = http.check_base(self.credentials.get("API_URL", API_URL)) + path

        def ask(token: tokens.Token) -> http.Answer:
            headers = {"authorization": f"Bearer {token.value}"} | ({"content-type": kind} if kind else {})
            return http.call(method, url, headers=headers, seconds=self._left(), **asked)

        try:
            answer = tokens.use(self._token, ask)
        except AuthExpired:
            raise tokens.CredentialsRefused from None
        if answer.status >= 400:
            raise error_of(answer, about)
        return answer

    def _token(self, *, refused: int | None = None) -> tokens.Token:
        found = self.credentials
        name = tokens.name_of("webex", found["CLIENT_ID"], found["CLIENT_SECRET"], found["REFRESH_TOKEN"])
        return tokens.get(name, self._fetch, refused=refused, seconds=self._left())

    def _fetch(self) -> tokens.Fetched:
        found = self.credentials
        form = {
            "grant_type": "refresh_token",
            "client_id": found["CLIENT_ID"],
            "client_secret": found["CLIENT_SECRET"],
            "refresh_token": found["REFRESH_TOKEN"],
        }
        address = http.check_base(found.get("TOKEN_URL", f"{API_URL}/access_token"))
        answer = http.call("POST", address, form=form, seconds=self._left(), is_question=True)
        if answer.status >= 400:
            raise tokens.CredentialsRefused
        seconds = answer.data.get("expires_in")
        lives = seconds if isinstance(seconds, int) and seconds > 60 else 3600
        return tokens.Fetched(http.text(answer.data, "access_token", most=8000), lives)


class WebexWebinar(Webex):
    """A webinar: people listen, panelists speak. A further variable: WEBINAR_SESSION_TYPE, the site's number for it."""

    joins_by_host = False  # Webex takes the host's address for meetings only

    def _kind(self) -> dict[str, Any]:
        number = self.credentials["WEBINAR_SESSION_TYPE"]
        if not number.isdecimal():
            raise OperatorActionNeeded(_("WEBINAR_SESSION_TYPE must be a number."))
        return {"scheduledType": "webinar", "sessionTypeId": int(number)}


def _minute(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _session(data: Mapping[str, Any]) -> RemoteSession:
    return RemoteSession(
        http.text(data, "id", most=120),
        address=str(data.get("webLink") or ""),
        host_address=str(data.get("webLink") or ""),
        passcode=str(data.get("password") or ""),
    )


def _registrant(data: Mapping[str, Any], *, email: str) -> RemoteRegistrant:
    status = _STATUSES.get(str(data.get("status")), RegistrantStatus.PENDING)
    return RemoteRegistrant(http.text(data, "id", most=120), status, email=email)


def _items(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rows = data.get("items")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Unavailable
    return rows


def _next(headers: Mapping[str, str]) -> dict[str, str]:
    """The query of the next page, from the Link header; only that: the address stays ours."""
    for link in headers.get("link", "").split(","):
        address, _semicolon, relation = link.partition(";")
        if 'rel="next"' in relation.replace(" ", ""):
            query = urlsplit(address.strip(" <>")).query
            return {name: values[-1] for name, values in parse_qs(query).items()}
    return {}


def error_of(answer: http.Answer, about: Thing) -> VideoError:
    """Webex' error in our words. There are hardly any numbers: the status has to do."""
    if answer.status == 404:
        return NotFound(about)
    if answer.status == 403:
        return OperatorActionNeeded(_("Our account on the video platform lacks a licence or a right."))
    if answer.status == 409:
        return OutcomeUnknown()  # perhaps there already: look, then decide
    if answer.status == 423:
        return Unavailable()
    if "registration" in answer.message:
        return Misconfigured()
    return InvalidRequest()
