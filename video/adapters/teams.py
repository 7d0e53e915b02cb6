"""Microsoft Teams webinars, by Microsoft Graph.

Graph lets an application enter people in webinars, but not make, change or cancel one: that takes the organiser's own
consent, kept as a refresh token. So there are two tokens. The answer to an entry is empty; the registration and
the personal address are asked for afterwards. Our key stands in the description, by which a webinar is found again.
Graph knows nothing of interpretation: languages that the organiser adds in Teams are listed at the host account.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Unpack
from urllib.parse import parse_qs, quote, urlsplit

from django.utils.translation import gettext_lazy as _

from video.adapters import http, tokens
from video.adapters.base import (
    Attendee,
    Facts,
    Plain,
    RegistrantAction,
    RegistrantStatus,
    RemoteRegistrant,
    RemoteSession,
    SessionSpec,
    names_of,
)
from video.adapters.credentials import Credentials, replace
from video.adapters.errors import (
    AuthExpired,
    InvalidRequest,
    NotFound,
    OperatorActionNeeded,
    OutcomeUnknown,
    Thing,
    Unavailable,
    VideoError,
)
from video.models import HostAccount, Meeting

API_URL = "https://graph.microsoft.com/v1.0"
LOGIN_URL = "https://login.microsoftonline.com"
_ROOT = "/solutions/virtualEvents/webinars"
_MOST_PAGES = 100
_STATUSES = {
    "registered": RegistrantStatus.APPROVED,
    "waitlisted": RegistrantStatus.PENDING,
    "pendingApproval": RegistrantStatus.PENDING,
    "canceled": RegistrantStatus.DENIED,
    "rejectedByOrganizer": RegistrantStatus.DENIED,
}
# In which language Teams' own pages meet people.
_LOCALES = {"en": "en-us", "fr": "fr-fr", "de": "de-de", "it": "it-it", "es": "es-es", "ru": "ru-ru"}


class Teams(Plain):
    """Variables: TENANT_ID, CLIENT_ID, CLIENT_SECRET, and REFRESH_TOKEN of the user who holds the webinars."""

    def __init__(self, account: HostAccount | None, *, within: float | None = None) -> None:
        """Raises OperatorActionNeeded without an account."""
        super().__init__(account, within=within)
        if account is None:
            raise OperatorActionNeeded(_("The meeting has no host account."))
        self.holder = account
        self.credentials = Credentials(account)

    @classmethod
    def facts(cls) -> Facts:
        """Personal addresses for everybody; no interpretation that we could ask for."""
        return Facts(
            has_registrants=True, languages=frozenset(), hosts=("teams.microsoft.com", "teams.cloud.microsoft")
        )

    # --- webinars: as the organiser ---

    def create_session(self, meeting: Meeting, spec: SessionSpec, *, key: str) -> RemoteSession:
        """Make a draft, open to people from outside, with our key; update() publishes it."""
        body = _body(spec) | {"description": {"contentType": "text", "content": key}, "audience": "everyone"}
        data = self._call("POST", _ROOT, body=body, as_organiser=True).data
        return RemoteSession(http.text(data, "id", most=120))

    def update(self, meeting: Meeting, spec: SessionSpec) -> None:
        """Title and time; that Teams writes to nobody; and publish what is still a draft."""
        path = self._path(meeting)
        found = self._call("PATCH", path, body=_body(spec), as_organiser=True, is_question=True).data
        if found.get("status") == "canceled":  # for good: another one is needed
            raise NotFound(Thing.SESSION)
        if found.get("status") != "published":
            self._call("POST", f"{path}/publish", as_organiser=True, is_question=True)

    def cancel(self, meeting: Meeting) -> None:
        """Cancel it; it stays in the organiser's list. Gone or cancelled already is fine."""
        path = self._path(meeting)
        try:
            found = self._call("GET", path, as_organiser=True).data
            if found.get("status") != "canceled":
                self._call("POST", f"{path}/cancel", as_organiser=True, is_question=True)
        except NotFound:
            return

    def find_session(self, meeting: Meeting, *, key: str) -> RemoteSession | None:
        """Look through the organiser's webinars for our key."""
        for row in self._pages(f"{_ROOT}/getByUserRole(role='organizer')", {}, as_organiser=True):
            description = row.get("description")
            content = description.get("content") if isinstance(description, dict) else ""
            if key in str(content) and row.get("status") != "canceled":
                return RemoteSession(http.text(row, "id", most=120))
        return None

    # --- people: as the application ---

    def add_registrant(self, meeting: Meeting, attendee: Attendee) -> RemoteRegistrant:
        """Enter somebody, then ask what became of it: the answer is empty."""
        first, last = names_of(attendee.display_name)
        self._enter(meeting, first, last, attendee.email, _LOCALES.get(attendee.language, "en-us"))
        try:
            found = self.find_registrant(meeting, email=attendee.email)
        except VideoError:  # entered, but nobody knows how: never a reason to enter them again unseen
            raise OutcomeUnknown from None
        if found is None:
            raise OutcomeUnknown
        return found

    def registrants(self, meeting: Meeting) -> Iterator[RemoteRegistrant]:
        """All, page by page, without their addresses to join."""
        for row in self._pages(f"{self._path(meeting)}/registrations", {}):
            yield _registrant(row)

    def find_registrant(self, meeting: Meeting, *, email: str) -> RemoteRegistrant | None:
        """By filter. Who was cancelled and entered anew may be there twice: the better one counts."""
        quoted = email.replace("'", "''")
        path = f"{self._path(meeting)}/registrations"
        rows = self._pages(path, {"$filter": f"email eq '{quoted}'"})
        same = [one for one in map(_registrant, rows) if one.email.casefold() == email.casefold()]
        order = [RegistrantStatus.APPROVED, RegistrantStatus.PENDING, RegistrantStatus.DENIED]
        best = min(same, key=lambda one: order.index(one.status), default=None)
        if best is None or best.status is not RegistrantStatus.APPROVED:
            return best
        return RemoteRegistrant(best.provider_id, best.status, self._address(meeting, best.provider_id), best.email)

    def set_status(self, meeting: Meeting, registrants: Sequence[RemoteRegistrant], action: RegistrantAction) -> None:
        """Cancel, or enter anew by the names they had; Teams has no other way back."""
        for one in registrants:
            path = f"{self._path(meeting)}/registrations/{quote(one.provider_id, safe='')}"
            if action is not RegistrantAction.APPROVE:
                self._call("POST", f"{path}/cancel", about=Thing.REGISTRANT, is_question=True)
                continue
            row = self._call("GET", path, about=Thing.REGISTRANT).data
            names = (http.text(row, "firstName"), http.text(row, "lastName"), http.text(row, "email"))
            self._enter(meeting, *names, str(row.get("preferredLanguage") or "en-us"))

    def remove(self, meeting: Meeting, registrant_id: str) -> None:
        """Cancel somebody: Graph deletes nobody."""
        try:
            self.set_status(
                meeting, [RemoteRegistrant(registrant_id, RegistrantStatus.APPROVED)], RegistrantAction.CANCEL
            )
        except NotFound:
            return

    def _enter(self, meeting: Meeting, first: str, last: str, email: str, locale: str) -> None:
        body = {"firstName": first, "lastName": last, "email": email}
        body |= {"preferredTimezone": "UTC", "preferredLanguage": locale}
        self._call("POST", f"{self._path(meeting)}/registrations", body=body)

    def _address(self, meeting: Meeting, registrant_id: str) -> str:
        """The personal address; a webinar made by Graph has one session."""
        path = f"{self._path(meeting)}/registrations/{quote(registrant_id, safe='')}/sessions"
        rows = _rows(self._call("GET", path, about=Thing.REGISTRANT).data)
        if not rows:
            raise Unavailable
        return http.text(rows[0], "joinWebUrl")

    # --- calls ---

    def _path(self, meeting: Meeting) -> str:
        if not meeting.provider_id:
            raise NotFound(Thing.SESSION)
        return f"{_ROOT}/{quote(meeting.provider_id, safe='')}"

    def _pages(
        self, path: str, params: Mapping[str, str], *, as_organiser: bool = False
    ) -> Iterator[Mapping[str, Any]]:
        for _page in range(_MOST_PAGES):
            data = self._call("GET", path, params=params, as_organiser=as_organiser).data
            yield from _rows(data)
            following = data.get("@odata.nextLink")
            if not following:
                return
            # Only its query: the address stays ours.
            params = {name: values[-1] for name, values in parse_qs(urlsplit(str(following)).query).items()}
        raise OutcomeUnknown

    def _call(
        self,
        method: str,
        path: str,
        *,
        about: Thing = Thing.SESSION,
        as_organiser: bool = False,
        **asked: Unpack[http.Asked],
    ) -> http.Answer:
        """One call with the token of all, the application's or the organiser's."""
        url = http.check_base(self.credentials.get("API_URL", API_URL)) + path

        def ask(token: tokens.Token) -> http.Answer:
            headers = {"authorization": f"Bearer {token.value}"}
            return http.call(method, url, headers=headers, seconds=self._left(), **asked)

        try:
            answer = tokens.use(partial(self._token, as_organiser), ask)
        except AuthExpired:
            raise tokens.CredentialsRefused from None
        if answer.status >= 400:
            raise error_of(answer, about)
        return answer

    def _token(self, as_organiser: bool, *, refused: int | None = None) -> tokens.Token:
        found = self.credentials
        parts = ["teams", found["TENANT_ID"], found["CLIENT_ID"], found["CLIENT_SECRET"]]
        if as_organiser:  # the refresh token itself changes with each use
            parts += ["organiser", self.holder.host, str(self.holder.pk)]
        fetch = self._fetch_organiser if as_organiser else self._fetch
        return tokens.get(tokens.name_of(*parts), fetch, refused=refused, seconds=self._left())

    def _fetch(self) -> tokens.Fetched:
        return self._fetched({"grant_type": "client_credentials", "scope": "https://graph.microsoft.com/.default"})

    def _fetch_organiser(self) -> tokens.Fetched:
        """With the refresh token; the new one in the answer takes its place, or it would end in 90 days."""
        form = {
            "grant_type": "refresh_token",
            "refresh_token": self.credentials["REFRESH_TOKEN"],
            "scope": "https://graph.microsoft.com/VirtualEvent.ReadWrite offline_access",
        }
        return self._fetched(form)

    def _fetched(self, form: Mapping[str, str]) -> tokens.Fetched:
        found = self.credentials
        base = http.check_base(found.get("LOGIN_URL", LOGIN_URL))
        answer = http.call(
            "POST",
            f"{base}/{quote(found['TENANT_ID'], safe='')}/oauth2/v2.0/token",
            form={"client_id": found["CLIENT_ID"], "client_secret": found["CLIENT_SECRET"], **form},
            seconds=self._left(),
            is_question=True,
        )
        if answer.status >= 400:
            raise tokens.CredentialsRefused
        if "refresh_token" in form and isinstance(answer.data.get("refresh_token"), str):
            replace(self.holder, "REFRESH_TOKEN", answer.data["refresh_token"])
        seconds = answer.data.get("expires_in")
        lives = seconds if isinstance(seconds, int) and seconds > 60 else 3600
        return tokens.Fetched(http.text(answer.data, "access_token", most=8000), lives)


