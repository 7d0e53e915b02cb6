"""People in meetings on platforms: entered, looked for, taken out, and nobody twice.

A row per person and meeting says how things stand. Whoever makes the calls, a worker or the gateway, claims it for a
while, and no lock is held meanwhile. A row that is still "being entered" when nobody works on it means that the outcome
is not known: the platform is asked before anything is repeated.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from alliance import crypto
from video import adapters
from video.adapters.base import Adapter, Attendee, RegistrantAction, RegistrantStatus, RemoteRegistrant
from video.adapters.errors import (
    Closed,
    HeldBack,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Scope,
    Unavailable,
    VideoError,
)
from video.adapters.static import UnsafeAddress, address_host
from video.models import Meeting, MeetingState, PlatformPrivacy, Registrant, RegistrantState
from video.services import hosts

CLAIMED = timedelta(seconds=90)  # longer than all calls for one person take
ADDS_A_DAY = 2  # per person and meeting; Zoom refuses the fourth, and one is kept for the organiser


class NotMadeYet(Unavailable):
    """The meeting is not ready on its platform."""

    code = "video_not_made_yet"
    message = _("The meeting is not ready on its platform yet.")


class BeingEntered(Unavailable):
    """Somebody else is entering the same person at this moment."""

    code = "video_being_entered"


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody with a place. id: public id of the registration. email: asked for only where it may be told."""

    id: UUID
    display_name: str = field(repr=False)
    has_alias: bool = False
    language: str = "en"
    email: Callable[[], str] = field(default=str, repr=False)


def attendee(meeting: Meeting, guest: Guest, *, relay: str = "") -> Attendee:
    """What the platform may learn of somebody. relay: the made-up address; the own one is used where none is needed.

    An alias is the whole name and never stands beside the person's own address. Where the conference hides people, the
    others are a number.
    """
    hidden = hides_people(meeting)
    name = guest.display_name if guest.has_alias or not hidden else f"Guest {number_of(guest.id)}"
    email = relay if guest.has_alias or hidden else guest.email()
    return Attendee(public_id=guest.id, display_name=name, email=email, language=guest.language)


def hides_people(meeting: Meeting) -> bool:
    """Whether the conference gives platforms neither names nor addresses."""
    of = Q(conference=meeting.conference_id) | Q(conference__sessions=meeting.session_id)
    return PlatformPrivacy.objects.filter(of, hides_people=True).exists()


def number_of(person_id: UUID) -> str:
    """A short number for somebody, the same in all meetings of theirs and made from nothing they told us."""
    return crypto.token_hash(crypto.derive_token("guest", str(person_id))).hex()[:6].upper()


def address_of(meeting: Meeting, guest: Guest, *, now: datetime, within: float | None = None) -> str:
    """The person's own address on the platform, made now when there is none. A secret: redirect to it, nothing else.

    within: seconds for everything. Raises VideoError.
    """
    row = _entered(meeting, guest, now=now, within=within)
    if row.join_url:
        return _checked(meeting, row.join_url)
    adapter = adapters.adapter_for(meeting.platform, meeting.account, within=within)
    return _checked(meeting, adapter.join_url(meeting, attendee(meeting, guest, relay=row.relay), now=now))


def enter(meeting: Meeting, guest: Guest, *, now: datetime) -> None:
    """Make sure that the person is entered, once. Raises VideoError."""
    _entered(meeting, guest, now=now, within=None)


