"""What of the speakers comes along when a session or an edition is copied."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from events import cloning
from events.cloning import Copying, Part
from events.models import Conference
from speakers.models import Contribution, ContributionStatus

# What is true of one occasion only: how it went, and what papers said about it.
OF_ONE_OCCASION = (
    "final_status", "agenda_position", "role_title_in_report", "is_in_report", "took_part", "sources", "internal_note",
)  # fmt: skip


def register_part() -> None:
    """Make the part known. Called in AppConfig.ready()."""
    cloning.register("contributions", Part(_("Contributions, as invited"), 40, count, copy, of_sessions=True))


def _to_copy() -> QuerySet[Contribution]:
    """Without those who declined or were replaced, and without people who are hidden everywhere."""
    return Contribution.objects.exclude(status__in=[ContributionStatus.DECLINED, ContributionStatus.REPLACED]).exclude(
        person__is_hidden=True
    )


def count(conference: Conference) -> int:
    """How many contributions of the conference would be copied."""
    return _to_copy().filter(session__in=cloning.to_copy(conference)).count()


def copy(copying: Copying) -> None:
    """Invite the same people and bodies to the same seats again. Nobody has agreed to anything yet."""
    rows = list(_to_copy().filter(session__in=copying.sessions).order_by("pk").prefetch_related("other_organisations"))
    new = [
        cloning.copy_of(
            row,
            without=OF_ONE_OCCASION,
            session=copying.sessions[row.session_id],
            segment=None if row.segment_id is None else copying.segments[row.segment_id],
            status=ContributionStatus.INVITED,
        )
        for row in rows
    ]
    Contribution.objects.bulk_create(new)
    through = Contribution.other_organisations.through
    through.objects.bulk_create(
        through(contribution_id=copied.pk, organisation_id=body.pk)
        for row, copied in zip(rows, new, strict=True)
        for body in row.other_organisations.all()
    )
