"""Organisers see what leaves, hold it, release it and send it again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from outbox import topics
from outbox.models import Message, MessageState, Outage
from tests.factories import MessageFactory, StaffFactory, UserFactory

pytestmark = pytest.mark.django_db
LIST = "admin:outbox_message_changelist"


@pytest.fixture
def administrator(client: Client) -> Client:
    """A browser in which an administrator is signed in."""
    client.force_login(StaffFactory())
    return client


def act(client: Client, action: str, *rows: Message) -> list[str]:
    """Choose an action for some messages; what the next page says."""
    sent = {"action": action, "_selected_action": [row.pk for row in rows]}
    response = client.post(reverse(LIST), sent, follow=True)
    return [str(message) for message in response.context["messages"]]


def states() -> list[str]:
    """The states of all messages in the order in which they were made."""
    return list(Message.objects.order_by("pk").values_list("state", flat=True))


def finished(state: MessageState) -> Message:
    """A message that has ended."""
    message: Message = MessageFactory(state=state, finished_at=timezone.now())
    return message


def test_send_again_queues_what_is_not_on_its_way(administrator: Client) -> None:
    dead, waiting = finished(MessageState.DEAD), MessageFactory()

    said = act(administrator, "send_again", dead, waiting)

    assert states() == ["queued", "queued"]
    assert said == [
        "1 message will be sent again.",
        "1 message left as it is: This message is still on its way; it does not need to be sent again.",
    ]


def test_hold_and_release(administrator: Client) -> None:
    waiting, sent = MessageFactory(), finished(MessageState.SENT)

    held = act(administrator, "hold", waiting, sent)
    assert states() == ["held", "sent"]
    released = act(administrator, "release", waiting, sent)

    assert states() == ["queued", "sent"]
    assert (held, released) == (["1 message is held."], ["1 message is released."])


def test_actions_need_the_permission_to_change(client: Client) -> None:
    viewer = UserFactory(is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_message"))
    client.force_login(viewer)
    message = MessageFactory()

    act(client, "hold", message)

    assert states() == ["queued"]
    assert client.get(reverse(LIST)).status_code == 200


def test_state_cannot_be_posted_and_nothing_is_deleted(administrator: Client) -> None:
    message = MessageFactory()

    administrator.post(reverse("admin:outbox_message_change", args=[message.pk]), {"state": "sent", "_save": "Save"})
    deleted = administrator.post(reverse("admin:outbox_message_delete", args=[message.pk]), {"post": "yes"})

    assert deleted.status_code == 403
    assert states() == ["queued"]


def test_list_shows_how_the_outbox_stands(administrator: Client) -> None:
    MessageFactory(due_at=timezone.now() - timedelta(minutes=3, seconds=5))
    finished(MessageState.DEAD)
    Outage.objects.create(group="mail", since=timezone.now(), next_probe_at=timezone.now(), last_error="450 busy")

    response = administrator.get(reverse(LIST))

    assert {state: count for _label, state, count in response.context["counts"]} == {
        "queued": 1, "leased": 0, "retrying": 0, "sent": 0, "held": 0, "dead": 1, "superseded": 0,
    }  # fmt: skip
    assert response.context["oldest_unsent_minutes"] == 3
    assert "450 busy" in response.text


def test_message_is_found_by_what_it_is_about(administrator: Client) -> None:
    message, _other = MessageFactory(), MessageFactory()

    found = administrator.get(reverse(LIST), {"q": str(message.about_id)})

    assert [row.pk for row in found.context["cl"].result_list] == [message.pk]


def test_every_topic_has_a_title_of_its_own() -> None:
    titles = {name: topics.title_of(name) for name in topics.names()}

    assert {name for name, title in titles.items() if title == name} == set()
    assert len(set(titles.values())) == len(titles)
    assert topics.title_of("of.an.older.version") == "of.an.older.version"


def test_messages_are_named_in_words_and_found_by_them(administrator: Client) -> None:
    link, _other = MessageFactory(topic="registration.join_link"), MessageFactory(topic="video.meeting.zoom")

    every = administrator.get(reverse(LIST)).text
    found = administrator.get(reverse(LIST), {"topic": "registration.join_link"})
    page = administrator.get(reverse("admin:outbox_message_change", args=[link.pk])).text

    assert "Link to join" in every
    assert "Meeting (Zoom)" in every
    assert ">registration.join_link<" not in every
    assert [row.pk for row in found.context["cl"].result_list] == [link.pk]
    assert "Link to join" in page
    assert "registration.join_link" in page
