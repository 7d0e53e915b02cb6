"""What this app checks, and the texts it brings."""

from __future__ import annotations

from collections.abc import Iterator

from events.models import Material, Recommendation, Segment, TextSection, Topic
from events.programme_checks import addresses, completeness, core, dates, sessions
from events.programme_checks.completeness import Text, fields
from events.programme_checks.core import Programme, row_of, row_within


def register_checks() -> None:
    """Make the checks and texts of this app known. Called in AppConfig.ready()."""
    core.register("days", 10, dates.check_days)
    core.register("sessions", 20, sessions.check_sessions)
    core.register("rooms", 30, sessions.check_rooms, finds_errors=False)
    core.register("segments", 35, sessions.check_segments, finds_errors=False)
    core.register("addresses", 60, addresses.check_addresses)
    core.register("printed texts", 70, dates.check_texts, finds_errors=False)
    core.register("translations", 80, completeness.check_translations, finds_errors=False)
    completeness.register_texts("programme", 10, texts)


def texts(programme: Programme) -> Iterator[Text]:
    """Everything of the programme that pages print, without the speakers: they are told by the app that knows them."""
    conference = programme.conference
    yield from fields(
        conference,
        "title",
        "level",
        "theme",
        "theme_subtitle",
        "goal",
        "description",
        "results_disclaimer",
        "neutral_title",
    )
    if conference.venue is not None:
        yield from fields(conference.venue, "name", "city")
    rooms = {session.room_id: session.room for session in programme.sessions if session.room is not None}
    for room in rooms.values():
        yield from fields(room, "name")
    of = {session.pk: session for session in programme.sessions}
    for session in programme.sessions:
        yield from fields(session, "title", "summary", "call_to_action", "audience", "join_link_rule")
    for segment in Segment.objects.filter(session__in=of).order_by("session", "position", "pk"):
        yield from fields(segment, "heading", row=row_within(segment, of[segment.session_id]))
    for section in TextSection.objects.filter(session__in=of).order_by("session", "position", "pk"):
        yield from fields(section, "heading", "text", row=row_within(section, of[section.session_id]))
    topics: set[str] = set()
    for result in Recommendation.objects.filter(session__in=of).in_printed_order():
        topics |= set(result.topics)
        yield from fields(result, "text", "addressee")
    if topics:
        for topic in Topic.objects.filter(key__in=topics).order_by("key"):
            yield from fields(topic, "name", row=row_of(conference))
    for material in Material.objects.filter(conference=conference).order_by("position", "pk"):
        if material.session_id is None or material.session_id in of:
            yield from fields(material, "title")
