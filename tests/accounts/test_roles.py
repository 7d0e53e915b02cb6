"""Who may give and take away which role, and that each time stands in the audit trail."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts import roles
from accounts.models import AuditEntry, Role, RoleKind, User
from events.models import Conference
from tests.factories import ConferenceFactory, RoleFactory, SideEventFactory, StaffFactory, UserFactory

pytestmark = pytest.mark.django_db
ADD = "admin:accounts_role_add"


@pytest.fixture
def conference() -> Conference:
    """The organiser's own."""
    made: Conference = ConferenceFactory()
    return made


@pytest.fixture
def organiser(client: Client, conference: Conference) -> User:
    """A signed-in organiser of one conference."""
    user: User = RoleFactory(conference=conference, kind="organiser").user
    client.force_login(user)
    return user


def give(client: Client, kind: str, **more: Any) -> User:
    """Send the form for a new role; returns the user it is for."""
    user = UserFactory()
    client.post(reverse(ADD), {"email": user.email.upper(), "kind": kind} | more)
    return user


def trail() -> list[tuple[str, Any, Any]]:
    """What the audit trail says of roles."""
    entries = AuditEntry.objects.filter(about_kind="user").order_by("pk")
    return [(entry.action, entry.about_id, entry.details["role"]) for entry in entries]


@pytest.mark.parametrize("kind", ["organiser", "editor", "desk", "communications", "steward", "viewer"])
def test_organiser_gives_roles_at_their_conference_by_address(
    kind: str, organiser: User, conference: Conference, client: Client
) -> None:
    user = give(client, kind, conference=conference.pk)

    assert Role.objects.filter(user=user).values_list("conference", "kind").get() == (conference.pk, kind)
    assert trail() == [("role.granted", user.public_id, kind)]
    assert user.email not in str(AuditEntry.objects.values())


@pytest.mark.parametrize("where", ["other", "everywhere"])
def test_organiser_gives_nothing_elsewhere(where: str, organiser: User, client: Client) -> None:
    user = give(client, "viewer", **({"conference": ConferenceFactory().pk} if where == "other" else {}))

    assert not user.roles.exists()
    assert trail() == []


def test_organiser_makes_no_administrator_and_nothing_for_themselves(
    organiser: User, conference: Conference, client: Client
) -> None:
    user = give(client, "administrator", conference=conference.pk)
    client.post(reverse(ADD), {"email": organiser.email, "kind": "viewer", "conference": conference.pk})

    assert not user.roles.exists()
    assert organiser.roles.get().kind == "organiser"


@pytest.mark.parametrize("kind", [kind.value for kind in RoleKind if kind not in (RoleKind.ADMINISTRATOR, "organiser")])
def test_others_give_no_roles(kind: str, conference: Conference, client: Client) -> None:
    session = SideEventFactory(conference=conference)
    place = {"session": session, "conference": None} if kind == "convenor" else {"conference": conference}
    client.force_login(RoleFactory(kind=kind, **place).user)

    user = give(client, "viewer", conference=conference.pk)

    assert not user.roles.exists()


def test_address_of_nobody_is_said_so(organiser: User, conference: Conference, client: Client) -> None:
    sent = {"email": "nobody@office.example", "kind": "viewer", "conference": conference.pk}

    response = client.post(reverse(ADD), sent)

    assert response.context["adminform"].form.errors == {"email": ["Nobody signs in here with this address."]}


def test_organiser_makes_a_convenor_of_an_own_side_event_only(
    organiser: User, conference: Conference, client: Client
) -> None:
    own, other = SideEventFactory(conference=conference), SideEventFactory()

    user = give(client, "convenor", session=own.pk, may_see_contacts="on")
    stranger = give(client, "convenor", session=other.pk)

    assert user.roles.values_list("session", "may_see_contacts").get() == (own.pk, True)
    assert not stranger.roles.exists()
    assert not user.access.has_roles


