"""Addresses outside the admin: who they are for. A new one without an entry here fails the test."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from accounts.models import RoleKind
from accounts.permissions import Level
from tests import factories
from tests.alliance import role_table
from tests.alliance.role_pages import names

# Everybody reads these, signed in or not; they answer the same to all (docs/pages.md, docs/api.md).
EVERYBODY = [
    "home",
    "favicon",
    "robots",
    "sitemap",
    "accessibility",
    "privacy",
    "components",
    "api:",
    "api:root",
    "api:schema",
    "api:docs",
    "api:guide",
    "api:admissions-detail",
    "api:admissions-list",
    "api:conferences-detail",
    "api:conferences-list",
    "api:countries-detail",
    "api:countries-list",
    "api:figures-detail",
    "api:figures-list",
    "api:materials-detail",
    "api:materials-list",
    "api:organisations-detail",
    "api:organisations-list",
    "api:recommendations-detail",
    "api:recommendations-list",
    "api:releases-detail",
    "api:releases-list",
    "api:rooms-detail",
    "api:rooms-list",
    "api:sessions-detail",
    "api:sessions-list",
    "api:side-events-detail",
    "api:side-events-list",
    "api:speakers-detail",
    "api:speakers-list",
    "events:agenda",
    "events:agenda-calendar",
    "events:agenda-docx",
    "events:agenda-feed",
    "events:agenda-pdf",
    "events:agenda-state",
    "events:agenda-without-times-docx",
    "events:agenda-without-times-pdf",
    "events:calendar",
    "events:changes",
    "events:changes-atom",
    "events:conference",
    "events:conferences",
    "events:day",
    "events:programme",
    "events:programme-docx",
    "events:programme-pdf",
    "events:recommendations",
    "events:schedule-json",
    "events:schedule-xml",
    "events:session",
    "events:session-calendar",
    "events:session-pdf",
    "events:side-event",
    "events:side-events-docx",
    "events:side-events-pdf",
    "speakers:organisation",
    "speakers:organisations",
    "speakers:person",
    "speakers:search",
    "speakers:search-all",
    "speakers:speakers",
    "registration:register",
    "registration:received",
    "registration:resend",
    "registration:places",
    "registration:figures",
    "registration:participants",
    "registration:participants-file",
    "registration:verify",
    "registration:deleted",
    "registration:delegation-login",
    "account_login",
    "account_logout",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "openid_connect_login",
    "openid_connect_callback",
]

# For whoever has the link of a mail: the token says whose page it is, and no role opens it.
BY_LINK = [
    "speaking:invitation",
    "registration:personal",
    "registration:calendar",
    "registration:calendar-one",
    "registration:correct",
    "registration:address",
    "registration:asked",
    "registration:address-confirm",
    "registration:consent",
    "registration:companion",
    "registration:data",
    "registration:data-file",
    "registration:delete",
    "registration:cancel-all",
    "registration:cancel-one",
    "registration:offer",
    "registration:protection",
    "registration:online-meanwhile",
    "registration:send-link",
    "registration:ticket",
    "registration:certificate",
    "registration:join",
    "registration:unsubscribe",
    "registration:delegation-answer",
    "registration:invitation",
    "registration:invitation-accept",
]

# For people who signed in and whose own it is: convenors by their role, focal points by their delegation.
BY_OWN_ROW = [
    "registration:convenor",
    "registration:convenor-session",
    "registration:delegations",
    "registration:delegation",
    "registration:delegation-nominate",
    "registration:delegation-list",
    "registration:delegation-letter",
    "registration:delegation-export",
    "registration:delegation-member",
    "registration:delegation-tokens",
    "registration:delegation-webhooks",
]

# For everybody who signed in, about their own account (tests/accounts/test_sign_in.py).
OWN_ACCOUNT = [
    "account_change_password",
    "account_reauthenticate",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "mfa_authenticate",
    "mfa_deactivate_totp",
    "mfa_generate_recovery_codes",
    "mfa_index",
    "mfa_reauthenticate",
    "mfa_remove_webauthn",
    "mfa_view_recovery_codes",
    "usersessions_list",
]

# For programs with a token, whoever made it: tests/registration/test_api_access.py has the table.
BY_TOKEN = [
    "api:delegations-detail",
    "api:delegations-list",
    "api:participants-bulk",
    "api:participants-detail",
    "api:participants-list",
    "api:participants-substitute",
    "api:registrations-detail",
    "api:registrations-export",
    "api:registrations-list",
]

# For platforms, who sign what they send (tests/video/test_hooks.py).
BY_SIGNATURE = ["video:hook"]

# For roles with the area "door" at the conference.
AT_THE_DOOR = ["registration:doors", "registration:door", "registration:door-undo"]


def test_every_address_outside_the_admin_has_an_entry() -> None:
    entries = [*EVERYBODY, *BY_LINK, *BY_OWN_ROW, *OWN_ACCOUNT, *BY_TOKEN, *BY_SIGNATURE, *AT_THE_DOOR]
    found = {name for name, _route in names(get_resolver().url_patterns) if not name.startswith("admin:")}

    assert found == set(entries)
    assert len(entries) == len(set(entries))


def own(name: str) -> str:
    """The address of a page of somebody's own rows, of a row that is nobody's."""
    captured: dict[str, list[Any]] = {"delegation-export": ["csv"], "delegation-member": [UUID(int=2)]}
    first = [] if name in ("registration:convenor", "registration:delegations") else [UUID(int=1)]
    return reverse(name, args=[*first, *captured.get(name.partition(":")[2], [])])


@pytest.mark.django_db
@pytest.mark.parametrize("name", OWN_ACCOUNT)
def test_pages_of_ones_own_account_are_closed_to_strangers(name: str, client: Client) -> None:
    response = client.get(reverse(name, args=[1] if name == "mfa_remove_webauthn" else []))

    assert (response.status_code, response["Location"].partition("?")[0]) == (302, reverse("account_login"))


@pytest.mark.django_db
@pytest.mark.parametrize("name", BY_OWN_ROW)
def test_pages_of_own_rows_are_closed_to_all_others(name: str, client: Client) -> None:
    asked = client.get(own(name))
    client.force_login(factories.RoleFactory(kind=RoleKind.ADMINISTRATOR, conference=None).user)
    found = client.get(own(name))

    assert asked.status_code in {302, 405}
    assert found.status_code in {404, 405}


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [kind for kind in RoleKind if kind != RoleKind.CONVENOR])
def test_door_is_open_to_the_roles_of_the_docs_at_their_conference(kind: RoleKind, client: Client) -> None:
    conference = factories.ConferenceFactory()
    other = factories.ConferenceFactory()
    pages = [reverse("registration:doors", args=[one.slug]) for one in (conference, other)]
    asked = [client.get(page).status_code for page in pages]
    client.force_login(factories.RoleFactory(kind=kind, conference=conference).user)

    found = [client.get(page).status_code for page in pages]

    assert asked == [302, 302]
    assert found == [200 if role_table.levels()[kind.value]["door"] >= Level.ADD else 404, 404]
