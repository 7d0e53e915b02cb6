"""Nobody reaches more power through the admin than they were given."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse
from structlog.testing import capture_logs

from accounts.models import AuditEntry, Role, User
from tests.factories import AuditEntryFactory, ConferenceFactory, SessionFactory, StaffFactory, UserFactory

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery staple"


def staff(*codenames: str, **kwargs: Any) -> User:
    """A user who may open the admin and has these permissions."""
    user: User = UserFactory(is_staff=True, **kwargs)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


@pytest.fixture
def clerk(client: Client) -> User:
    """A signed-in member of staff who looks after users, and is no administrator."""
    user = staff("view_user", "add_user", "change_user", "delete_user", "add_role", "change_role", "view_role")
    client.force_login(user)
    return user


def change(user: User) -> str:
    """The address of a user's page."""
    return reverse("admin:accounts_user_change", args=[user.pk])


def form(user: User, **more: Any) -> dict[str, Any]:
    """What the page of a user sends, and more."""
    return {
        "email": user.email, "name": user.name, "language": "en", "is_active": "on",
        "roles-TOTAL_FORMS": "0", "roles-INITIAL_FORMS": "0", **more,
    }  # fmt: skip


def powers(user: User) -> tuple[bool, bool, int, int]:
    """What a user may do, read afresh."""
    user = User.objects.get(pk=user.pk)
    return user.is_superuser, user.is_staff, user.groups.count(), user.user_permissions.count()


def test_role_opens_the_admin_and_no_account_above(client: Client) -> None:
    organiser = UserFactory()
    Role.objects.create(user=organiser, kind="organiser")
    client.force_login(organiser)

    assert client.get(reverse("admin:events_conference_changelist")).status_code == 200
    assert client.get(change(StaffFactory())).status_code == 200
    assert client.post(change(StaffFactory()), {"email": "mine@office.example"}).status_code == 403


# --- W11 ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("power", ["is_superuser", "is_staff", "groups", "user_permissions"])
@pytest.mark.parametrize("target", ["self", "other"])
def test_clerk_who_posts_powers_is_refused_and_logged(power: str, target: str, clerk: User, client: Client) -> None:
    user = clerk if target == "self" else UserFactory()
    before = powers(user)
    group = Group.objects.create(name="Everything")
    values = {"is_superuser": "on", "is_staff": "on", "groups": group.pk,
              "user_permissions": Permission.objects.latest("pk").pk}  # fmt: skip

    with capture_logs() as logs:
        response = client.post(change(user), form(user, **{power: values[power]}))

    assert response.status_code == 403
    assert powers(user) == before
    assert [(line["event"], line["what"], line["user"]) for line in logs if line["event"] == "admin_refused"] == [
        ("admin_refused", "user_powers", clerk.pk)
    ]


def test_who_gets_in_and_what_they_may_do_stands_in_the_trail(client: Client) -> None:
    """Ids and names of fields; no address, and no password."""
    administrator, user = StaffFactory(), UserFactory()
    client.force_login(administrator)
    password = {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}

    client.post(change(user), form(user, name="Renamed"))
    client.post(change(user), form(user, email="canary@office.example", name="Renamed", is_superuser="on"))
    client.post(reverse("admin:auth_user_password_change", args=[user.pk]), password | {"password2": "another"})
    client.post(reverse("admin:auth_user_password_change", args=[user.pk]), password)
    client.post(reverse("admin:accounts_user_add"), {"email": "new@office.example", "language": "en", **password})
    client.post(reverse("admin:accounts_user_delete", args=[user.pk]), {"post": "yes"})

    lines = AuditEntry.objects.order_by("pk").values_list("action", "actor_user", "details")
    assert list(lines) == [
        ("user.changed", administrator.pk, {"email": "changed", "is_superuser": True}),
        ("password.set", administrator.pk, {}),
        ("user.added", administrator.pk, {}),
        ("user.deleted", administrator.pk, {}),
    ]
    assert set(AuditEntry.objects.exclude(action="user.added").values_list("about_id", flat=True)) == {user.public_id}


