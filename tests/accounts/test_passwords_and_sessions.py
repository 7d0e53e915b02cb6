"""Forgotten and changed passwords, and the list of sessions."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from outbox import services as outbox_services
from outbox.models import Message
from tests.accounts.signing_in import PASSWORD, actions, is_in, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("required")]


def ask(client: Client, email: str) -> Any:
    """Send the form for a new password."""
    return client.post("/en/accounts/password/forgotten/", {"email": email})


def test_a_new_password_is_set_by_the_link_of_a_mail(client: Client, staff: User, mailoutbox: Any) -> None:
    old = Client()
    old.force_login(staff)
    ask(client, staff.email.upper())
    outbox_services.drain_all(now=timezone.now())
    (mail,) = mailoutbox
    path = urlsplit(re.search(r"https?://\S+", mail.body)[0]).path  # type: ignore[index]
    form = client.get(path, follow=True)
    new = {"new_password1": "another long sentence", "new_password2": "another long sentence"}

    done = client.post(form.redirect_chain[-1][0], new)

    assert done["Location"] == "/en/accounts/password/new/done/"
    assert sign_in(Client(), password="another long sentence").status_code == 302
    assert "This link does not work any more" in Client().get(path, follow=True).text
    assert old.get("/en/accounts/sessions/").status_code == 302
    assert "password.reset" in actions()
    assert not is_in(client), "it signs nobody in"


def test_asking_says_and_does_the_same_for_unknown_addresses(client: Client, staff: User, mailoutbox: Any) -> None:
    found = []
    for email in (staff.email, "nobody@office.example"):
        with CaptureQueriesContext(connection) as queries:
            answer = ask(client, email)
        found.append((answer.status_code, answer["Location"], len(queries)))

    assert found[0] == found[1]
    assert Message.objects.filter(topic="account.password_reset").count() == 2
    assert "nobody" not in json.dumps(list(Message.objects.values("details", "key")), default=str)
    outbox_services.drain_all(now=timezone.now())
    assert [mail.to for mail in mailoutbox] == [[staff.email]]


def test_asking_is_limited(client: Client, staff: User) -> None:
    for _number in range(5):
        ask(client, staff.email)

    assert "Too many attempts" in ask(client, staff.email).text
    assert Message.objects.count() == 5


def test_changing_the_password_ends_other_sessions(client: Client, settings: Any, staff: User) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    other = Client()
    sign_in(client)
    sign_in(other)
    new = {"new_password1": "another long sentence", "new_password2": "another long sentence"}

    wrong = client.post("/en/accounts/password/", {"old_password": "wrong", **new})
    right = client.post("/en/accounts/password/", {"old_password": PASSWORD, **new})

    assert (wrong.status_code, right.status_code) == (200, 302)
    assert (is_in(client), is_in(other)) == (True, False)


def test_sessions_are_listed_and_ended(client: Client, settings: Any, staff: User) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    other = Client(headers={"User-Agent": "Other browser <b>"})
    sign_in(client)
    sign_in(other)

    page = client.get("/en/accounts/sessions/")
    client.post("/en/accounts/sessions/")

    assert "Other browser &lt;b&gt;" in page.text
    assert (is_in(client), is_in(other)) == (True, False)
