"""What is checked about speakers before a programme is published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import combinations

from events import programme_checks
from events.models import SessionKind
from events.programme_checks import Finding, Programme, Text, error, row_of, title, warning
from events.programme_checks.completeness import fields
from speakers import protection
from speakers.models import Contribution, ContributionStatus, Delivery, Person, Role

# Who leads a panel, under whatever word it is printed.
LEADS = {Role.MODERATOR, Role.MODERATOR_AND_PRESENTER, Role.CHAIR, Role.FACILITATOR}
GONE = [ContributionStatus.DECLINED, ContributionStatus.REPLACED]
# What somebody has to lead; a side event once several people speak there.
LED = {SessionKind.PANEL, SessionKind.DISCUSSION, SessionKind.ROUNDTABLE}


def register_checks() -> None:
    """Make the checks and texts of this app known. Called in AppConfig.ready()."""
    programme_checks.register("speakers", 40, check_speakers)
    programme_checks.register_texts("speakers", 20, texts)


def _contributions(programme: Programme) -> list[Contribution]:
    return list(
        Contribution.objects.filter(session__in=[session.pk for session in programme.sessions])
        .exclude(status__in=GONE)
        .exclude(final_status__in=GONE)
        .select_related("person", "segment", "session", "organisation", "country")
        .in_printed_order()
    )


def check_speakers(programme: Programme) -> Iterator[Finding]:
    """Panels without a moderator, seats to be confirmed, and persons in two places at once."""
    contributions = _contributions(programme)
    led = {contribution.session_id for contribution in contributions if contribution.role in LEADS}
    several = {key for key, count in Counter(row.session_id for row in contributions).items() if count > 1}
    for session in programme.sessions:
        needs_lead = session.kind in LED or (session.is_side_event and session.pk in several)
        if needs_lead and session.pk not in led:
            yield warning("moderator_missing", f"{title(session)} has no moderator.", row_of(session))
    for contribution in contributions:
        is_settled = contribution.final_status == ContributionStatus.CONFIRMED
        if contribution.is_to_be_confirmed and not is_settled:
            text = f"{_who(contribution)} in {title(contribution.session)} is still to be confirmed."
            yield warning("tbc_open", text, row_of(contribution))
    yield from _overlaps(contributions)
    yield from _not_recorded(programme)


def _not_recorded(programme: Programme) -> Iterator[Finding]:
    """Sessions in which somebody speaks who must not be recorded or photographed. Who it is, is not said."""
    ids = [session.pk for session in programme.sessions]
    unrecorded, unphotographed = protection.unrecorded(ids), protection.unphotographed(ids)
    for session in programme.sessions:
        if session.pk in unrecorded:
            text = f"{title(session)} must not be recorded: somebody who speaks there has asked so."
            yield warning("session_not_recorded", text, row_of(session))
        if session.pk in unphotographed:
            text = f"In {title(session)} nobody takes photographs: somebody who speaks there has asked so."
            yield warning("session_not_photographed", text, row_of(session))


def _who(contribution: Contribution) -> str:
    """The name as it is shown. A hidden person has none here either."""
    if contribution.person is not None and contribution.person.is_hidden:
        return "A hidden person"
    return contribution.name or f"“{contribution.unnamed_label.best('en').text}”"


def _span(contribution: Contribution) -> tuple[datetime, datetime] | None:
    """When somebody is needed: for the segment where its time is known, else for the whole session."""
    for part in (contribution.segment, contribution.session):
        if part is not None and part.starts_at is not None and part.ends_at is not None:
            return part.starts_at, part.ends_at
    return None


def _overlaps(contributions: list[Contribution]) -> Iterator[Finding]:
    """Each person and pair of sessions once, whatever the roles. Who speaks by video can be in both: a warning."""
    of_person: dict[int, list[tuple[datetime, datetime, Contribution]]] = {}
    for contribution in contributions:
        span = _span(contribution)
        if contribution.person_id is not None and span is not None:
            of_person.setdefault(contribution.person_id, []).append((*span, contribution))
    for spans in of_person.values():
        found: dict[frozenset[int], list[tuple[Contribution, Contribution]]] = {}
        for (start, end, one), (other_start, other_end, other) in combinations(spans, 2):
            if one.session_id != other.session_id and start < other_end and other_start < end:
                found.setdefault(frozenset({one.session_id, other.session_id}), []).append((one, other))
        for pairs in found.values():
            # The pair that cannot be, if there is one.
            one, other = min(pairs, key=lambda pair: Delivery.VIDEO in {part.delivery for part in pair})
            text = (
                f"{_who(one)} is in two sessions at the same time: {title(one.session)} ({one.get_role_display()}) "
                f"and {title(other.session)} ({other.get_role_display()})."
            )
            if Delivery.VIDEO in {one.delivery, other.delivery}:
                yield warning("person_overlap_by_video", text, row_of(other))
            else:
                yield error("person_overlap", text, row_of(other))


def texts(programme: Programme) -> Iterator[Text]:
    """What is shown of speakers; of a pseudonym nothing but the name, of a hidden person nothing."""
    persons: dict[int, Person] = {}
    for contribution in _contributions(programme):
        person = contribution.person
        if contribution.is_under_pseudonym or (person is not None and person.is_hidden):
            continue
        yield from fields(contribution, "unnamed_label", "heading_printed", "role_title", "topic")
        if person is not None:
            persons[person.pk] = person
    for person in persons.values():
        yield from fields(person, "biography")
