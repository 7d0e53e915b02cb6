"""What of registration comes along when an edition is copied: the doors as they were set up, and nobody in them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from events import cloning
from events.cloning import Copying, Part
from events.models import Conference
from registration.models import Admission, Places, Question, QuestionOption, Reserve


def register_part() -> None:
    """Make the part known. Called in AppConfig.ready()."""
    cloning.register("admissions", Part(_("Admissions with their settings, no registrations"), 60, count, copy))
    cloning.register("questions", Part(_("Questions of the form, no answers"), 61, count_questions, copy_questions))


def _with_sessions(sessions: Iterable[Any]) -> Q:
    """What belongs to the conference itself, or to one of the sessions that come along."""
    return Q(session=None) | Q(session__in=sessions)


def count(conference: Conference) -> int:
    """How many admissions of the conference would be copied."""
    return Admission.objects.filter(_with_sessions(cloning.to_copy(conference)), conference=conference).count()


def copy(copying: Copying) -> None:
    """Set up the same admissions: times moved, capacities kept, no place taken, nobody waiting.

    They stay closed until somebody opens them: the new edition is a draft, and its times are not decided yet.
    """
    rows = list(
        Admission.objects.filter(_with_sessions(copying.sessions), conference=copying.source)
        .order_by("pk")
        .select_related("places")
        .prefetch_related("audience_organisations", "reserves")
    )
    new = [
        cloning.copy_of(
            row,
            conference=copying.target,
            session=None if row.session_id is None else copying.sessions[row.session_id],
            opens_at=copying.moved(row.opens_at),
            closes_at=copying.moved(row.closes_at),
            is_closed=True,
        )
        for row in rows
    ]
    Admission.objects.bulk_create(new)  # a trigger makes their places
    places = Places.objects.in_bulk([row.pk for row in new])
    for row, copied in zip(rows, new, strict=True):
        places[copied.pk].capacity = row.places.capacity
    Places.objects.bulk_update(places.values(), ["capacity"])
    # A reserve that returned at its time is set up again, one that an organiser gave back is not.
    Reserve.objects.bulk_create(
        Reserve(
            admission=copied,
            categories=reserve.categories,
            places=reserve.places,
            returns_at=copying.moved(reserve.returns_at),
        )
        for row, copied in zip(rows, new, strict=True)
        for reserve in row.reserves.all()
        if reserve.released_at is None or (reserve.returns_at is not None and reserve.returns_at <= reserve.released_at)
    )
    through = Admission.audience_organisations.through
    through.objects.bulk_create(
        through(admission_id=copied.pk, organisation_id=body.pk)
        for row, copied in zip(rows, new, strict=True)
        for body in row.audience_organisations.all()
    )


def count_questions(conference: Conference) -> int:
    """How many questions of the conference would be copied."""
    asked = Question.objects.filter(conference=conference, is_asked=True)
    return asked.filter(_with_sessions(cloning.to_copy(conference))).count()


def copy_questions(copying: Copying) -> None:
    """Ask the same, of the same and for as long; what is not asked any more stays behind, as do retired options."""
    asked = Question.objects.filter(_with_sessions(copying.sessions), conference=copying.source, is_asked=True)
    rows = list(asked.prefetch_related("options"))
    new = {
        row.pk: cloning.copy_of(
            row,
            without=["answers_deleted_at", "show_if", "show_if_answers"],
            conference=copying.target,
            session=None if row.session_id is None else copying.sessions[row.session_id],
        )
        for row in rows
    }
    Question.objects.bulk_create(new.values())
    QuestionOption.objects.bulk_create(
        cloning.copy_of(option, question=new[row.pk])
        for row in rows
        for option in row.options.all()
        if not option.is_retired
    )
    for row in rows:
        if row.show_if_id in new:
            new[row.pk].show_if = new[row.show_if_id]
            new[row.pk].show_if_answers = row.show_if_answers
    Question.objects.bulk_update(new.values(), ["show_if", "show_if_answers"])
