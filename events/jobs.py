"""Long work: ordered by an organiser, done by a worker, watched on a page, cancelled between two portions.

An app registers a kind of work with a function when Django is ready. Small work is done at once in the request
(events.admin.long_work decides); large work is a row and a message of the outbox, so that a lost Redis loses nothing.
The worker holds the row under a lease. When it is killed, the next one begins the work again, which the function of a
kind must bear. Why it is made this way: docs/decisions.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import outbox.services
from accounts.models import User
from alliance.db import random_id
from alliance.exceptions import DomainError
from events.models import Conference, Job, JobState
from events.models.job import FINISHED
from outbox import topics
from outbox.models import Message
from outbox.results import Done, Postponed, Superseded

logger = logging.getLogger(__name__)

TOPIC = "events.job"
GROUP = "work"
LEASE = timedelta(seconds=settings.OUTBOX_LEASE_SECONDS)
LONGEST = 150.0  # seconds; a worker's task may take 240, and 50 of them may have gone to mail
MOST_OPEN = 5  # of one user
STARTS = 3
KEPT = timedelta(hours=6)
_BEAT = 0.5  # seconds between two looks at whether to stop, and two notes of how far it is


class TooManyJobs(DomainError):
    """Enough is under way for one person."""

    code = "too_many_jobs"
    message = gettext_lazy("Several long pieces of work of yours are under way. Wait for one to end, or cancel one.")


class Cancelled(Exception):
    """The owner does not want it any more."""


class Lost(Exception):
    """Another worker has taken it over: nothing may be written."""


class TooLong(Exception):
    """It takes longer than a worker may spend on one thing."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it. said: a sentence for the owner. url: where they go on. content: a file, with name and type."""

    said: str = ""
    url: str = ""
    content: bytes = field(default=b"", repr=False)
    name: str = ""
    content_type: str = ""


class Work(Protocol):
    """What the function of a kind is given: who ordered it, for which conference, and what. The right was checked."""

    @property
    def owner(self) -> User:
        """Who ordered it."""

    @property
    def conference(self) -> Conference | None:
        """What it is about, if there is one."""

    @property
    def order(self) -> Mapping[str, Any]:
        """What was chosen."""

    @property
    def upload(self) -> bytes:
        """The file that it works on."""

    @property
    def public_id(self) -> UUID | None:
        """The id of its row; None for work that is done at once."""

    def step(self, done: int, total: int = 0) -> None:
        """Say how far it is, between two portions. Raises Cancelled, Lost and TooLong, which are to be let through."""


@dataclass(frozen=True, slots=True)
class Direct:
    """Work that is done at once, in the request: nobody watches it."""

    owner: User
    conference: Conference | None
    order: Mapping[str, Any]
    upload: bytes = field(default=b"", repr=False)
    public_id: UUID | None = None

    def step(self, done: int, total: int = 0) -> None:
        """There is nobody to tell."""


