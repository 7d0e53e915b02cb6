"""What this app brings to the start page of a conference: who has not said yes yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from events import workplace
from events.models import Conference
from events.workplace import Need, Step, page_url
from speakers.models import Contribution, ContributionStatus, SpeakerInvitation

_OPEN = (ContributionStatus.INVITED, ContributionStatus.TBC)


def register() -> None:
    """Called when the app is ready."""
    workplace.register_needs("speakers", 50, "speakers.view_contribution", unconfirmed)
    workplace.register_needs("speaker-mails", 51, "speakers.change_speakerinvitation", came_back)
    workplace.register_steps("speakers", 30, "speakers.change_contribution", confirmed)


def _list(conference: Conference, *statuses: ContributionStatus) -> str:
    query: dict[str, str] = {"session__conference__id__exact": str(conference.pk)}
    if statuses:
        query["status__in"] = ",".join(statuses)
    return f"{reverse('admin:speakers_contribution_changelist')}?{urlencode(query)}"


def unconfirmed(conference: Conference, now: datetime) -> Iterator[Need]:
    """Speakers invited or to be confirmed. One query."""
    if not workplace.is_over(conference, now):
        number = Contribution.objects.filter(session__conference=conference, status__in=_OPEN).count()
        text = _("Speakers have not confirmed yet: ask them, or say who comes instead.")
        yield Need("tbc", number, text, _list(conference, *_OPEN))


def came_back(conference: Conference, now: datetime) -> Iterator[Need]:
    """Speakers whose mails came back. One query."""
    if not workplace.is_over(conference, now):
        rows = SpeakerInvitation.objects.current().filter(contribution__session__conference=conference)
        yield Need(
            "speakers-bounced",
            rows.filter(bounced_at__isnull=False).count(),
            _("Mails to speakers came back: find out the right address."),
            page_url("speakers", conference),
            is_urgent=True,
        )


def confirmed(conference: Conference, now: datetime) -> Iterator[Step]:
    """There are speakers, and none is open. One query."""
    found = Contribution.objects.filter(session__conference=conference).aggregate(
        all=Count("pk"), open=Count("pk", filter=Q(status__in=_OPEN))
    )
    yield Step(
        "speakers",
        _("Speakers"),
        _("Enter who speaks, and mark as confirmed who has said yes."),
        _list(conference, *(_OPEN if found["open"] else ())),
        found["all"] > 0 and found["open"] == 0,
        is_optional=True,
    )
