"""What is checked about meetings before a programme is published. Only warnings: platforms change on the day."""

from __future__ import annotations

from collections.abc import Iterator

from events import programme_checks
from events.programme_checks import Finding, Programme, row_of, title, warning
from video import adapters
from video.adapters.errors import VideoError
from video.models import HostAccount, Meeting, MeetingState, Platform
from video.services import rooms


def register_checks() -> None:
    """Make the checks of this app known. Called in AppConfig.ready()."""
    programme_checks.register("meetings", 60, check_meetings, finds_errors=False)


def check_meetings(programme: Programme) -> Iterator[Finding]:
    """Interpretation that the platform lacks or is not told of, and platforms without an account. Two queries."""
    sessions = {session.pk: session for session in programme.sessions}
    of = Meeting.objects.filter(session__in=sessions) | Meeting.objects.filter(conference=programme.conference)
    planned = of.exclude(platform=Platform.STATIC).exclude(state=MeetingState.CANCELLED)
    meetings = list(planned.defer(*rooms.SECRETS).order_by("pk"))
    accounts = list(HostAccount.objects.filter(is_active=True).defer("credentials")) if meetings else []
    for meeting in meetings:
        thing = sessions.get(meeting.session_id or 0) or programme.conference
        name = f"The meeting of {title(thing)}"
        mine = [account for account in accounts if account.service == meeting.service]
        if not mine:
            text = f"{name} has no host account for its platform."
            yield warning("meeting_without_account", text, row_of(meeting))
        try:
            facts = adapters.adapter_class(meeting.platform).facts()
        except VideoError:
            continue  # said on its page
        spoken = rooms.interpretation_of(thing)
        if lacking := rooms.languages_lacking(facts.languages, mine, spoken):
            text = f"{name}: the platform has no interpretation for {', '.join(lacking)}."
            yield warning("meeting_language_missing", text, row_of(meeting))
        if rooms.keeps_old_interpretation(meeting, facts, spoken):
            text = f"{name}: its room was made for other interpretation, and the platform cannot be told of the change."
            yield warning("meeting_language_not_told", text, row_of(meeting))