@pytest.mark.parametrize("power", ["is_superuser", "is_staff", "groups", "user_permissions"])
def test_clerk_who_adds_a_user_with_powers_is_refused(power: str, clerk: User, client: Client) -> None:
    sent = {"email": "new@office.example", "language": "en", "usable_password": "true", "password1": PASSWORD,
            "password2": PASSWORD, power: "1"}  # fmt: skip

    assert client.post(reverse("admin:accounts_user_add"), sent).status_code == 403
    assert not User.objects.filter(email="new@office.example").exists()


def test_clerk_does_not_get_at_those_above(clerk: User, client: Client) -> None:
    superuser = StaffFactory()
    mightier = staff("change_user", "delete_conference")
    switched_off = staff("change_user", "delete_conference", is_active=False)
    by_group = staff()
    group = Group.objects.create(name="Everything")
    group.permissions.set(Permission.objects.all())
    by_group.groups.add(group)
    by_role = staff()
    Role.objects.create(user=by_role, kind="administrator")

    for user in (superuser, mightier, switched_off, by_group, by_role):
        before = User.objects.filter(pk=user.pk).values().get()
        password = {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
        with capture_logs() as logs:
            answers = [
                client.post(change(user), form(user, email="mine@office.example")).status_code,
                client.post(reverse("admin:auth_user_password_change", args=[user.pk]), password).status_code,
                client.get(reverse("admin:auth_user_password_change", args=[user.pk])).status_code,
                client.post(reverse("admin:accounts_user_delete", args=[user.pk]), {"post": "yes"}).status_code,
            ]
        assert answers == [403] * 4
        assert "user_password" in {line.get("what") for line in logs}
        assert User.objects.filter(pk=user.pk).values().get() == before


def test_clerk_deletes_nobody_above_by_the_lists_action(clerk: User, client: Client) -> None:
    superuser = StaffFactory()
    sent = {"action": "delete_selected", "_selected_action": [superuser.pk], "post": "yes"}

    client.post(reverse("admin:accounts_user_changelist"), sent)

    assert User.objects.filter(pk=superuser.pk).exists()


def test_clerk_does_the_work_of_a_clerk(clerk: User, client: Client) -> None:
    user = UserFactory()
    new = {"email": "New.Person@office.example", "name": "New", "language": "ru", "usable_password": "true",
           "password1": PASSWORD, "password2": PASSWORD}  # fmt: skip

    changed = client.post(change(user), form(user, name="Renamed"))
    added = client.post(reverse("admin:accounts_user_add"), new)

    assert (changed.status_code, added.status_code) == (302, 302)
    assert User.objects.get(pk=user.pk).name == "Renamed"
    person = User.objects.get(email="new.person@office.example")
    assert person.check_password(PASSWORD)
    assert powers(person) == (False, False, 0, 0)


@pytest.mark.parametrize(
    ("kind", "receiver", "is_given"),
    [
        ("administrator", "other", False),
        ("viewer", "self", False),
        ("organiser", "other", False),  # may more than the clerk
        ("viewer", "other", True),
    ],
)
def test_clerk_makes_no_administrators_and_gives_themselves_nothing(
    kind: str, receiver: str, is_given: bool, clerk: User, client: Client
) -> None:
    user = clerk if receiver == "self" else UserFactory()
    clerk.user_permissions.add(*Permission.objects.filter(codename__startswith="view_"))
    inline = {"roles-TOTAL_FORMS": "1", "roles-0-kind": kind, "roles-0-user": user.pk}

    client.post(reverse("admin:accounts_role_add"), {"user": user.pk, "kind": kind})
    by_page = Role.objects.filter(user=user, kind=kind).count()
    Role.objects.all().delete()
    client.post(change(user), form(user, **inline))
    by_inline = Role.objects.filter(user=user, kind=kind).count()

    assert (by_page, by_inline) == (is_given, is_given)


@pytest.mark.parametrize("page", ["changelist", "add"])
def test_groups_are_for_administrators(page: str, client: Client) -> None:
    client.force_login(staff("view_group", "add_group", "change_group", "delete_group"))

    assert client.get(reverse(f"admin:auth_group_{page}")).status_code == 403
    assert client.post(reverse(f"admin:auth_group_{page}"), {"name": "x"}).status_code == 403
    assert not Group.objects.exists()


def test_inline_of_a_parent_that_may_only_be_viewed_is_not_saved(client: Client) -> None:
    client.force_login(staff("view_session", "add_segment", "change_segment", "delete_segment"))
    session = SessionFactory()
    sent = {"segments-TOTAL_FORMS": "1", "segments-INITIAL_FORMS": "0", "segments-0-key": "x",
            "segments-0-position": "1", "segments-0-kind": "other", "segments-0-visibility": "before"}  # fmt: skip

    response = client.post(reverse("admin:events_session_change", args=[session.pk]), sent)

    assert response.status_code == 403
    assert not session.segments.exists()


# --- the ordinary work ----------------------------------------------------------------------------------------------


def test_administrator_gives_powers_and_roles(client: Client) -> None:
    client.force_login(StaffFactory())
    user, conference = UserFactory(), ConferenceFactory()
    group = Group.objects.create(name="Desk")
    roles = {"roles-TOTAL_FORMS": "1", "roles-0-kind": "administrator", "roles-0-conference": conference.pk}

    response = client.post(change(user), form(user, is_staff="on", groups=[group.pk], **roles))

    assert response.status_code == 302
    assert powers(user) == (False, True, 1, 0)
    assert Role.objects.values_list("user", "conference", "kind").get() == (user.pk, conference.pk, "administrator")


def test_the_same_role_twice_is_explained(client: Client) -> None:
    client.force_login(StaffFactory())
    user = UserFactory()
    Role.objects.create(user=user, kind="desk")

    response = client.post(reverse("admin:accounts_role_add"), {"user": user.pk, "kind": "desk"})

    assert response.context["adminform"].form.errors == {"__all__": ["This role is held already."]}


def test_the_same_address_in_capitals_is_explained(client: Client) -> None:
    client.force_login(StaffFactory())
    UserFactory(email="taken@office.example")
    sent = {"email": "Taken@office.example", "language": "en", "usable_password": "true", "password1": PASSWORD,
            "password2": PASSWORD}  # fmt: skip

    response = client.post(reverse("admin:accounts_user_add"), sent)

    assert response.status_code == 200
    assert "email" in response.context["adminform"].form.errors


def test_short_password_is_refused(client: Client) -> None:
    client.force_login(StaffFactory())
    sent = {"email": "new@office.example", "language": "en", "usable_password": "true", "password1": "Xk3!pq",
            "password2": "Xk3!pq"}  # fmt: skip

    response = client.post(reverse("admin:accounts_user_add"), sent)

    assert list(response.context["adminform"].form.errors) == ["password2"]


def test_people_sign_in_by_e_mail_in_any_case(client: Client) -> None:
    user = StaffFactory(email="office@office.example")
    user.set_password(PASSWORD)
    user.save()

    response = client.post(reverse("account_login"), {"login": "Office@OFFICE.example", "password": PASSWORD})

    assert response.status_code == 302
    assert client.get(reverse("admin:index")).status_code == 200


def test_nobody_changes_the_audit_trail(client: Client) -> None:
    client.force_login(StaffFactory())
    entry = AuditEntryFactory()
    pages = ["change", "delete"]

    answers = [
        client.post(reverse(f"admin:accounts_auditentry_{page}", args=[entry.pk]), {"post": "yes"}).status_code
        for page in pages
    ]
    selected = {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"}
    client.post(reverse("admin:accounts_auditentry_changelist"), selected)

    assert answers == [403, 403]
    assert AuditEntry.objects.filter(pk=entry.pk).exists()


def test_audit_trail_says_in_words_what_was_done_and_to_what(client: Client) -> None:
    client.force_login(StaffFactory(language="de"))
    AuditEntryFactory(action="webhook.paused", about_kind="webhook")
    entry = AuditEntryFactory(action="test", about_kind="take_down")

    every = client.get(reverse("admin:accounts_auditentry_changelist")).text
    page = client.get(reverse("admin:accounts_auditentry_change", args=[entry.pk])).text

    assert "Webhook angehalten" in every
    assert ">webhook.paused<" not in every
    assert "widerrufene Einwilligung" in every
    assert ">take_down<" not in every + page


def test_audit_trail_is_found_by_the_id_it_is_about(client: Client) -> None:
    client.force_login(StaffFactory())
    entry, _other = AuditEntryFactory(), AuditEntryFactory()

    found = client.get(reverse("admin:accounts_auditentry_changelist"), {"q": str(entry.about_id)})

    assert [row.pk for row in found.context["cl"].result_list] == [entry.pk]