def _body(spec: SessionSpec) -> dict[str, Any]:
    return {
        "displayName": spec.title[:200],
        "startDateTime": _instant(spec.starts_at),
        "endDateTime": _instant(spec.ends_at),
        "settings": {"isAttendeeEmailNotificationEnabled": False},
    }


def _instant(moment: datetime) -> dict[str, str]:
    """Zones have Windows names there; UTC is one of them, and Teams shows everybody their own clock."""
    return {"dateTime": moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"), "timeZone": "UTC"}


def _registrant(row: Mapping[str, Any]) -> RemoteRegistrant:
    status = _STATUSES.get(str(row.get("status")), RegistrantStatus.PENDING)
    return RemoteRegistrant(http.text(row, "id", most=120), status, email=str(row.get("email") or ""))


def _rows(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    rows = data.get("value")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Unavailable
    return rows


def error_of(answer: http.Answer, about: Thing) -> VideoError:
    """Graph's error in our words, by the status: its codes for webinars are not written down."""
    if answer.status == 404:
        return NotFound(about)
    if answer.status == 403:
        return OperatorActionNeeded(_("Our account on the video platform lacks a licence or a right."))
    if answer.status == 409:
        return OutcomeUnknown()  # perhaps there already: look, then decide
    if answer.status in {408, 423}:
        return Unavailable()
    return InvalidRequest()
