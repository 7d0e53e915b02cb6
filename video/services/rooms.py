"""A meeting's life on its platform: made, moved and taken off as the published programme says.

What is wanted is worked out from what is published and compared by fingerprint with what was ordered last. An order is
a message of the outbox, written with the change that causes it; a sweep finds what no change announced. Carrying out
an order reads everything anew, so that it may come late or twice. No transaction is open while a platform is asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

import outbox.services
from accounts.actors import Actor, audit_entry
from events.models import Conference, ConferenceState, Session, SessionState
from events.releases.reading import published
from video import adapters, alerts, recordings
from video.adapters.base import Adapter, Facts, RemoteSession, SessionSpec
from video.adapters.credentials import missing
from video.adapters.errors import NotFound, OutcomeUnknown, Unavailable, VideoError
from video.models import HostAccount, Meeting, MeetingState, Service
from video.services import hosts

log = structlog.get_logger("video")
SECRETS = ("address", "host_address", "passcode", "dial_in")
OVER_FOR = timedelta(days=1)  # then nothing is ordered for it any more


def topic_of(service: Service | str) -> str:
    """The topic of orders to a platform; each has a way out of its own."""
    return f"video.meeting.{Service(service).value}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What the platform should have. spec: None when nothing; why: in words for organisers, when nothing."""

    spec: SessionSpec | None
    fingerprint: str
    why: str = ""


@published
def plan(meeting: Meeting) -> Plan:
    """What the platform should have of a meeting, by the published programme. Reads session and conference anew."""
    found = Meeting.objects.select_related("session__conference", "conference").only(
        "state", "platform", "account_id", "generation", "opens_at", "closes_at", "session", "conference"
    )
    row = found.filter(pk=meeting.pk).first()  # None: its session is not published
    spec, why = _wanted(row) if row is not None else (None, _("The session is not published yet."))
    told = list(map(str, astuple(spec))) if spec else ["nothing"]
    if spec is not None and spec.is_recordable:
        told.pop()  # the last word is new: what was ordered before stays as it was
    words = [meeting.platform, meeting.generation, *told]
    return Plan(spec, hashlib.sha256("\x1f".join(map(str, words)).encode()).hexdigest(), why)


def _wanted(meeting: Meeting) -> tuple[SessionSpec | None, str]:
    session = meeting.session
    if session is None and meeting.session_id is not None:
        return None, _("The session is not published yet.")
    conference = session.conference if session is not None else meeting.conference
    if meeting.state == MeetingState.CANCELLED or conference is None or conference.state == ConferenceState.CANCELLED:
        return None, _("It does not take place.")
    if session is not None and session.state == SessionState.CANCELLED:
        return None, _("It does not take place.")
    if conference.state == ConferenceState.DRAFT or (session is not None and session.state == SessionState.DRAFT):
        return None, _("The session is not published yet.")
    starts_at = session.starts_at if session is not None else meeting.opens_at
    ends_at = session.ends_at if session is not None else meeting.closes_at
    if starts_at is None or ends_at is None:
        return None, _("The time is not known yet.")
    thing = session if session is not None else conference
    working = thing.working_languages or []
    spec = SessionSpec(
        title=thing.title.best("en").text,
        starts_at=starts_at,
        ends_at=ends_at,
        time_zone=str(conference.zone),
        language=working[0] if working else "en",
        interpretation=interpretation_of(thing),
        is_recordable=not recordings.is_refused(session_id=meeting.session_id, conference_id=meeting.conference_id),
    )
    return spec, ""


def interpretation_of(thing: Session | Conference) -> tuple[str, ...]:
    """The languages between which is interpreted: codes, in order; none when there is no interpretation."""
    if not thing.interpretation_languages:
        return ()
    return tuple(sorted({*thing.interpretation_languages, *(thing.working_languages or [])}))


# --- ordering -------------------------------------------------------------------------------------------------------


def order(meeting_id: int, *, now: datetime, again: bool = False) -> bool:
    """Order what the platform should have, in the caller's transaction; whether there was anything to order.

    again: also when the same was ordered before, because somebody asks for another try.
    """
    with transaction.atomic():
        meeting = Meeting.objects.select_for_update(of=["self"]).defer(*SECRETS).get(pk=meeting_id)
        service = meeting.service
        wanted = plan(meeting)
        if service is None or (meeting.ordered == wanted.fingerprint and not again):
            return False
        if wanted.spec is not None and wanted.spec.ends_at <= now:
            return False  # over: its room is left as it is, with its reports
        is_first = not meeting.ordered
        meeting.ordered = wanted.fingerprint
        meeting.revision += 1
        meeting.save(update_fields=["ordered", "revision", "updated_at"])
        if wanted.spec is None and is_first and not meeting.provider_id and not meeting.is_unsure:
            return False  # nothing was ever asked for, and no worker may be at it
        message = outbox.services.message(
            topic=topic_of(service),
            about_kind="meeting",
            about_id=meeting.public_id,
            version=meeting.revision,
            key=f"meeting:{meeting.public_id}:{meeting.revision}",
            order_key=f"meeting:{meeting.public_id}",
            now=now,
        )
        outbox.services.queue([message])
    return True


