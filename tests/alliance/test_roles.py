"""Every page of the admin as every role, at their own conference and at another, against docs/roles.md."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import models
from django.test import Client
from django.urls import get_resolver

from accounts.models import User
from events.admin import pages
from events.models import Session
from registration.models import Participant
from tests import factories
from tests.alliance import role_table
from tests.alliance.role_pages import (
    AREA,
    CONFERENCE_PAGES,
    FRAME,
    LEVEL_OF,
    REGISTERED,
    SECRET,
    SHARED,
    Expected,
    address,
    names,
    place,
    snapshot,
    url,
)

pytestmark = pytest.mark.django_db


def test_docs_print_the_table_of_the_code() -> None:
    assert role_table.documented() == role_table.printed()


def test_every_address_of_the_admin_has_an_entry() -> None:
    of_models = {
        f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
        for model in admin.site._registry
        for page in ("changelist", "add", "change", "delete", "history")
    }
    of_conferences = {f"admin:events_conference_{page}" for page in CONFERENCE_PAGES}
    found = {name for name, route in names(get_resolver().url_patterns) if name.startswith("admin:")} - {"admin:"}

    assert found == of_models | of_conferences | FRAME
    assert set(CONFERENCE_PAGES) == set(pages._pages)
    assert {model._meta.label_lower for model in REGISTERED} <= set(AREA)


def answers(client: Client, model: type[models.Model], row: models.Model) -> dict[str, int]:
    """What the pages of a row say."""
    found = {page: client.get(url(model, page, row.pk)).status_code for page in ("change", "delete", "history")}
    return found | {f"post {page}": client.post(url(model, page, row.pk)).status_code for page in ("change", "delete")}


def distinct() -> list[str]:
    """The roles that open anything, one of those that open the same."""
    found: dict[str, str] = {}
    for kind, levels in role_table.levels().items():
        found.setdefault(str(levels), kind)
    return [kind for kind in found.values() if any(role_table.levels()[kind].values())]


ROLES = [*((kind, False) for kind in distinct()), ("organiser", True)]


@pytest.mark.parametrize(("kind", "is_house_wide"), ROLES)
def test_pages_of_rows(kind: str, is_house_wide: bool, client: Client, unrendered: None) -> None:
    own, own_rows = place("Own")
    other, other_rows = place(SECRET)
    expected = Expected(kind, is_house_wide=is_house_wide)
    client.force_login(factories.RoleFactory(kind=kind, conference=None if is_house_wide else own).user)
    before = snapshot(other_rows)
    wrong: list[str] = []

    def check(what: str, found: int, wanted: set[int]) -> None:
        if found not in wanted:
            wrong.append(f"{what}: {found}, not {wanted}")

    for model in REGISTERED:
        label = model._meta.label_lower
        may = {right: expected.may(label, right) for right in LEVEL_OF}
        check(f"{label} list", client.get(url(model, "changelist")).status_code, {200} if may["view"] else {403})
        check(f"{label} add", client.get(url(model, "add")).status_code, {200} if may["add"] else {403})
        row = own_rows.get(model) or SHARED[label]()
        for page, right in (("change", "view"), ("delete", "delete"), ("history", "view")):
            wanted = {200} if may[right] else {403} if may["view"] else {404}
            check(f"{label} own {page}", client.get(url(model, page, row.pk)).status_code, wanted)
        if model in other_rows and not is_house_wide:
            for page, found in answers(client, model, other_rows[model]).items():
                check(f"{label} other {page}", found, {404})
        elif model in other_rows:
            status = client.get(url(model, "change", other_rows[model].pk)).status_code
            check(f"{label} other change", status, {200} if may["view"] else {404})
    for name, conference_page in pages._pages.items():
        for conference, is_own in ((own, True), (other, is_house_wide)):
            found = client.get(address(conference_page, conference)).status_code
            area, level = CONFERENCE_PAGES[name]
            is_open = is_house_wide and expected.may("events.conference", "add")
            is_open = expected.levels[area] >= level if level is not None else is_open
            check(f"{name} of {conference}", found, {404} if not is_own else {200, 302, 404, 405} if is_open else {403})

    assert wrong == []
    assert snapshot(other_rows) == before


def test_permissions_of_staff_count_for_the_whole_house(client: Client) -> None:
    _own, rows = place("One")
    _other, others = place("Two")
    user = factories.UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_session"))
    client.force_login(user)

    found = [client.get(url(Session, "change", one[Session].pk)).status_code for one in (rows, others)]

    assert found == [200, 200]
    assert client.get(url(Participant, "change", rows[Participant].pk)).status_code == 403
    assert user.has_perm("events.view_session", rows[Session])


@pytest.mark.parametrize("roles", [1, 3])
def test_roles_are_read_once(roles: int, django_assert_num_queries: Any) -> None:
    made_for = factories.UserFactory()
    made = [factories.RoleFactory(user=made_for).conference for _ in range(roles)]
    user = User.objects.get(pk=made_for.pk)

    with django_assert_num_queries(3):  # permissions, permissions of groups, roles
        assert user.has_perm("events.change_session")
        assert all(user.has_perm("events.change_conference", one) for one in made)
        assert not user.has_perm("events.add_conference")
