"""A meeting's address goes in and never comes out."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, User
from outbox.models import Message
from tests.factories import NOW, ConferenceFactory, MeetingFactory, SideEventFactory, StaffFactory
from video.models import HostAccount, Meeting, MeetingState

pytestmark = pytest.mark.django_db
SECRET = "https://meet.provider.example/canary-room?pwd=canary-word"


@pytest.fixture
def user() -> User:
    """An administrator."""
    found: User = StaffFactory()
    return found


@pytest.fixture
def administrator(user: User, client: Client) -> Client:
    """A browser in which an administrator is signed in."""
    client.force_login(user)
    return client


def form(**more: Any) -> dict[str, Any]:
    """What the page of a meeting sends, and more."""
    return {"platform": "static", "opens_before": "00:15:00", "allowed_hosts": "", "fallback": "wait", **more}


def test_new_address_goes_through_the_service_and_is_not_shown_again(administrator: Client, user: User) -> None:
    session = SideEventFactory()
    sent = form(
        session=session.pk, new_address=SECRET, new_host_address=SECRET, new_passcode="canary", new_dial_in="canary"
    )

    response = administrator.post(reverse("admin:video_meeting_add"), sent)

    assert response.status_code == 302
    meeting = Meeting.objects.get()
    assert (meeting.address, meeting.state, meeting.allowed_hosts) == (SECRET, "ready", ["meet.provider.example"])
    assert (meeting.host_address, meeting.passcode, meeting.dial_in) == (SECRET, "canary", "canary")
    assert AuditEntry.objects.values_list("action", "actor_user").get() == ("meeting.address_saved", user.pk)
    pages = [reverse("admin:video_meeting_changelist")] + [
        reverse(f"admin:video_meeting_{page}", args=[meeting.pk]) for page in ("change", "history", "delete")
    ]
    assert [page for page in pages if "canary" in administrator.get(page).text] == []
    assert "canary" not in str(LogEntry.objects.values())


@pytest.mark.parametrize(
    ("address", "hosts"),
    [("http://meet.provider.example/canary", ""), (SECRET, "other.example"), ("canary", ""), ("javascript:canary", "")],
)
def test_unsafe_address_is_explained_and_not_repeated(address: str, hosts: str, administrator: Client) -> None:
    sent = form(session=SideEventFactory().pk, new_address=address, allowed_hosts=hosts)

    response = administrator.post(reverse("admin:video_meeting_add"), sent)

    assert list(response.context["adminform"].form.errors) == ["new_address"]
    assert "canary" not in response.text
    assert not Meeting.objects.exists()


def test_empty_address_keeps_what_is_stored(administrator: Client) -> None:
    meeting = MeetingFactory()
    sent = form(session=meeting.session_id, opens_before="00:30:00", allowed_hosts="MEET.provider.example\nb.example")

    response = administrator.post(reverse("admin:video_meeting_change", args=[meeting.pk]), sent)

    assert response.status_code == 302
    after = Meeting.objects.get()
    assert (after.address, after.state) == (meeting.address, "ready")
    assert after.allowed_hosts == ["meet.provider.example", "b.example"]
    assert not AuditEntry.objects.exists()


def test_list_of_hosts_must_keep_the_stored_address(administrator: Client) -> None:
    meeting = MeetingFactory()
    sent = form(session=meeting.session_id, allowed_hosts="other.example")

    response = administrator.post(reverse("admin:video_meeting_change", args=[meeting.pk]), sent)

    assert list(response.context["adminform"].form.errors) == ["allowed_hosts"]
    assert "canary" not in response.text


@pytest.mark.parametrize("hosts", ["meet.provider.example", "other.example"])
def test_meeting_with_an_unreadable_address_can_be_saved(hosts: str, administrator: Client, settings: Any) -> None:
    """The key of the house was changed: it was answered with 500."""
    meeting = MeetingFactory()
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    sent = form(session=meeting.session_id, opens_before="00:30:00", allowed_hosts=hosts)

    response = administrator.post(reverse("admin:video_meeting_change", args=[meeting.pk]), sent)

    assert response.status_code == 302
    assert Meeting.objects.values_list("allowed_hosts", flat=True).get() == [hosts]


def test_state_cannot_be_posted(administrator: Client) -> None:
    meeting = MeetingFactory(state="broken")
    sent = form(
        session=meeting.session_id, allowed_hosts="meet.provider.example", state="ready", address="https://x.example"
    )

    administrator.post(reverse("admin:video_meeting_change", args=[meeting.pk]), sent)

    after = Meeting.objects.get()
    assert (after.state, after.address) == ("broken", meeting.address)


def test_cancelled_meeting_takes_no_address(administrator: Client) -> None:
    meeting = MeetingFactory(state="cancelled")
    sent = form(session=meeting.session_id, new_address=SECRET)

    response = administrator.post(reverse("admin:video_meeting_change", args=[meeting.pk]), sent)

    assert response.context["adminform"].form.errors == {"new_address": ["This meeting has been cancelled."]}


@pytest.mark.parametrize("both", [True, False])
def test_meeting_of_both_or_nothing_is_explained(both: bool, administrator: Client) -> None:
    belongs = {"session": SideEventFactory().pk, "conference": ConferenceFactory().pk} if both else {}

    response = administrator.post(reverse("admin:video_meeting_add"), form(**belongs, new_address=SECRET))

    assert response.context["adminform"].form.errors == {"session": ["Choose either a session or a conference."]}
    assert "canary" not in response.text
    assert not AuditEntry.objects.exists()


def test_opening_times_are_on_the_venues_clock(administrator: Client) -> None:
    meeting = MeetingFactory()
    sent = form(session=meeting.session_id, allowed_hosts="", opens_at_0="2030-07-14", opens_at_1="12:00:00")

    administrator.post(reverse("admin:video_meeting_change", args=[meeting.pk]), sent)

    opens_at = Meeting.objects.get().opens_at
    assert opens_at is not None
    assert opens_at.isoformat() == "2030-07-14T10:00:00+00:00"


@pytest.mark.parametrize(("action", "state"), [("mark_broken", "broken"), ("cancel_meetings", "cancelled")])
def test_actions_go_through_the_services(action: str, state: str, administrator: Client) -> None:
    meeting, over = MeetingFactory(), MeetingFactory(state="cancelled")
    sent = {"action": action, "_selected_action": [meeting.pk, over.pk]}

    administrator.post(reverse("admin:video_meeting_changelist"), sent)

    assert Meeting.objects.get(pk=meeting.pk).state == state
    assert Meeting.objects.get(pk=over.pk).state == MeetingState.CANCELLED
    assert AuditEntry.objects.values_list("about_id", flat=True).get() == meeting.public_id


def test_pages_answer_when_the_key_to_an_address_is_lost(administrator: Client) -> None:
    meeting = MeetingFactory()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE video_meeting SET address = 'unreadable', passcode = 'unreadable'")

    listed = administrator.get(reverse("admin:video_meeting_changelist"))
    page = administrator.get(reverse("admin:video_meeting_change", args=[meeting.pk]))
    sent = form(session=meeting.session_id, allowed_hosts="", new_address=SECRET)
    saved = administrator.post(reverse("admin:video_meeting_change", args=[meeting.pk]), sent)

    assert (listed.status_code, page.status_code, saved.status_code) == (200, 200, 302)
    assert Meeting.objects.values_list("address", flat=True).get() == SECRET


def test_credentials_of_a_host_account_go_in_and_never_come_out(administrator: Client) -> None:
    sent = {
        "service": "zoom", "label": "Office", "is_active": "on", "host": "", "variables": "", "daily_changes": "100",
        "daily_registrants": "10000", "own_languages": "it", "new_credentials": "CLIENT_SECRET=canary-secret",
    }  # fmt: skip

    assert administrator.post(reverse("admin:video_hostaccount_add"), sent).status_code == 302

    account = HostAccount.objects.get()
    assert (account.credentials, account.own_languages) == ("CLIENT_SECRET=canary-secret", ["it"])
    pages = [reverse("admin:video_hostaccount_changelist")] + [
        reverse(f"admin:video_hostaccount_{page}", args=[account.pk]) for page in ("change", "history", "delete")
    ]
    assert [page for page in pages if "canary" in administrator.get(page).text] == []
    assert "canary" not in str(LogEntry.objects.values())
    refused = administrator.post(reverse("admin:video_hostaccount_add"), sent | {"new_credentials": "canary"})
    assert list(refused.context["adminform"].form.errors) == ["new_credentials"]


def test_saving_a_meeting_on_a_platform_orders_it_and_may_ask_again(administrator: Client) -> None:
    session = SideEventFactory(state="scheduled", starts_at=NOW.replace(year=2100), ends_at=NOW.replace(year=2101))
    sent = form(session=session.pk, platform="zoom_webinar")
    assert administrator.post(reverse("admin:video_meeting_add"), sent).status_code == 302
    meeting = Meeting.objects.get()
    page = reverse("admin:video_meeting_change", args=[meeting.pk])

    shown = administrator.get(page).text
    administrator.post(
        reverse("admin:video_meeting_changelist"), {"action": "ask_again", "_selected_action": meeting.pk}
    )

    assert "The room will be made on the platform." in shown
    assert "There is no host account for this platform." in shown
    assert [message.about_version for message in Message.objects.order_by("pk")] == [1, 2]