def _entered(meeting: Meeting, guest: Guest, *, now: datetime, within: float | None) -> Registrant:
    if meeting.state != MeetingState.READY or not meeting.provider_id:
        raise NotMadeYet
    row = _row(meeting, guest.id)
    is_current = row.provider_meeting == meeting.provider_id
    if is_current and row.state == RegistrantState.ADDED:
        return row
    if is_current and row.state == RegistrantState.REFUSED:
        raise Refused
    _claim(row, now=now, state=RegistrantState.SENDING, provider_meeting=meeting.provider_id)
    # Been there before, or perhaps: look before adding. Who was cancelled can only be approved again.
    must_look = is_current and row.state in {RegistrantState.SENDING, RegistrantState.REMOVED}
    after_failure = RegistrantState.SENDING if must_look else RegistrantState.WANTED
    try:
        adapter = adapters.adapter_for(meeting.platform, meeting.account, within=within)
        is_hidden = guest.has_alias or hides_people(meeting)
        person = attendee(meeting, guest, relay=_relay(row) if is_hidden else "")
        found = adapter.find_registrant(meeting, email=person.email) if must_look else None
        if found is not None and found.status != RegistrantStatus.APPROVED:
            found = _approved(adapter, meeting, found)
        if found is None:
            with _counted_add(row, meeting, now=now):
                found = adapter.add_registrant(meeting, person)
        row.mark = mark_of(person.email)
    except OutcomeUnknown as error:
        _free(row, RegistrantState.SENDING, error)
        raise
    except (Unavailable, RateLimited) as error:
        _free(row, after_failure, error)
        raise
    except VideoError as error:
        # A person is refused for good; what is wrong with meeting or account is mended, and then they are tried again.
        is_theirs = isinstance(error, Refused)
        _free(row, RegistrantState.REFUSED if is_theirs else after_failure, error)
        raise
    except BaseException:
        _free(row, RegistrantState.SENDING, None)
        raise
    row.provider_id, row.join_url = found.provider_id, found.join_url
    row.state, row.busy_until, row.last_error = RegistrantState.ADDED, None, ""
    fields = ["provider_id", "join_url", "state", "busy_until", "last_error", "mark", "updated_at"]
    row.save(update_fields=fields)
    return row


def _approved(adapter: Adapter, meeting: Meeting, found: RemoteRegistrant) -> RemoteRegistrant:
    adapter.set_status(meeting, [found], RegistrantAction.APPROVE)
    again = adapter.find_registrant(meeting, email=found.email)
    if again is None or again.status != RegistrantStatus.APPROVED:
        raise OutcomeUnknown
    return again


def leave(meeting: Meeting, person_id: UUID, *, email: Callable[[], str], now: datetime) -> None:
    """Make sure that the person is not in the meeting any more. Raises VideoError.

    email: their own address, for looking when the outcome of entering them was not known and no other was used.
    """
    row = Registrant.objects.filter(meeting=meeting, person_id=person_id).first()
    if row is None or row.state == RegistrantState.REMOVED:
        return
    was_there = row.state in {RegistrantState.ADDED, RegistrantState.SENDING}
    if was_there and meeting.provider_id and row.provider_meeting == meeting.provider_id:
        before = RegistrantState(row.state)
        _claim(row, now=now, state=before)
        try:
            _cancelled(adapters.adapter_for(meeting.platform, meeting.account), meeting, row, email)
        except VideoError as error:
            _free(row, before, error)
            raise
    row.state, row.busy_until, row.last_error = RegistrantState.REMOVED, None, ""
    row.join_url = ""
    row.save(update_fields=["state", "busy_until", "last_error", "join_url", "updated_at"])


def _cancelled(adapter: Adapter, meeting: Meeting, row: Registrant, email: Callable[[], str]) -> None:
    try:
        if row.provider_id:
            them: RemoteRegistrant | None = RemoteRegistrant(row.provider_id, RegistrantStatus.APPROVED)
        else:
            them = adapter.find_registrant(meeting, email=row.relay or email())
        if them is not None and them.status != RegistrantStatus.DENIED:
            adapter.set_status(meeting, [them], RegistrantAction.CANCEL)
            row.provider_id = them.provider_id
    except (NotFound, Closed):
        return  # gone already, or over


def mark_of(email: str) -> bytes | None:
    """The keyed hash by which somebody is known again whom a platform names by address; None without one."""
    return crypto.blind_index("platform-person", email.casefold()) if email else None


def forget(person_ids: Iterable[UUID]) -> None:
    """Make what we keep of erased people worthless. That they are taken off the platforms is up to leave()."""
    Registrant.objects.filter(person_id__in=list(person_ids)).update(join_url="", last_error="", mark=None)


# --- another name -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Former:
    """Somebody as a platform knew them before they chose another name. provider_id: empty when it is not known."""

    person_id: UUID
    provider_meeting: str
    provider_id: str


def rename(person_ids: Iterable[UUID]) -> list[Former]:
    """Let nobody in by a place that was taken under another name, in the caller's transaction.

    Platforms do not rename. Whoever asks next is entered anew, with another made-up address; the former ones are to be
    taken off (leave_as_before). Rows that somebody works on at this moment are left to that.
    """
    rows = Registrant.objects.select_for_update().filter(
        person_id__in=list(person_ids), state__in=[RegistrantState.ADDED, RegistrantState.SENDING]
    )
    found = []
    for row in rows.order_by("pk"):
        is_known = row.state == RegistrantState.ADDED and row.busy_until is None and bool(row.provider_id)
        found.append(Former(row.person_id, row.provider_meeting, row.provider_id if is_known else ""))
        if is_known:
            _start_anew(row.pk)
    return found


