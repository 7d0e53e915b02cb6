"""What is checked about admissions before a programme is published. That one closes before it opens cannot be: the
database refuses it.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Prefetch

from events import programme_checks
from events.models import Format, RegistrationMode, Session, SessionKind
from events.programme_checks import Finding, Programme, error, row_of, title, warning
from registration.models import Admission, ApprovalMode, AttendanceMode, Reserve


def register_checks() -> None:
    """Make the checks of this app known. Called in AppConfig.ready()."""
    programme_checks.register("admissions", 50, check_admissions)


def check_admissions(programme: Programme) -> Iterator[Finding]:
    """Rooms that are too small, windows that help nobody, audience rules without effect, forms that are missing."""
    conference = programme.conference
    sessions = {session.pk: session for session in programme.sessions}
    admissions = list(
        Admission.objects.filter(conference=conference)
        .select_related("places")
        .prefetch_related("audience_organisations", Prefetch("reserves", Reserve.objects.holding()))
        .in_form_order()
    )
    for admission in admissions:
        if admission.session_id is not None and admission.session_id not in sessions:
            continue  # cancelled
        session = sessions.get(admission.session_id) if admission.session_id is not None else None
        admission.session, admission.conference = session, conference
        name = f"Admission {str(admission.get_mode_display()).lower()} to {title(session or conference)}"
        if session is not None:
            yield from _check_room(admission, session)
        yield from _check_taken(admission, session, name)
        yield from _check_window(admission, name)
        yield from _check_audience(admission, name)
        yield from _check_reserves(admission, name)
        other = {AttendanceMode.IN_PERSON: Format.ONLINE, AttendanceMode.ONLINE: Format.IN_PERSON}
        takes_place = (session.format if session is not None else "") or conference.format
        if takes_place == other[AttendanceMode(admission.mode)]:
            yield warning("admission_mode_differs", f"{name} does not fit the format {takes_place}.", row_of(admission))
    yield from _check_rooms_of_all(programme, admissions)
    admitted = {admission.session_id for admission in admissions}
    for session in programme.sessions:
        if session.registration_mode == RegistrationMode.OWN_FORM and session.pk not in admitted:
            text = f"{title(session)} has its own form, but no admission: nobody can register."
            yield warning("admission_missing", text, row_of(session))


def _check_room(admission: Admission, session: Session) -> Iterator[Finding]:
    room = session.room
    if admission.mode != AttendanceMode.IN_PERSON or room is None or room.capacity is None:
        return
    capacity, where = admission.places.capacity, f"{room.name.best('en').text} has {room.capacity} seats"
    if capacity is None:
        text = f"{title(session)} admits people in person without a limit, but {where}."
        yield warning("room_without_limit", text, row_of(admission))
    elif capacity > room.capacity:
        text = f"{title(session)} admits {capacity} people in person, but {where}."
        yield error("room_too_small", text, row_of(admission))


def _check_taken(admission: Admission, session: Session | None, name: str) -> Iterator[Finding]:
    """More people have a place than there are places, or seats in a room that was changed. Nobody is thrown out."""
    capacity, taken = admission.places.capacity, admission.places.taken
    if capacity is not None and taken > capacity:
        text = f"{name} has {taken} people with a place, but {capacity} places: {taken - capacity} more than there are."
        yield warning("more_confirmed_than_places", text, row_of(admission))
    room = session.room if session is not None else None
    if admission.mode != AttendanceMode.IN_PERSON or room is None or room.capacity is None:
        return
    if taken > room.capacity:
        text = f"{name} has {taken} people with a place, but {room.name.best('en').text} has {room.capacity} seats."
        yield warning("more_confirmed_than_seats", text, row_of(admission))


def _check_rooms_of_all(programme: Programme, admissions: list[Admission]) -> Iterator[Finding]:
    """Rooms of sessions that everybody at the conference may come to, and that have nothing beside them."""
    seats = [
        admission.places.capacity
        for admission in admissions
        if admission.session_id is None and admission.mode == AttendanceMode.IN_PERSON
    ]
    capacity = next((found for found in seats if found is not None), None)
    if capacity is None:
        return
    timed = [
        (session.starts_at, session.ends_at, session)
        for session in programme.sessions
        if session.starts_at is not None and session.ends_at is not None and session.kind != SessionKind.BREAK
    ]
    for start, end, session in timed:
        room = session.room
        if session.registration_mode != RegistrationMode.WITH_CONFERENCE or session.format == Format.ONLINE:
            continue
        if room is None or room.capacity is None or room.capacity >= capacity:
            continue
        if any(other is not session and start < until and since < end for since, until, other in timed):
            continue
        text = (
            f"{title(session)} is for all {capacity} people admitted in person, but {room.name.best('en').text} has "
            f"{room.capacity} seats."
        )
        yield warning("room_smaller_than_conference", text, row_of(session))


def _check_window(admission: Admission, name: str) -> Iterator[Finding]:
    """Registration that opens when all is over helps nobody; what closes after the end may be meant."""
    starts_at, ends_at = admission.span
    ends_at = ends_at or admission.conference.ends_at
    opens_at, closes_at = admission.opens_at, admission.closes_at
    if opens_at is not None and ends_at is not None and opens_at >= ends_at:
        yield error("admission_opens_too_late", f"{name} opens when it is over.", row_of(admission))
    elif opens_at is not None and starts_at is not None and opens_at >= starts_at:
        yield warning("admission_opens_after_start", f"{name} opens only after the start.", row_of(admission))
    if closes_at is not None and ends_at is not None and closes_at > ends_at:
        yield warning("admission_closes_after_end", f"{name} closes only after the end.", row_of(admission))


def _check_reserves(admission: Admission, name: str) -> Iterator[Finding]:
    """More reserved than there is, and seats that return when nobody moves up any more."""
    reserves, capacity = list(admission.reserves.all()), admission.places.capacity
    reserved = sum(reserve.places for reserve in reserves)
    if capacity is not None and reserved > capacity:
        text = f"{name} has {capacity} places, but {reserved} are reserved."
        yield error("reserves_larger_than_capacity", text, row_of(admission))
    until = admission.promotes_until
    if until is not None and any(reserve.returns_at and reserve.returns_at >= until for reserve in reserves):
        text = f"{name} gives reserved places back only when nobody moves up any more."
        yield warning("reserve_returns_too_late", text, row_of(admission))


def _check_audience(admission: Admission, name: str) -> Iterator[Finding]:
    has_rule = bool(
        admission.audience_categories or admission.audience_country_statuses or admission.audience_organisations.all()
    )
    if admission.approval == ApprovalMode.AUDIENCE and not has_rule:
        text = f"{name} lets its audience in, but names none: everybody waits for approval."
        yield warning("audience_empty", text, row_of(admission))
    elif admission.approval != ApprovalMode.AUDIENCE and has_rule:
        text = f"{name} names an audience that has no effect with approval “{admission.approval}”."
        yield warning("audience_without_effect", text, row_of(admission))
