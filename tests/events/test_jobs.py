"""Long work: orders, leases, cancelling, whose the result is, and the programme files that are done this way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from events import jobs, programme_file
from events.admin import pages
from events.models import Conference, Job, JobState, Session
from events.programme_file import work as file_work
from outbox import services
from outbox.models import Message
from outbox.results import Done, Postponed, Superseded
from tests.events.programme_files import SMALL, changed
from tests.factories import ConferenceFactory, RoleFactory, StaffFactory

pytestmark = pytest.mark.django_db

SECRET = b"Zzyzx, a list of people"


@pytest.fixture
def kind() -> Iterator[str]:
    """A kind of work in three portions that makes a file."""

    def run(work: jobs.Work) -> jobs.Result:
        for portion in range(3):
            work.step(portion, 3)
        return jobs.Result(said="Counted.", content=SECRET, name="list.txt", content_type="text/plain")

    jobs.register("test", run, label="A test", may=jobs.by_permission("events.change_conference"))
    yield "test"
    jobs._kinds.pop("test")


@pytest.fixture
def conference() -> Conference:
    """A conference."""
    return ConferenceFactory()


@pytest.fixture
def owner(conference: Conference) -> User:
    """An organiser of it."""
    return RoleFactory(kind="organiser", conference=conference).user  # type: ignore[no-any-return]


def ordered(kind: str, owner: User, conference: Conference | None, **more: Any) -> tuple[Job, Message]:
    """Work that waits, and its message."""
    job = jobs.start(kind, owner=owner, conference=conference, order={}, now=timezone.now(), **more)
    return job, Message.objects.get(about_id=job.public_id)


def do(message: Message) -> Done | Superseded:
    """What a worker does."""
    return jobs.handle(message, now=timezone.now())


def page(job: Job, what: str = "job") -> str:
    """An address of it."""
    return reverse(f"admin:events_conference_{what}", args=[job.public_id])


def test_owner_alone_reads_the_result_which_lies_encrypted_and_goes(
    kind: str, owner: User, conference: Conference, client: Client
) -> None:
    job, message = ordered(kind, owner, conference)
    other = RoleFactory(kind="organiser", conference=conference).user

    client.force_login(owner)
    waiting = client.get(page(job))
    assert do(message) == Done()
    done = client.get(page(job), headers={"HX-Request": "true"})
    file = client.get(page(job, "job_file"))
    listed = client.get(pages.url("long-work", conference)).text
    client.force_login(other)
    strangers = [client.get(page(job)), client.get(page(job, "job_file")), client.post(page(job, "job_cancel"))]
    with connection.cursor() as cursor:
        cursor.execute("SELECT result, said FROM events_job")
        raw = str(cursor.fetchone())

    assert 'hx-trigger="every 2s"' in waiting.text
    assert "<progress" in waiting.text
    assert done.status_code == 286
    assert "Counted." in done.text
    assert file.content == SECRET
    assert "no-store" in file["Cache-Control"]
    assert "list.txt" in file["Content-Disposition"]
    assert page(job, "job_file") in listed
    assert [answer.status_code for answer in strangers] == [404] * 3
    assert "Zzyzx" not in raw
    assert "Counted" not in raw
    assert jobs.forget(now=timezone.now() + timedelta(hours=5)) == 0
    assert jobs.forget(now=timezone.now() + timedelta(hours=7)) == 1


def test_the_list_does_not_ask_for_the_conference_of_each(
    client: Client, kind: str, owner: User, conference: Conference
) -> None:
    for _ in range(4):
        ordered(kind, owner, conference)
    client.force_login(owner)

    with CaptureQueriesContext(connection) as asked:
        page = client.get(pages.url("long-work", conference))

    assert page.text.count("A test") == 4
    assert sum(query["sql"].startswith('SELECT "events_conference"') for query in asked) < 3


def test_rights_are_asked_again_when_it_begins_and_when_it_is_read(
    kind: str, owner: User, conference: Conference, client: Client
) -> None:
    early, message = ordered(kind, owner, conference)
    late, other = ordered(kind, owner, conference)
    do(message)
    owner.roles.all().delete()
    client.force_login(StaffFactory())
    User.objects.filter(pk=owner.pk).update(is_staff=True)
    client.force_login(User.objects.get(pk=owner.pk))

    do(other)

    late.refresh_from_db()
    assert (late.state, bytes(late.result)) == (JobState.FAILED, b"")
    assert "ask the conference office" in late.said
    assert client.get(page(early, "job_file")).status_code == 404


def test_waiting_work_is_cancelled_at_once_and_running_work_between_portions(
    kind: str, owner: User, conference: Conference, client: Client
) -> None:
    waiting, waits = ordered(kind, owner, conference)
    client.force_login(owner)
    client.post(page(waiting, "job_cancel"))
    waiting.refresh_from_db()
    assert waiting.state == JobState.CANCELLED
    assert do(waits) == Superseded("over")

    def cancelled_meanwhile(work: jobs.Work) -> jobs.Result:
        work.step(1, 3)
        client.post(page(running, "job_cancel"))
        work.step(2, 3)
        raise AssertionError("it goes on")

    jobs.register(kind, cancelled_meanwhile, label="A test", may=jobs.kind(kind).may)
    running, runs = ordered(kind, owner, conference, upload=b"a file")
    do(runs)
    running.refresh_from_db()

    assert (running.state, bytes(running.upload), running.done) == (JobState.CANCELLED, b"", 2)
    assert not jobs.cancel(running, now=timezone.now())


def test_a_lease_keeps_others_off_and_runs_out(kind: str, owner: User, conference: Conference) -> None:
    job, message = ordered(kind, owner, conference)
    begun = Job.objects.filter(pk=job.pk)
    begun.update(state="running", lease_token=job.public_id, leased_until=timezone.now() + timedelta(days=9999))
    with pytest.raises(Postponed):
        do(message)

    begun.update(leased_until=timezone.now() - timedelta(days=9999), starts=1)
    do(message)
    job.refresh_from_db()
    assert (job.state, job.starts) == (JobState.DONE, 2)

    killed, again = ordered(kind, owner, conference)
    Job.objects.filter(pk=killed.pk).update(starts=jobs.STARTS)
    do(again)
    killed.refresh_from_db()
    assert killed.state == JobState.FAILED
    assert "stopped several times" in killed.said


def test_a_worker_that_lost_its_lease_writes_nothing(kind: str, owner: User, conference: Conference) -> None:
    def taken_over(work: jobs.Work) -> jobs.Result:
        Job.objects.update(lease_token=owner.public_id)
        work.step(1)
        raise AssertionError("it goes on")

    jobs.register(kind, taken_over, label="A test", may=jobs.kind(kind).may)
    job, message = ordered(kind, owner, conference)

    do(message)

    job.refresh_from_db()
    assert (job.state, job.lease_token) == (JobState.RUNNING, owner.public_id)


def test_failures_say_what_to_do_and_enough_is_enough(
    kind: str, owner: User, conference: Conference, client: Client
) -> None:
    def broken(work: jobs.Work) -> jobs.Result:
        raise ZeroDivisionError("with a name in it")

    jobs.register(kind, broken, label="A test", may=jobs.kind(kind).may)
    job, message = ordered(kind, owner, conference)
    do(message)
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert "Try again" in job.said
    assert "name" not in job.said

    for _one in range(jobs.MOST_OPEN):
        ordered(kind, owner, conference)
    with pytest.raises(jobs.TooManyJobs):
        ordered(kind, owner, conference)
    assert jobs.forget(now=timezone.now() + timedelta(hours=7)) == 1
    assert set(Job.objects.values_list("state", flat=True)) == {JobState.FAILED}
    client.force_login(owner)
    assert "No worker has done it" in client.get(page(Job.objects.latest("pk"))).text


@pytest.mark.django_db(transaction=True)
def test_the_outbox_brings_it_to_a_worker_that_is_watched_from_outside(kind: str) -> None:
    conference = ConferenceFactory()
    owner = RoleFactory(kind="organiser", conference=conference).user
    seen = threading.Event()

    def long(work: jobs.Work) -> jobs.Result:
        for portion in range(1000):
            work.step(portion, 1000)
            if portion == 1:
                jobs.cancel(Job.objects.get(), now=timezone.now())
            seen.wait(0.02)
        raise AssertionError("it goes on")

    jobs.register(kind, long, label="A test", may=jobs.kind(kind).may)
    job, _message = ordered(kind, owner, conference)

    report = services.drain(jobs.GROUP)

    job.refresh_from_db()
    assert report.sent == 1
    assert (job.state, job.total) == (JobState.CANCELLED, 1000)


# --- programme files -------------------------------------------------------------------------------------------------


@pytest.fixture
def everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave also the small programme to a worker."""
    monkeypatch.setattr(file_work, "_LARGE_TEXT", 10)
    monkeypatch.setattr(file_work, "_LARGE_PROGRAMME", 0)


