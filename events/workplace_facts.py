"""What this app brings to the start page: unpublished changes, errors, and the first steps of a new conference."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from events import mail_trial, programme_checks, workplace
from events.models import Conference, Format, Session, SessionState
from events.programme_checks import Severity, completeness
from events.releases import publishing
from events.workplace import Need, Step
from outbox.models import Message


def register() -> None:
    """Called when the app is ready."""
    workplace.register_needs("programme", 60, "events.change_conference", unpublished)
    workplace.register_steps("conference", 10, "events.change_conference", about_conference)
    workplace.register_steps("sessions", 20, "events.change_session", about_sessions)
    workplace.register_steps("checks", 40, "events.change_session", about_checks)
    workplace.register_steps("letters", 70, "events.view_mailtext", about_letters)
    workplace.register_steps("release", 80, "events.change_conference", about_release)


def unpublished(conference: Conference, now: datetime) -> Iterator[Need]:
    """Changes that the public does not see yet. A conference without a release has its step instead."""
    if workplace.is_over(conference, now):
        return
    waiting = publishing.unpublished_changes(conference)
    if waiting is not None and waiting.has_any:
        text = _("Changes to the programme are not published yet: look at them, then publish.")
        # What differs without a line in the list of changes is one thing to publish.
        yield Need("unpublished", len(waiting.changes) or 1, text, workplace.page_url("releases", conference))


def about_conference(conference: Conference, now: datetime) -> Iterator[Step]:
    """Dates and place, and whom people can ask."""
    form = reverse("admin:events_conference_change", args=[conference.pk])
    has_place = conference.venue_id is not None or conference.format == Format.ONLINE
    yield Step(
        "dates",
        _("Dates and venue"),
        _("Give the first and the last day, the time zone and, unless it is on-line only, the venue."),
        form,
        conference.starts_on is not None and has_place,
    )
    yield Step(
        "contact",
        _("Contact for questions and privacy"),
        _("Give the contact e-mail: it stands in every mail, for questions and for requests about personal data."),
        form,
        bool(conference.contact_email),
    )


def about_sessions(conference: Conference, now: datetime) -> Iterator[Step]:
    """Days, and sessions with a time. One query."""
    found = Session.objects.filter(conference=conference).exclude(state=SessionState.CANCELLED)
    counted = found.aggregate(
        timed=Count("pk", filter=Q(starts_at__isnull=False, day__isnull=False)), open=Count("pk", filter=_UNTIMED)
    )
    yield Step(
        "sessions",
        _("Days and sessions"),
        _("Enter the days and the sessions, or load a programme file; every session has a day and a time."),
        workplace.page_url("programme", conference),
        counted["timed"] > 0 and counted["open"] == 0,
    )


_UNTIMED = Q(starts_at__isnull=True) | Q(day__isnull=True)


def about_checks(conference: Conference, now: datetime) -> Iterator[Step]:
    """Languages, and errors that keep a programme from being published."""
    programme = programme_checks.programme_of(conference)
    url = workplace.page_url("checks", conference)
    figures = programme_checks.figures(completeness.texts_of(programme))
    yield Step(
        "languages",
        _("Languages"),
        _("Write every text in all six languages; the page of checks lists what is missing."),
        url,
        all(figure.missing == 0 for figure in figures),
        is_optional=True,
    )
    errors = [finding for finding in programme_checks.run(programme) if finding.severity == Severity.ERROR]
    yield Step(
        "checks",
        _("Checks without errors"),
        _("Mend the errors that the checks find; warnings are for you to judge."),
        url,
        bool(programme.sessions) and not errors,
    )


def about_letters(conference: Conference, now: datetime) -> Iterator[Step]:
    """Somebody has worded a letter or sent one to themselves. Two queries."""
    tested = Message.objects.filter(about_id=conference.public_id, topic=mail_trial.TOPIC)
    yield Step(
        "letters",
        _("Letters"),
        _("Read the letters that people get, change what does not fit, and send one to yourself as a test."),
        workplace.page_url("mails", conference),
        conference.mail_texts.exists() or tested.exists(),
        is_optional=True,
    )


def about_release(conference: Conference, now: datetime) -> Iterator[Step]:
    """The first release."""
    yield Step(
        "release",
        _("First release"),
        _("Publish the programme: from then on the public sees it, and later changes when you publish again."),
        workplace.page_url("releases", conference),
        conference.releases.exists(),
    )
