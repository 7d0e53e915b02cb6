"""Which host account holds a meeting, and what of its daily budget is left. Days are UTC, as platforms count."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from video.adapters.base import SessionSpec
from video.adapters.errors import (
    AuthExpired,
    HeldBack,
    NotReachable,
    OperatorActionNeeded,
    RateLimited,
    Scope,
)
from video.adapters.tokens import CredentialsRefused
from video.models import HostAccount, HostUse, Meeting, MeetingState

What = Literal["changes", "registrants"]

_AFTER_MIDNIGHT = timedelta(minutes=1)  # for clocks that differ
_BREATH = timedelta(seconds=5)  # after a 429 that does not say when to come back
_CALLS_OF_A_ROOM = 2  # it is made, then told what making does not take
_BETWEEN = timedelta(minutes=15)  # from the end of one meeting to the start of the next of the same host
# The platform has not counted such a call either; an outage of hours must not use up the day.
NOT_COUNTED = (AuthExpired, CredentialsRefused, NotReachable)


class NoHostFree(OperatorActionNeeded):
    """All host accounts hold another meeting at that time, or there is none."""

    code = "video_no_host_free"
    message = _("No host account is free at that time.")


def overlapping(account: HostAccount, spec: SessionSpec, *, but: Meeting) -> bool:
    """Whether the account holds another meeting at that time and its licence does not allow two."""
    if account.meetings_overlap:
        return False
    others = Meeting.objects.filter(
        account=account, made_starts_at__lt=spec.ends_at + _BETWEEN, made_ends_at__gt=spec.starts_at - _BETWEEN
    )
    return others.exclude(pk=but.pk).exclude(state=MeetingState.CANCELLED).exists()


def reserve(meeting: Meeting, spec: SessionSpec, *, now: datetime) -> HostAccount:
    """The account that holds the meeting at that time, written down with it. One is chosen when there is none yet.

    One whose day ends between the calls of a room is the last choice, and better than none. Raises HeldBack while those
    that are free at the meeting's time rest or have used up their day, NoHostFree when there are none, or when waiting
    for them would take until the meeting begins. The locks end with this function: no call is made under them.
    """
    with transaction.atomic():
        accounts = HostAccount.objects.select_for_update(no_key=True).filter(service=meeting.service).order_by("pk")
        candidates = {account.pk: account for account in accounts}
        chosen = candidates.get(meeting.account_id or 0)
        if chosen is None:
            used = dict(HostUse.objects.filter(day=day_of(now)).values_list("account_id", "changes"))
            waits = {
                account: _waits_until(account, used.get(account.pk, 0), now=now)
                for account in candidates.values()
                if account.is_active and not overlapping(account, spec, but=meeting)
            }
            free = [account for account, until in waits.items() if until is None]
            if not free:
                in_time = [until for until in waits.values() if until is not None and until < spec.starts_at]
                if not in_time:
                    raise NoHostFree
                raise HeldBack(retry_at=min(in_time), scope=Scope.SECOND)

            def rank(account: HostAccount) -> tuple[bool, int, int]:
                """Those first whose budget lasts for a whole room: another's room would be done tomorrow."""
                spent = used.get(account.pk, 0)
                return account.daily_changes - spent < _CALLS_OF_A_ROOM, spent, account.pk

            chosen = min(free, key=rank)
        Meeting.objects.filter(pk=meeting.pk).update(
            account=chosen, made_starts_at=spec.starts_at, made_ends_at=spec.ends_at
        )
    meeting.account = chosen
    return chosen


@contextmanager
def spending(account: HostAccount, what: What, *, now: datetime) -> Iterator[None]:
    """Take one from the day's budget for the call inside; it is given back when the platform never saw the call.

    Raises HeldBack until the next day when nothing is left, and while the account rests: when the platform says that it
    had too many such calls, whatever else waits would only be told the same.
    """
    account.refresh_from_db(fields=["changes_rest_until", "registrants_rest_until"])
    if (resting := rests_until(account, what, now=now)) is not None:
        raise HeldBack(retry_at=resting, scope=Scope.SECOND)
    most = account.daily_changes if what == "changes" else account.daily_registrants
    day = day_of(now)
    HostUse.objects.bulk_create([HostUse(account=account, day=day)], ignore_conflicts=True)
    left = HostUse.objects.filter(account=account, day=day, **{f"{what}__lt": most})
    if not left.update(**{what: F(what) + 1}):
        raise HeldBack(retry_at=next_day(now), scope=Scope.DAY)
    try:
        yield
    except RateLimited as error:
        if error.scope is not Scope.REGISTRANT:  # that one is about one person
            HostAccount.objects.filter(pk=account.pk).update(**{f"{what}_rest_until": _rest_of(error, now=now)})
        raise
    except NOT_COUNTED:
        HostUse.objects.filter(account=account, day=day, **{f"{what}__gt": 0}).update(**{what: F(what) - 1})
        raise


def rests_until(account: HostAccount, what: What, *, now: datetime) -> datetime | None:
    """Until when the platform wants no such calls from the account; None when it takes them."""
    until: datetime | None = getattr(account, f"{what}_rest_until")
    return until if until is not None and until > now else None


def _waits_until(account: HostAccount, spent: int, *, now: datetime) -> datetime | None:
    """Until when the account makes no room: it rests, or its day is used up. None when it makes one now."""
    days_end = next_day(now) if spent >= account.daily_changes else None
    return max(filter(None, (days_end, rests_until(account, "changes", now=now))), default=None)


def _rest_of(error: RateLimited, *, now: datetime) -> datetime:
    """Until when an account rests: as the platform says, else for the rest of what was used up."""
    if error.retry_at is not None:
        return error.retry_at
    return next_day(now) if error.scope is Scope.DAY else now + _BREATH


def next_day(now: datetime) -> datetime:
    """When the platforms' day after this one has begun."""
    return datetime.combine(day_of(now) + timedelta(days=1), time(), UTC) + _AFTER_MIDNIGHT


def day_of(now: datetime) -> date:
    """The day of UTC."""
    return now.astimezone(UTC).date()