def titles() -> set[str]:
    """Of all sessions."""
    return {str(session.title) for session in Session.objects.all()}


def test_a_large_file_is_previewed_and_applied_by_workers(client: Client, everything_is_large: None) -> None:
    programme_file.load(SMALL.encode())
    conference = Conference.objects.get()
    client.force_login(StaffFactory())
    edited = changed(("title: On the side", "title: Beside"))
    upload = pages.url("programme-file", conference)

    answer = client.post(upload, {"file": SimpleUploadedFile("programme.yaml", edited)})
    preview = Job.objects.get()
    do(Message.objects.get(about_id=preview.public_id))
    preview.refresh_from_db()
    shown = client.get(preview.result_url)
    untouched = "Beside" in titles()
    applied = client.post(preview.result_url)
    apply = Job.objects.latest("pk")
    message = Message.objects.get(about_id=apply.public_id)
    do(message)
    apply.refresh_from_db()

    assert answer["Location"] == page(preview)
    assert applied["Location"] == page(apply)
    assert "Beside" in shown.text
    assert not untouched
    assert apply.state == JobState.DONE
    assert apply.total > 5
    assert "1 change" in apply.said
    assert "Beside" in titles()

    # The worker was killed after the import and before it could write so.
    Job.objects.filter(pk=apply.pk).update(state="waiting", finished_at=None, upload=b"")
    again = Job.objects.get(pk=apply.pk)
    again.upload = edited
    again.save(update_fields=["upload"])
    do(message)
    again.refresh_from_db()
    assert again.state == JobState.DONE

    session = next(one for one in Session.objects.all() if str(one.title) == "Beside")
    Session.objects.filter(pk=session.pk).update(title={"en": "Changed by another"})
    stale = jobs.start(
        file_work.APPLY, owner=apply.owner, conference=conference, order=apply.order, upload=edited, now=timezone.now()
    )
    do(Message.objects.get(about_id=stale.public_id))
    stale.refresh_from_db()
    assert stale.state == JobState.FAILED
    assert "since the preview" in stale.said


def test_a_large_file_with_problems_says_them_all(client: Client, everything_is_large: None) -> None:
    client.force_login(StaffFactory())
    wrong = SMALL.replace("format: alliance-programme/1", "format: another").encode()
    client.post(reverse("admin:events_conference_import"), {"file": SimpleUploadedFile("programme.yaml", wrong)})
    job = Job.objects.get()
    do(Message.objects.get(about_id=job.public_id))
    job.refresh_from_db()

    assert "cannot be used: 1 problem" in job.said
    assert "alliance-programme/1" in client.get(job.result_url).text


def test_a_large_programme_is_written_by_a_worker(client: Client, everything_is_large: None) -> None:
    programme_file.load(SMALL.encode())
    conference = Conference.objects.get()
    client.force_login(StaffFactory())

    answer = client.get(pages.url("programme-file-download", conference, kind="yaml"))
    job = Job.objects.get()
    do(Message.objects.get(about_id=job.public_id))

    assert answer["Location"] == page(job)
    assert client.get(page(job, "job_file")).content == programme_file.export(conference)
