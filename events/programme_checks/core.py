"""Findings, and the registry of checks: this module knows no persons and no admissions, the apps bring them.

Every check reads with a fixed number of queries, whatever the size of the conference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import translation

from events.models import Conference, ConferenceDay, Session, SessionState


class Severity(StrEnum):
    """Errors contradict themselves or mislead people; warnings are for a person to judge and never block."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Row:
    """What a finding is about. key is the public id, or the stable key where the row has one.

    path: its page in the admin. session_id: the session it belongs to, None for what belongs to the whole conference.
    """

    kind: str
    key: str
    path: str
    session_id: int | None = None

    @property
    def admin_url(self) -> str:
        """The page in the admin, for those who read this elsewhere."""
        return settings.SITE_URL + self.path


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at. code is stable: scripts may rely on it. text is an English sentence for organisers."""

    severity: Severity
    code: str
    text: str
    row: Row


def error(code: str, text: str, row: Row) -> Finding:
    """A finding that keeps a programme from being right."""
    return Finding(Severity.ERROR, code, text, row)


def warning(code: str, text: str, row: Row) -> Finding:
    """A finding that may be as meant."""
    return Finding(Severity.WARNING, code, text, row)


def row_of(instance: models.Model) -> Row:
    """The row of an instance, with its page in the admin. Side events have a page of their own."""
    kind = instance._meta.model_name or ""
    session_id: int | None = getattr(instance, "session_id", None)
    if isinstance(instance, Session):
        session_id = instance.pk
        if instance.is_side_event:
            kind = "sideevent"
    key = next(
        (str(value) for name in ("key", "slug", "public_id") if (value := getattr(instance, name, None))),
        str(instance.pk),
    )
    path = reverse(f"admin:{instance._meta.app_label}_{kind}_change", args=[instance.pk])
    return Row(kind, key, path, session_id)


def row_within(instance: models.Model, owner: models.Model) -> Row:
    """The row of an instance that has no page of its own in the admin: it stands on that of its owner."""
    of = row_of(owner)
    return Row(instance._meta.model_name or "", str(getattr(instance, "key", instance.pk)), of.path, of.session_id)


def title(instance: Conference | Session) -> str:
    """The English title in quotation marks, for sentences."""
    return f"“{instance.title.best('en').text}”"


@dataclass(frozen=True)
class Programme:
    """A conference with what every check needs. Cancelled sessions are left out: nothing about them is urgent."""

    conference: Conference
    days: list[ConferenceDay] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    worked_out: dict[str, Any] = field(default_factory=dict)  # what more than one check needs, by who worked it out

    def local(self, instant: datetime) -> datetime:
        """The instant by the clock of the venue."""
        return instant.astimezone(self.conference.zone)


Check = Callable[[Programme], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class _Registered:
    order: int
    check: Check
    finds_errors: bool


_checks: dict[str, _Registered] = {}


def register(name: str, order: int, check: Check, *, finds_errors: bool = True) -> None:
    """Make a check known. Findings stand in the order of their checks; names are given once.

    finds_errors: whether publishing has to ask it; a check that only warns is left out there.
    """
    if name in _checks and _checks[name].check is not check:
        raise ValueError(f"the check {name} is registered already")
    _checks[name] = _Registered(order, check, finds_errors)


def programme_of(conference: Conference) -> Programme:
    """What the checks look at: two queries."""
    sessions = (
        Session.objects.filter(conference=conference)
        .exclude(state=SessionState.CANCELLED)
        .select_related("day", "room")
        .in_programme_order()
    )
    days = ConferenceDay.objects.filter(conference=conference).order_by("number")
    return Programme(conference, list(days), list(sessions))


def run(conference: Conference | Programme) -> list[Finding]:
    """All findings about a conference: errors first, then in the order of checks and of the programme."""
    found = _run(conference, list(_checks.items()))
    return sorted(found, key=lambda finding: finding.severity != Severity.ERROR)


def errors(conference: Conference) -> list[Finding]:
    """What keeps a conference from being published; empty when nothing does. Leaves out the checks that only warn."""
    asked = [(name, registered) for name, registered in _checks.items() if registered.finds_errors]
    return [finding for finding in _run(conference, asked) if finding.severity == Severity.ERROR]


def _run(conference: Conference | Programme, asked: list[tuple[str, _Registered]]) -> list[Finding]:
    programme = conference if isinstance(conference, Programme) else programme_of(conference)
    with translation.override("en"):  # the sentences are English, and so are the names of roles and modes in them
        return [
            finding
            for _name, registered in sorted(asked, key=lambda item: (item[1].order, item[0]))
            for finding in registered.check(programme)
        ]
