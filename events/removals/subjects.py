"""What can be taken down. Each app registers its own kind in AppConfig.ready: sessions here, people above.

The subject's row says by itself that it was taken down, and what reads it obeys: sessions and speakers in the views of
the published programme (events.releases.schema), participants in the querysets of their lists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from events.models import Conference, Session

MOST_FOUND = 20


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody or something that can be taken down. label: what organisers know it by. row: its own."""

    kind: str
    public_id: UUID
    label: str
    is_down: bool
    row: Any


class Kind(Protocol):
    """What an app gives for one kind of subject."""

    label: str | Promise

    def get(self, public_id: UUID, *, conference: Conference | None) -> Subject | None:
        """The subject; with a conference only when it belongs to it."""
        ...

    def find(self, conference: Conference, text: str) -> Sequence[Subject]:
        """Those of the conference whose name holds the text, at most MOST_FOUND. For organisers, from the draft."""
        ...

    def hide(self, subject: Subject, *, now: datetime) -> Mapping[str, Any]:
        """Take it down, in the transaction of the caller; what lifting has to bring back."""
        ...

    def show(self, subject: Subject, before: Mapping[str, Any], *, now: datetime) -> None:
        """Bring it back as it was."""
        ...


_kinds: dict[str, Kind] = {}


def register(name: str, kind: Kind) -> None:
    """Let something be taken down. To be called in AppConfig.ready."""
    _kinds[name] = kind


def kinds() -> dict[str, Kind]:
    """All kinds by their names, sessions first."""
    return dict(_kinds)


def get(kind: str, public_id: UUID, *, conference: Conference | None = None) -> Subject | None:
    """A subject by its kind and public id; with a conference only when it belongs to it."""
    found = _kinds.get(kind)
    return found.get(public_id, conference=conference) if found is not None else None


class Sessions:
    """Sessions and side events."""

    label: str | Promise = _("Session")

    def get(self, public_id: UUID, *, conference: Conference | None) -> Subject | None:
        """A session."""
        rows = Session.objects.filter(public_id=public_id)
        row = (rows if conference is None else rows.filter(conference=conference)).first()
        return self._subject(row) if row is not None else None

    def find(self, conference: Conference, text: str) -> Sequence[Subject]:
        """By title in any language, or by address."""
        named = Q(title__icontains=text) | Q(slug__icontains=text)
        rows = Session.objects.filter(named, conference=conference).in_programme_order()
        return [self._subject(row) for row in rows[:MOST_FOUND]]

    def hide(self, subject: Subject, *, now: datetime) -> Mapping[str, Any]:
        """Its row says so; the views of the published programme obey."""
        Session.objects.filter(pk=subject.row.pk).update(taken_down_at=now)
        return {}

    def show(self, subject: Subject, before: Mapping[str, Any], *, now: datetime) -> None:
        """As it stands in the last release."""
        Session.objects.filter(pk=subject.row.pk).update(taken_down_at=None)

    def _subject(self, row: Session) -> Subject:
        return Subject("session", row.public_id, str(row.title), row.taken_down_at is not None, row)


def register_kind() -> None:
    """Let sessions be taken down."""
    register("session", Sessions())