def order_all(meetings: Iterable[int], *, now: datetime) -> int:
    """Order for several, by primary key; how many there was anything to order for."""
    return sum(order(meeting_id, now=now) for meeting_id in sorted(meetings))


def order_what_changed(*, now: datetime) -> int:
    """The sweep: order for every meeting whose session was changed by a path that did not say so."""
    current = Meeting.objects.exclude(platform="static").filter(
        Q(made_ends_at=None) | Q(made_ends_at__gt=now - OVER_FOR)
    )
    changed = [one for one in current.defer(*SECRETS).order_by("pk") if one.ordered != plan(one).fingerprint]
    return order_all((one.pk for one in changed), now=now)


def start_over(meeting_id: int, *, by: Actor, now: datetime) -> None:
    """Make the room anew, in place of one that is broken. People keep their links; the old room is taken off."""
    with transaction.atomic():
        meeting = Meeting.objects.select_for_update(of=["self"]).defer(*SECRETS).get(pk=meeting_id)
        take_off(meeting, now=now)
        let_go(meeting)
        audit_entry(
            at=now, by=by, action="meeting.started_over", about_kind="meeting", about_id=meeting.public_id
        ).save()
        order(meeting_id, now=now, again=True)


def leave_platform(meeting_id: int, *, now: datetime) -> None:
    """Before a meeting gets another platform, in the caller's transaction: its room and account there are given up."""
    meeting = Meeting.objects.select_for_update(of=["self"]).defer(*SECRETS).get(pk=meeting_id)
    take_off(meeting, now=now)
    let_go(meeting)
    Meeting.objects.filter(pk=meeting_id).update(made_starts_at=None, made_ends_at=None)


def let_go(meeting: Meeting) -> None:
    """Forget the room that the platform has, in the caller's transaction. What is under way for it is void."""
    Meeting.objects.filter(pk=meeting.pk).update(
        generation=meeting.generation + 1,
        state=MeetingState.PLANNED,
        provider_id="",
        made="",
        ordered="",
        made_languages=None,
        is_unsure=False,
        last_error="",
        began_at=None,
        ended_at=None,
        **dict.fromkeys(SECRETS, ""),
    )


def take_off(meeting: Meeting, *, now: datetime) -> None:
    """Order that a room is taken off its platform, whatever becomes of the meeting. Nothing when there is none."""
    if not meeting.provider_id or meeting.service is None:
        return
    details = {"provider_id": meeting.provider_id, "account": meeting.account_id, "platform": meeting.platform}
    message = outbox.services.message(
        topic=topic_of(meeting.service),
        about_kind="meeting",
        about_id=meeting.public_id,
        key=f"room:{meeting.public_id}:{meeting.generation}",
        now=now,
        details=details,
    )
    outbox.services.queue([message])


# --- carrying out ---------------------------------------------------------------------------------------------------


def remove_room(*, platform: str, account_id: int | None, provider_id: str) -> None:
    """Take a room off its platform that is no meeting's any more. Raises VideoError."""
    account = HostAccount.objects.filter(pk=account_id or 0).first()
    adapters.adapter_for(platform, account).cancel(Meeting(platform=platform, provider_id=provider_id))


def carry_out(meeting: Meeting, *, now: datetime) -> None:
    """Make the platform have what it should have. Raises VideoError; what went wrong stands in last_error then."""
    try:
        _carry_out(meeting, now=now)
    except VideoError as error:
        Meeting.objects.filter(pk=meeting.pk).update(last_error=str(error.message)[:200])
        raise


def _carry_out(meeting: Meeting, *, now: datetime) -> None:
    wanted = plan(meeting)
    if wanted.spec is None:
        _take_away(meeting)
        return
    if meeting.provider_id and meeting.made == wanted.fingerprint:
        return
    account = hosts.reserve(meeting, wanted.spec, now=now)
    adapter = adapters.adapter_for(meeting.platform, account)
    if not meeting.provider_id:
        _make(meeting, wanted.spec, adapter, account, now=now)
    try:
        with hosts.spending(account, "changes", now=now):
            adapter.update(meeting, wanted.spec)
    except NotFound:  # somebody deleted it over there: the next try makes it anew
        with transaction.atomic():
            _write(meeting, provider_id="", made="", state=MeetingState.PLANNED)
            alerts.room_gone(meeting, now=now)
        raise Unavailable from None
    _write(meeting, made=wanted.fingerprint, state=MeetingState.READY, last_error="")