def leave_as_before(meeting: Meeting, former: Former, *, email: Callable[[], str], now: datetime) -> None:
    """Take somebody off under the name they had. May be done again. Raises VideoError."""
    if former.provider_meeting != meeting.provider_id:
        return  # made anew since; nobody of before is there
    if former.provider_id:
        them = RemoteRegistrant(former.provider_id, RegistrantStatus.APPROVED)
        try:
            adapters.adapter_for(meeting.platform, meeting.account).set_status(meeting, [them], RegistrantAction.CANCEL)
        except (NotFound, Closed):
            return
    else:
        leave(meeting, former.person_id, email=email, now=now)
        Registrant.objects.filter(meeting=meeting, person_id=former.person_id).update(relay="")


def _start_anew(pk: int) -> None:
    Registrant.objects.filter(pk=pk).update(
        state=RegistrantState.WANTED, provider_id="", join_url="", relay="", last_error=""
    )


# --- rows -----------------------------------------------------------------------------------------------------------


def _row(meeting: Meeting, person_id: UUID) -> Registrant:
    Registrant.objects.bulk_create([Registrant(meeting=meeting, person_id=person_id)], ignore_conflicts=True)
    return Registrant.objects.get(meeting=meeting, person_id=person_id)


def _claim(row: Registrant, *, now: datetime, state: RegistrantState, **values: str | None) -> None:
    """Take the row for a while. Raises BeingEntered when somebody has it, or changed it since it was read."""
    free = Registrant.objects.filter(Q(busy_until=None) | Q(busy_until__lte=now), pk=row.pk, state=row.state)
    if values.get("provider_meeting", row.provider_meeting) != row.provider_meeting:
        row.mark = row.joined_at = row.left_at = None
        values |= {"provider_id": "", "mark": None, "joined_at": None, "left_at": None}
    if not free.update(busy_until=now + CLAIMED, state=state, **values):
        raise BeingEntered


def _free(row: Registrant, state: RegistrantState, error: VideoError | None) -> None:
    reason = str(error.message)[:200] if error else ""
    Registrant.objects.filter(pk=row.pk).update(state=state, busy_until=None, last_error=reason)


def _relay(row: Registrant) -> str:
    """The made-up address of the row; made once, so that the platform knows them again."""
    if not row.relay:
        row.relay = f"{secrets.token_hex(12)}@{settings.VIDEO_RELAY_DOMAIN}"
        row.save(update_fields=["relay"])
    return row.relay


@contextmanager
def _counted_add(row: Registrant, meeting: Meeting, *, now: datetime) -> Iterator[None]:
    """Count the call inside, which adds, unless the platform never saw it, or had too many calls of everybody's.

    Raises HeldBack: platforms refuse people who are added too often a day.
    """
    today = now.astimezone(UTC).date()
    mine = Registrant.objects.filter(pk=row.pk)
    mine.exclude(adds_on=today).update(adds_on=today, adds=0)
    if not mine.filter(adds__lt=ADDS_A_DAY).update(adds=F("adds") + 1):
        raise HeldBack(retry_at=hosts.next_day(now), scope=Scope.REGISTRANT)
    try:
        with ExitStack() as spending:
            if meeting.account is not None:
                spending.enter_context(hosts.spending(meeting.account, "registrants", now=now))
            yield
    except (*hosts.NOT_COUNTED, RateLimited) as error:
        if isinstance(error, RateLimited) and error.scope is Scope.REGISTRANT:
            raise
        mine.filter(adds_on=today, adds__gt=0).update(adds=F("adds") - 1)
        raise


def _checked(meeting: Meeting, url: str) -> str:
    """A personal address, if it leads to the platform. Raises UnsafeAddress."""
    host = address_host(url)
    ends = adapters.adapter_class(meeting.platform).facts().hosts
    if ends and not any(host == end or host.endswith(f".{end}") for end in ends):
        raise UnsafeAddress(_("The host of the address is not among the hosts we may redirect to."))
    return url
