"""Mails of a conference on its start page, and the filter of the outbox that shows exactly those.

The outbox knows nobody. Which conference a message belongs to is read from what it is about, row by row over public
ids: the few messages that are stuck are looked up, not the many registrations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import Count, Exists, Model, OuterRef, Q, QuerySet
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.utils import formats, timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

import outbox.services
from accounts.permissions import ABOUT, PATHS
from alliance.admin.lists import list_url
from alliance.admin.scope import own_rows
from events import workplace
from events.models import Conference
from events.workplace import Drawing, Need
from outbox.health import MESSAGES_ARE_LATE_AFTER
from outbox.models import OPEN_STATES, Message, MessageState
from registration.figures import chart as figure_chart
from registration.figures.counting import Day
from registration.models import Admission, Registration

MOST_COUNTED = 1_000  # messages; beyond that the number says enough
_DAYS = 30
_MAIL_DAYS = 14


def register() -> None:
    """Called when the app is ready."""
    workplace.register_needs("mails", 40, "outbox.view_message", of_mails)
    workplace.register_drawings("registrations", 10, "registration.view_registration", registrations_a_day)
    workplace.register_drawings("mails", 20, "outbox.view_message", mails)


def of_conference(messages: QuerySet[Message], conference_id: int) -> QuerySet[Message]:
    """Those about the conference or a row of it."""
    found = Q()
    for kind, label in ABOUT.items():
        model: type[Model] = apps.get_model(label)
        belongs = Q()
        for path in PATHS[label]:
            belongs |= Q(**{path: conference_id})
        about = Exists(model._default_manager.filter(belongs, public_id=OuterRef("about_id")))
        found |= Q(about_kind=kind) & Q(about)  # the kind first: it costs nothing, and most rows end there
    return messages.filter(found)


class ConferenceFilter(admin.SimpleListFilter):
    """By conference. The choices are those the user may see."""

    title = _("conference")
    parameter_name = "conference"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The newest conferences."""
        own = own_rows(request, Conference.objects.newest_first(), "events.view_conference", "events.change_conference")
        return [(str(one.pk), str(one.title)) for one in own[:30]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        """Messages about it and its rows; what the user may see was decided before."""
        value = self.value() or ""
        if not value:
            return queryset
        known = value.isascii() and value.isdigit() and len(value) < 19
        return of_conference(queryset, int(value)) if known else queryset.none()


def _list(conference: Conference, **query: str) -> str:
    return f"{list_url(Message)}?{urlencode({'conference': str(conference.pk), **query})}"


def _number(messages: QuerySet[Message]) -> int:
    return messages.order_by()[:MOST_COUNTED].count()


def of_mails(conference: Conference, now: datetime) -> Iterator[Need]:
    """Given up, held, late. Four queries."""
    stuck = of_conference(Message.objects.filter(state__in=[MessageState.DEAD, MessageState.HELD]), conference.pk)
    counted = dict(stuck.order_by().values_list("state").annotate(Count("pk")))
    yield Need(
        "dead",
        counted.get(MessageState.DEAD, 0),
        _("Messages were given up: read why, mend it, and send them again."),
        _list(conference, state__exact=MessageState.DEAD.value),
        is_urgent=True,
    )
    yield Need(
        "held",
        counted.get(MessageState.HELD, 0),
        _("Messages are held back: release them, or leave them here."),
        _list(conference, state__exact=MessageState.HELD.value),
    )
    oldest = outbox.services.oldest_unsent(now)
    if oldest is not None and oldest > MESSAGES_ARE_LATE_AFTER:
        before = now - MESSAGES_ARE_LATE_AFTER
        late = Message.objects.unsent().filter(due_at__lt=before)
        yield Need(
            "late",
            _number(of_conference(late, conference.pk)),
            _("Messages should have left more than five minutes ago: see whether the mail server answers."),
            _list(conference, state__in=",".join(OPEN_STATES), due_at__lt=f"{before:%Y-%m-%dT%H:%M:%S.%fZ}"),
            is_urgent=True,
        )


# --- charts ----------------------------------------------------------------------------------------------------------


def registrations_a_day(conference: Conference, now: datetime) -> Iterator[Drawing]:
    """Registrations of the last thirty days, on the venue's clock. One query."""
    today = timezone.localdate(now, conference.zone)
    since = now - timedelta(days=_DAYS)
    counted = dict(
        Registration.objects.filter(admission__in=Admission.objects.filter(conference=conference), created_at__gt=since)
        .order_by()
        .values_list(TruncDate("created_at", tzinfo=conference.zone))
        .annotate(Count("pk"))
    )
    if not counted:
        return
    days: list[Day] = []
    for back in range(_DAYS - 1, -1, -1):
        day = today - timedelta(days=back)
        days.append(Day(day, counted.get(day, 0), (days[-1].so_far if days else 0) + counted.get(day, 0)))
    yield Drawing(
        "registrations",
        _("Registrations of the last 30 days"),
        "admin/registration/start/_line.html",
        figure_chart.chart(days),
        (_("Day"), _("New on this day")),
        [(day.date, day.new) for day in days if day.new],
    )


def mails(conference: Conference, now: datetime) -> Iterator[Drawing]:
    """The newest messages of the conference by state, and when they were queued, left or failed. One query.

    Of the newest thousand of the house: what is looked at on each visit must not grow with the mail of years.
    """
    newest = Message.objects.order_by("-created_at", "-pk")[:MOST_COUNTED]
    rows = of_conference(Message.objects.filter(pk__in=newest.values("pk")), conference.pk)
    found = list(rows.values_list("state", "created_at", "finished_at"))
    if not found:
        return
    yield _by_state(Counter(state for state, _queued, _finished in found))
    yield _by_time(found, conference, now)


def _by_state(counted: Counter[str]) -> Drawing:
    rows = [(MessageState(state).label, counted[state]) for state in MessageState.values if state in counted]
    return Drawing(
        "mails",
        _("The newest messages by state"),
        "admin/registration/start/_bars.html",
        figure_chart.bars(rows, max(counted.values())),
        (_("State"), _("Number")),
        rows,
    )


def _by_time(found: list[tuple[str, datetime, datetime | None]], conference: Conference, now: datetime) -> Drawing:
    """By the hour while all of it is of the last day, else by the day, on the venue's clock."""
    is_hourly = min(queued for _state, queued, _finished in found) > now - timedelta(hours=24)
    unit = timedelta(hours=1) if is_hourly else timedelta(days=1)
    last = _start_of(now, conference, is_hourly=is_hourly)
    times = [last - back * unit for back in range((24 if is_hourly else _MAIL_DAYS) - 1, -1, -1)]
    if not is_hourly:  # days are not always 24 hours long
        times = [_start_of(one + timedelta(hours=12), conference, is_hourly=False) for one in times]
    counted: dict[datetime, list[int]] = {one: [0, 0, 0] for one in times}
    for state, queued, finished in found:
        kind = {MessageState.SENT: 0, MessageState.DEAD: 2}.get(MessageState(state))
        if kind is None and state not in OPEN_STATES:
            continue  # held and no longer needed: neither left, nor waits to
        at = _start_of((finished if kind is not None else None) or queued, conference, is_hourly=is_hourly)
        if at in counted:
            counted[at][1 if kind is None else kind] += 1
    style = "TIME_FORMAT" if is_hourly else "DATE_FORMAT"
    rows = [(formats.date_format(one, style), numbers) for one, numbers in counted.items()]
    parts = (_("Sent"), _("On the way"), _("Given up"))
    return Drawing(
        "mail-times",
        _("Messages by the hour") if is_hourly else _("Messages by the day"),
        "admin/registration/start/_columns.html",
        figure_chart.columns(rows, parts) if any(any(numbers) for _at, numbers in rows) else None,
        (_("Hour") if is_hourly else _("Day"), *parts),
        [(at, *numbers) for at, numbers in rows if any(numbers)],
    )


def _start_of(instant: datetime, conference: Conference, *, is_hourly: bool) -> datetime:
    local = instant.astimezone(conference.zone)
    return local.replace(hour=local.hour if is_hourly else 0, minute=0, second=0, microsecond=0)