def _make(meeting: Meeting, spec: SessionSpec, adapter: Adapter, account: HostAccount, *, now: datetime) -> None:
    """Make the room, unless a call whose outcome was not known has made it."""
    remote = adapter.find_session(meeting, key=meeting.key) if meeting.is_unsure else None
    if remote is None:
        with hosts.spending(account, "changes", now=now):
            # Before the call: this process may not live to see its end.
            _write(meeting, is_unsure=True, made_languages=list(spec.interpretation))
            try:
                remote = adapter.create_session(meeting, spec, key=meeting.key)
            except OutcomeUnknown:
                raise
            except VideoError:
                _write(meeting, is_unsure=False)
                raise
    _adopt(meeting, remote, adapter)


def _adopt(meeting: Meeting, remote: RemoteSession, adapter: Adapter) -> None:
    values = {
        "provider_id": remote.provider_id,
        "address": remote.address,
        "host_address": remote.host_address,
        "passcode": remote.passcode,
        "is_unsure": False,
    }
    try:
        _write(meeting, **values)
    except Unavailable:  # the organiser started over meanwhile: this room is nobody's
        adapter.cancel(Meeting(platform=meeting.platform, provider_id=remote.provider_id))
        raise


def _take_away(meeting: Meeting) -> None:
    if not meeting.provider_id and not meeting.is_unsure:
        return
    adapter = adapters.adapter_for(meeting.platform, meeting.account)
    if not meeting.provider_id:
        remote = adapter.find_session(meeting, key=meeting.key)
        meeting.provider_id = remote.provider_id if remote else ""
    if meeting.provider_id:
        adapter.cancel(meeting)
    state = meeting.state if meeting.state == MeetingState.CANCELLED else MeetingState.PLANNED
    gone = dict.fromkeys(SECRETS, "")
    _write(meeting, provider_id="", made="", is_unsure=False, last_error="", state=state, **gone)


def _write(meeting: Meeting, **values: Any) -> None:
    """Write what became of the room. Raises Unavailable when an organiser let go of it meanwhile."""
    same = Meeting.objects.filter(pk=meeting.pk, generation=meeting.generation)
    if values.get("state") == MeetingState.READY:
        same = same.exclude(state=MeetingState.CANCELLED)
    if not same.update(**values):
        raise Unavailable
    for name, value in values.items():
        setattr(meeting, name, value)


# --- what organisers are told before --------------------------------------------------------------------------------


def warnings(meeting: Meeting) -> list[str]:
    """What will not work on the platform, in words, before it fails. Empty for a fixed address."""
    if meeting.service is None:
        return []
    try:
        facts = adapters.adapter_class(meeting.platform).facts()
    except VideoError as error:
        return [str(error.message)]
    accounts = list(
        HostAccount.objects.filter(service=meeting.service, is_active=True).defer("credentials").order_by("pk")
    )
    if meeting.account_id is not None:
        accounts = [account for account in accounts if account.pk == meeting.account_id]
    found = []
    if not accounts:
        found.append(_("There is no host account for this platform."))
    found += [
        _("The host account “%(label)s” lacks %(names)s.") % {"label": account.label, "names": ", ".join(names)}
        for account in accounts
        if (names := missing(account))
    ]
    wanted = plan(meeting)
    if wanted.spec is None:
        return found
    if lacking := languages_lacking(facts.languages, accounts, wanted.spec.interpretation):
        found.append(_("The platform has no interpretation for: %(languages)s.") % {"languages": ", ".join(lacking)})
    if keeps_old_interpretation(meeting, facts, wanted.spec.interpretation):
        found.append(
            _(
                "The interpretation was changed after the room was made, and this platform cannot be told: change it"
                " there, or make the room anew."
            )
        )
    if not wanted.spec.is_recordable:
        found.append(_("Somebody takes part who must not be recorded. Whoever hosts does not start a recording."))
        if not facts.forbids_recording:
            found.append(_("This platform cannot be told so: see that its own settings do not record by themselves."))
    if accounts and all(hosts.overlapping(account, wanted.spec, but=meeting) for account in accounts):
        found.append(str(hosts.NoHostFree.message))
    return found


def outlook(meeting: Meeting) -> str:
    """What the platform will be asked for next, in words for organisers."""
    if meeting.service is None:
        return _("Nothing: people are redirected to the address.")
    wanted = plan(meeting)
    if wanted.spec is None:
        return wanted.why
    if not meeting.provider_id:
        return _("The room will be made on the platform.")
    if meeting.made != wanted.fingerprint:
        return _("Title and time will be changed on the platform.")
    return _("Nothing: the platform has what the published programme says.")


def keeps_old_interpretation(meeting: Meeting, facts: Facts, spoken: Iterable[str]) -> bool:
    """Whether there is a room that was made for other interpretation than this, or none, and is not told of it."""
    made = meeting.made_languages
    return not facts.changes_interpretation and bool(meeting.provider_id) and made is not None and {*made} != {*spoken}


def languages_lacking(
    known: frozenset[str] | None, accounts: Iterable[HostAccount], spoken: Iterable[str]
) -> list[str]:
    """Languages of the interpretation that no account has."""
    if known is None:
        return []
    own = {language for account in accounts for language in account.own_languages}
    return sorted(set(spoken) - known - own)
