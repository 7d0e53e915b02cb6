"""Taking a speaker down: hidden everywhere, and what had left the house about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from events.models import Conference
from events.removals import subjects, traces
from events.removals.subjects import MOST_FOUND, Subject
from events.removals.traces import Trace, Words
from outbox.models import Message, MessageState
from speakers import invitation_mails
from speakers.models import Contribution, Person


class Persons:
    """Persons who speak."""

    label: str | Promise = _("Speaker")

    def get(self, public_id: UUID, *, conference: Conference | None) -> Subject | None:
        """A person; with a conference only one who speaks there."""
        rows = Person.objects.filter(public_id=public_id)
        if conference is not None:
            rows = rows.filter(contributions__session__conference=conference)
        row = rows.first()
        return _subject(row) if row is not None else None

    def find(self, conference: Conference, text: str) -> Sequence[Subject]:
        """By the name that is shown."""
        rows = Person.objects.filter(
            contributions__session__conference=conference, display_name__icontains=text
        ).distinct()
        return [_subject(row) for row in rows.order_by("display_name", "pk")[:MOST_FOUND]]

    def hide(self, subject: Subject, *, now: datetime) -> Mapping[str, Any]:
        """Hidden, as by hand; but no form can show them again."""
        row = Person.objects.select_for_update(no_key=True).get(pk=subject.row.pk)
        Person.objects.filter(pk=row.pk).update(is_hidden=True, taken_down_at=now)
        return {"is_hidden": row.is_hidden}

    def show(self, subject: Subject, before: Mapping[str, Any], *, now: datetime) -> None:
        """Shown again, unless they were hidden by hand before."""
        is_hidden = bool(before.get("is_hidden"))
        Person.objects.filter(pk=subject.row.pk).update(taken_down_at=None, is_hidden=is_hidden)


def _subject(row: Person) -> Subject:
    return Subject("person", row.public_id, row.display_name, row.taken_down_at is not None, row)


def _find(subject: Subject, conference: Conference | None, now: datetime) -> Iterable[Trace]:
    if subject.kind != "person":
        return
    rows = list(Contribution.objects.filter(person=subject.row).select_related("session__conference"))
    releases = traces.releases_with(Contribution._meta.db_table, [row.pk for row in rows])
    yield from traces.of_releases(releases)
    yield from traces.of_public(releases[0].made_at if releases else None, conference, now)
    sent = Message.objects.filter(
        topic__in=[invitation_mails.SENT, invitation_mails.REMINDER],
        about_id__in=[row.public_id for row in rows],
        state=MessageState.SENT,
    )
    if number := sent.count():
        yield Trace("speaker_mails", number)
    if rows:
        yield Trace("texts", len({row.session_id for row in rows}))


def register() -> None:
    """Let speakers be taken down."""
    subjects.register("person", Persons())
    traces.register(
        _find,
        {
            "speaker_mails": Words(
                _("Mails about speaking were sent to this person's own address."),
                _("Ask the person whether that mailbox is safe. Nothing more is sent to it."),
            ),
            "texts": Words(
                _("Texts, titles and papers of these sessions may name the person. No program can tell."),
                _("Read them, and take down the session where the name stands in a text."),
            ),
        },
    )