Run = Callable[[Work], Result]
May = Callable[[User, Conference | None], bool]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of work. label: what it is called on pages. may: whether a user may have it done at a conference, or
    without one; asked when it is ordered, when it begins and when its result is read. keeps_upload: for work that goes
    on with the same file. holds_people: its files are full of people, see forget_people."""

    name: str
    label: str | Promise
    may: May
    run: Run
    keeps_upload: bool
    holds_people: bool


_kinds: dict[str, Kind] = {}


def register(
    name: str,
    run: Run,
    *,
    label: str | Promise,
    may: May,
    keeps_upload: bool = False,
    holds_people: bool = False,
) -> None:
    """Make a kind known. Called in AppConfig.ready, since workers load no admin.

    run raises DomainError for what the owner can mend. It may be begun a second time, after a worker was killed over
    it or even just after its end, and must bear that.
    """
    _kinds[name] = Kind(name, label, may, run, keeps_upload, holds_people)


def by_permission(permission: str) -> May:
    """Whoever holds the permission at the conference; without one, in the whole house."""

    def may_have(user: User, conference: Conference | None) -> bool:
        if conference is None:
            return user.access.holds_everywhere(permission)
        return user.has_perm(permission, conference)

    return may_have


def kind(name: str) -> Kind:
    """The kind of this name. Raises KeyError."""
    return _kinds[name]


def kinds() -> Iterator[Kind]:
    """All kinds, by name."""
    return iter(sorted(_kinds.values(), key=lambda one: one.name))


def label_of(job: Job) -> str:
    """What a piece of work is called; also of a kind that this version does not know."""
    known = _kinds.get(job.kind)
    return str(known.label) if known is not None else job.kind


def may(user: User, name: str, conference: Conference | None) -> bool:
    """Whether the user may order this kind of work there, and read what comes of it."""
    known = _kinds.get(name)
    return known is not None and user.is_active and known.may(user, conference)


# --- ordering, watching, cancelling ----------------------------------------------------------------------------------


@transaction.atomic
def start(
    name: str,
    *,
    owner: User,
    conference: Conference | None,
    order: Mapping[str, Any],
    now: datetime,
    upload: bytes = b"",
) -> Job:
    """Order work; a worker begins it within seconds. Raises TooManyJobs and KeyError."""
    known = kind(name)
    User.objects.select_for_update(no_key=True).get(pk=owner.pk)  # two orders at once: the second sees the first
    if Job.objects.filter(owner=owner).exclude(state__in=FINISHED).count() >= MOST_OPEN:
        raise TooManyJobs
    job = Job.objects.create(
        kind=known.name, owner=owner, conference=conference, order=dict(order), upload=upload, created_at=now
    )
    outbox.services.queue(
        [
            outbox.services.message(
                topic=TOPIC,
                about_kind="job",
                about_id=job.public_id,
                key=f"job:{job.public_id}",
                now=now,
                deadline_at=now + KEPT,
            )
        ]
    )
    return job


def own(owner: User) -> QuerySet[Job]:
    """The work of a user, newest first, without the files."""
    return Job.objects.filter(owner=owner).defer("upload", "result").order_by("-created_at", "-pk")


def cancel(job: Job, *, now: datetime) -> bool:
    """Stop work: at once when nobody has begun it, else between two portions. False when it has ended already."""
    open_jobs = Job.objects.filter(pk=job.pk).exclude(state__in=FINISHED)
    if open_jobs.filter(state=JobState.WAITING).update(
        state=JobState.CANCELLED, finished_at=now, is_cancelling=True, upload=b""
    ):
        return True
    return bool(open_jobs.update(is_cancelling=True))


def forget(*, now: datetime) -> int:
    """Delete what ended hours ago, with its files, and end what nobody will begin any more. How many are deleted."""
    stale = Job.objects.exclude(state__in=FINISHED).filter(created_at__lt=now - KEPT)
    stale.filter(Q(leased_until=None) | Q(leased_until__lt=Now())).update(
        state=JobState.FAILED, finished_at=now, lease_token=None, leased_until=None, upload=b"", said=""
    )
    return Job.objects.filter(finished_at__lt=now - KEPT).delete()[0]


def forget_people(conference_id: int | None) -> None:
    """Delete the files about people of a conference (None: of all) that nobody has fetched, and stop those being made.

    For whoever erases or hides somebody: nobody can tell who stands in such a file. Done at once, in the transaction,
    and again after it, since work that began meanwhile has read what was there before.
    """

    def forget_now() -> None:
        about = [one.name for one in _kinds.values() if one.holds_people]
        found = Job.objects.filter(kind__in=about).exclude(state=JobState.WAITING)
        if conference_id is not None:
            found = found.filter(conference=conference_id)
        found.update(is_cancelling=True, result=b"", result_name="")

    forget_now()
    transaction.on_commit(forget_now)


def is_taken_away(job: Job) -> bool:
    """Whether its file was made, and forget_people has deleted it."""
    known = _kinds.get(job.kind)
    return job.state == JobState.DONE and job.is_cancelling and known is not None and known.holds_people


# --- doing it --------------------------------------------------------------------------------------------------------


class Watched:
    """Work of a row, in a worker. A thread with a connection of its own notes how far it is, renews the lease and
    looks whether to stop, so that also work in one long transaction is seen and can be cancelled."""

    def __init__(self, job: Job, token: UUID) -> None:
        self.owner: User = job.owner
        self.conference = job.conference
        self.order: Mapping[str, Any] = job.order
        self.upload: bytes = bytes(job.upload or b"")
        self.public_id: UUID | None = job.public_id
        self._job, self._token = job, token
        self._far: tuple[int, int] = (0, 0)
        self._until = time.monotonic() + LONGEST
        self._is_cancelled = self._is_lost = False
        self._over = threading.Event()

    def step(self, done: int, total: int = 0) -> None:
        """See Work.step."""
        self._far = (max(done, 0), max(total, 0))
        if connection.in_atomic_block and not self._is_watched:
            self._beat()
        if self._is_lost:
            raise Lost
        if self._is_cancelled:
            raise Cancelled
        if time.monotonic() > self._until:
            raise TooLong

    _is_watched = False

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Watch while the block runs. Inside a transaction of a test the row is seen by nobody else: then each step
        looks by itself."""
        if connection.in_atomic_block:
            yield
            return
        self._is_watched = True
        thread = threading.Thread(target=self._watch, name="job-lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _watch(self) -> None:
        try:
            while not self._over.wait(_BEAT):
                try:
                    self._beat()
                except (OperationalError, InterfaceError) as error:
                    logger.warning("The lease of work could not be renewed (%s)", type(error).__name__)
                    connection.close()
                if self._is_lost or time.monotonic() > self._until + LEASE.total_seconds():
                    return
        finally:
            connection.close()

    def _beat(self) -> None:
        done, total = self._far
        mine = Job.objects.filter(pk=self._job.pk, lease_token=self._token)
        if not mine.update(done=done, total=total, leased_until=Now() + LEASE):
            self._is_lost = True
            return
        self._is_cancelled = bool(mine.values_list("is_cancelling", flat=True).first())


def handle(message: Message, *, now: datetime) -> Done | Superseded:
    """Do the work that a message is about. The outbox's handler."""
    token = random_id()
    job = _take(message.about_id, token)
    if job is None:
        standing = Job.objects.filter(public_id=message.about_id).defer("upload", "result").first()
        if standing is None or standing.is_finished:
            return Superseded("over")
        raise Postponed(retry_at=now + timedelta(seconds=30))  # somebody is at it, or was until a moment ago
    if job.starts > STARTS:
        with translation.override(job.owner.language):
            _finish(job, token, JobState.FAILED, Result(_stopped()), now=now)
        return Done()
    with translation.override(job.owner.language), _clock(job):
        _do(job, token, now=now)
    return Done()


def _take(public_id: UUID, token: UUID) -> Job | None:
    free = Q(state=JobState.WAITING) | Q(state=JobState.RUNNING, leased_until__lt=Now())
    taken = Job.objects.filter(free, public_id=public_id).update(
        state=JobState.RUNNING, lease_token=token, leased_until=Now() + LEASE, starts=F("starts") + 1
    )
    found = Job.objects.filter(public_id=public_id, lease_token=token).defer("result") if taken else Job.objects.none()
    return found.select_related("owner", "conference").first()


@contextmanager
def _clock(job: Job) -> Iterator[None]:
    """The venue's clock, where there is one."""
    if job.conference is None:
        yield
    else:
        with timezone.override(job.conference.zone):
            yield


def _do(job: Job, token: UUID, *, now: datetime) -> None:
    if not may(job.owner, job.kind, job.conference):
        said = _("You may not do this any more. If you think you should be able to, ask the conference office.")
        _finish(job, token, JobState.FAILED, Result(said), now=now)
        return
    state, result = _tried(job, token)
    if state is not None:
        _finish(job, token, state, result, now=timezone.now())


def _tried(job: Job, token: UUID) -> tuple[JobState | None, Result]:
    """How the work went. No state: it is not ours to write."""
    known, work = kind(job.kind), Watched(job, token)
    try:
        with work.watched():
            return JobState.DONE, known.run(work)
    except Lost:
        logger.warning("Work %s was taken over by another worker", job.pk)
        return None, Result()
    except Cancelled:
        return JobState.CANCELLED, Result()
    except TooLong:
        return JobState.FAILED, Result(
            _("It would take too long in one go, and nothing of it is kept. Choose less, or try when it is quiet.")
        )
    except DomainError as error:
        return JobState.FAILED, Result(str(error.message))
    except (OperationalError, InterfaceError):
        raise  # the database was away: the outbox tries again, and the lease lets the work begin anew
    except Exception as error:  # whatever the work does, its owner must hear of it
        logger.error("Work %s of the kind %s failed (%s)", job.pk, job.kind, type(error).__name__)
        return JobState.FAILED, Result(
            _("Something went wrong on our side. Try again; if it fails again, tell whoever looks after the server.")
        )


def _stopped() -> str:
    return _(
        "The program was stopped several times over this work, and nothing of it is kept. Choose less, or ask whoever"
        " looks after the server."
    )


def _finish(job: Job, token: UUID, state: JobState, result: Result, *, now: datetime) -> bool:
    """Write how it ended. False when it is no longer ours, and nothing is written."""
    keeps = state == JobState.DONE and job.kind in _kinds and kind(job.kind).keeps_upload
    mine = Job.objects.filter(pk=job.pk, lease_token=token)
    if state == JobState.DONE and job.kind in _kinds and kind(job.kind).holds_people:
        mine = mine.filter(is_cancelling=False)  # else the file is of what somebody has erased since
    ended = mine.update(
        state=state,
        finished_at=now,
        lease_token=None,
        leased_until=None,
        upload=job.upload if keeps else b"",
        said=result.said,
        result=result.content,
        result_name=result.name[:120],
        result_type=result.content_type[:120],
        result_url=result.url[:250],
    )
    if not ended and state == JobState.DONE:
        return _finish(job, token, JobState.CANCELLED, Result(), now=now)
    return bool(ended)


def register_handler() -> None:
    """Make the handler known to the outbox. Called when the app is ready."""
    topics.register(TOPIC, handle, group=GROUP, title=gettext_lazy("Long work"))