def test_role_is_changed_and_withdrawn_on_the_record(organiser: User, conference: Conference, client: Client) -> None:
    role = RoleFactory(conference=conference, kind="viewer")
    page = reverse("admin:accounts_role_change", args=[role.pk])

    client.post(page, {"kind": "desk", "conference": conference.pk})
    client.post(reverse("admin:accounts_role_delete", args=[role.pk]), {"post": "yes"})

    assert not Role.objects.filter(pk=role.pk).exists()
    assert trail() == [
        ("role.withdrawn", role.user.public_id, "viewer"),
        ("role.granted", role.user.public_id, "desk"),
        ("role.withdrawn", role.user.public_id, "desk"),
    ]


def test_organiser_withdraws_no_administrator_by_any_way(
    organiser: User, conference: Conference, client: Client
) -> None:
    role = RoleFactory(conference=conference, kind="administrator")
    deleted = {"action": "delete_selected", "_selected_action": [role.pk], "post": "yes"}

    answers = [
        client.post(reverse("admin:accounts_role_delete", args=[role.pk]), {"post": "yes"}).status_code,
        client.post(reverse("admin:accounts_role_change", args=[role.pk]), {"kind": "viewer"}).status_code,
    ]
    client.post(reverse("admin:accounts_role_changelist"), deleted)

    assert answers == [403, 403]
    assert Role.objects.get(pk=role.pk).kind == "administrator"


@pytest.mark.parametrize("is_superuser", [True, False])
def test_administrators_of_the_house_give_roles_anywhere(is_superuser: bool, client: Client) -> None:
    administrator = StaffFactory() if is_superuser else RoleFactory(kind="administrator", conference=None).user
    client.force_login(administrator)
    user = UserFactory()

    for kind, place in (("administrator", ""), ("organiser", ConferenceFactory().pk)):
        client.post(reverse(ADD), {"user": user.pk, "kind": kind, "conference": place})

    assert set(user.roles.values_list("kind", flat=True)) == {"administrator", "organiser"}


def test_roles_on_a_users_page_are_on_the_record(client: Client) -> None:
    client.force_login(StaffFactory())
    user = UserFactory()
    sent = {
        "email": user.email, "name": user.name, "language": "en", "is_active": "on", "roles-TOTAL_FORMS": "1",
        "roles-INITIAL_FORMS": "0", "roles-0-kind": "viewer",
    }  # fmt: skip

    client.post(reverse("admin:accounts_user_change", args=[user.pk]), sent)

    assert trail() == [("role.granted", user.public_id, "viewer")]


def test_nobody_gives_more_than_they_may_by_plain_permissions() -> None:
    clerk = UserFactory(is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="add_role"))

    assert not roles.may_give(clerk, Role(user=UserFactory(), kind="viewer"))


def test_what_somebody_is_elsewhere_is_not_shown(organiser: User, conference: Conference, client: Client) -> None:
    elsewhere = ConferenceFactory(title={"en": "Zzyzx"})
    user = RoleFactory(conference=conference, kind="viewer").user
    RoleFactory(user=user, conference=elsewhere, kind="desk")

    shown = client.get(reverse("admin:accounts_user_change", args=[user.pk]))

    assert shown.status_code == 200
    assert "Zzyzx" not in shown.text


def test_account_that_is_switched_off_has_no_role(conference: Conference) -> None:
    user = RoleFactory(conference=conference, kind="organiser", user__is_active=False).user

    assert not user.has_perm("events.view_session", conference)
    assert not user.access.may("events.view_session", conference)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "convenor"},
        {"kind": "convenor", "conference": True, "session": True},
        {"kind": "viewer", "session": True},
        {"kind": "viewer", "conference": True, "may_see_contacts": True},
    ],
)
def test_role_of_a_convenor_is_at_a_session_and_no_other_is(wrong: dict[str, Any]) -> None:
    session = SideEventFactory()
    values = wrong | {name: getattr(session, name) for name in ("conference",) if name in wrong}
    values |= {"session": session} if "session" in wrong else {}

    with pytest.raises(IntegrityError, match="role_of_convenor_is_at_a_session"), transaction.atomic():
        Role.objects.create(user=UserFactory(), **values)
