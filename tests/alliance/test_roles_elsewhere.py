"""What roles at one conference show and do of another: nothing, in lists, choices, actions and the frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Role, User
from events.admin import pages
from events.models import Session, SideEvent
from outbox.models import Message
from registration.models import Admission, Registration
from speakers.models import Contribution
from tests import factories
from tests.alliance.role_pages import (
    AREA,
    SECRET,
    Expected,
    address,
    place,
    snapshot,
    url,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("kind", ["organiser", "editor", "desk", "communications", "viewer"])
def test_lists_and_choices_name_nothing_of_the_other_conference(kind: str, client: Client) -> None:
    own, _own_rows = place("Own")
    other, _rows = place(SECRET)
    expected = Expected(kind, is_house_wide=False)
    client.force_login(factories.RoleFactory(kind=kind, conference=own).user)
    session = Session.objects.filter(conference=other).earliest("pk")
    given = f"?conference={other.pk}&session={session.pk}&admission__conference__id__exact={other.pk}"
    named: list[str] = []

    for model, model_admin in admin.site._registry.items():
        if model is Group or AREA[model._meta.label_lower] == "directory":
            continue
        label = model._meta.label_lower
        looked_at = [url(model, "changelist")] if expected.may(label, "view") else []
        looked_at += [url(model, "add") + given] if expected.may(label, "add") else []
        for field in model_admin.get_autocomplete_fields(None):  # type: ignore[arg-type]
            query = f"?app_label={model._meta.app_label}&model_name={model._meta.model_name}&field_name={field}"
            looked_at.append(f"{reverse('admin:autocomplete')}{query}")
        for page in looked_at:
            response = client.get(page)
            assert response.status_code in {200, 403}
            if SECRET in response.text:
                named.append(page)

    assert named == []


def chosen(model: type[models.Model], name: str, row: models.Model) -> dict[str, Any]:
    """What a list sends for an action, with everything that a page in between would ask for."""
    return {
        "action": name, "_selected_action": [row.pk], "post": "yes", "confirmed": "1", "reason": "Why", "minutes": "5",
        "room": "", "index": "0",
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["administrator", "organiser", "editor", "desk"])
def test_actions_do_nothing_to_the_other_conference(kind: str, client: Client, unrendered: None) -> None:
    own, _rows = place("Own")
    _other, rows = place(SECRET)
    client.force_login(factories.RoleFactory(kind=kind, conference=own).user)
    before = snapshot(rows)

    for model, row in rows.items():
        model_admin = admin.site._registry[model]
        for name in ["delete_selected", *(getattr(one, "__name__", one) for one in model_admin.actions or [])]:
            response = client.post(url(model, "changelist"), chosen(model, str(name), row))
            assert response.status_code in {200, 302, 403}
    capacity = reverse("admin:registration_admission_capacity", args=[rows[Admission].pk])
    password = reverse("admin:auth_user_password_change", args=[rows[User].pk])
    refused = [
        client.get(capacity),
        client.post(capacity, {"capacity": 1}),
        client.get(password),
        client.post(password),
    ]

    assert [response.status_code for response in refused] == [404] * 4
    assert snapshot(rows) == before


def test_view_at_one_conference_and_change_at_another_do_not_mix(client: Client) -> None:
    seen, rows = place("Seen")
    edited, edited_rows = place("Edited")
    user = factories.RoleFactory(kind="viewer", conference=seen).user
    Role.objects.create(user=user, kind="editor", conference=edited)
    client.force_login(user)
    session, own = rows[Session], edited_rows[Session]
    Session.objects.filter(pk__in=[session.pk, own.pk]).update(state="draft")

    selected = {"action": "publish_selected", "_selected_action": [session.pk, own.pk]}
    client.post(url(Session, "changelist"), selected)
    page = client.get(url(Session, "change", session.pk))
    saved = client.post(url(Session, "change", session.pk), {"title_en": "Taken over"})
    moved = client.post(pages.url("programme", seen), {"up": session.pk})
    material = client.post(
        url(admin.site._registry[Session].model, "change", own.pk), {"conference": seen.pk, "title_en": "x"}
    )

    states = dict(Session.objects.filter(pk__in=[session.pk, own.pk]).values_list("pk", "state"))
    assert states == {session.pk: "draft", own.pk: "scheduled"}
    assert (page.status_code, saved.status_code, moved.status_code) == (200, 403, 403)
    assert "conference" in material.context["adminform"].form.errors


def test_addresses_of_the_frame(client: Client) -> None:
    own, own_rows = place("Own")
    _other, rows = place(SECRET)
    client.force_login(factories.RoleFactory(kind="organiser", conference=own).user)
    kind = ContentType.objects.get_for_model(Session)

    def on_site(row: models.Model) -> int:
        return client.get(reverse("admin:view_on_site", args=[kind.pk, row.pk])).status_code

    assert on_site(own_rows[Session]) == 302
    assert on_site(rows[Session]) == 404
    assert client.get(reverse("admin:events_conference_import")).status_code == 403
    assert SECRET not in client.get(reverse("admin:index")).text
    for app in ("events", "registration", "accounts"):
        assert SECRET not in client.get(reverse("admin:app_list", args=[app])).text


@pytest.mark.parametrize("who", ["nobody", "no role", "convenor", "switched off"])
def test_strangers_are_asked_to_sign_in(who: str, client: Client) -> None:
    own, rows = place("Own")
    if who != "nobody":
        user = factories.UserFactory(is_active=who != "switched off")
        if who == "convenor":
            Role.objects.create(user=user, kind="convenor", session_id=rows[SideEvent].pk)
        if who == "switched off":
            Role.objects.create(user=user, kind="administrator")
        client.force_login(user)
    looked_at = [url(model, page) for model in admin.site._registry for page in ("changelist", "add")]
    looked_at += [url(model, "change", row.pk) for model, row in rows.items()]
    looked_at += [address(page, own) for page in pages._pages.values()]

    found = {page: client.get(page) for page in looked_at}

    assert {page for page, answer in found.items() if answer.status_code != 302} == set()
    assert {answer.headers["Location"].partition("?")[0] for answer in found.values()} == {reverse("admin:login")}


@pytest.mark.parametrize(
    "model", [Session, Contribution, Registration, Message, User, Role], ids=lambda one: one.__name__
)
def test_lists_of_an_organiser_cost_the_same_for_one_row_and_for_three(
    model: type[models.Model], client: Client
) -> None:
    conference, _rows = place("Own")
    client.force_login(factories.RoleFactory(kind="organiser", conference=conference).user)
    make: dict[type[models.Model], Callable[[], Any]] = {
        Session: lambda: factories.SessionFactory(conference=conference),
        Contribution: lambda: factories.ContributionFactory(session=Session.objects.earliest("pk")),
        Registration: lambda: factories.RegistrationFactory(admission=Admission.objects.get()),
        Message: lambda: factories.MessageFactory(
            about_kind="registration", about_id=Registration.objects.get().public_id
        ),
        User: lambda: factories.RoleFactory(conference=conference),
        Role: lambda: factories.RoleFactory(conference=conference),
    }

    def cost() -> tuple[int, int]:
        client.get(url(model, "changelist"))
        with CaptureQueriesContext(connection) as queries:
            response = client.get(url(model, "changelist"))
        return len(queries), len(response.context["cl"].result_list)

    one = cost()
    make[model]()
    make[model]()

    assert cost() == (one[0], one[1] + 2)
    assert one[0] <= 25
