"""Pages on which tokens are made and revoked: by focal points for their delegation, by organisers for a conference."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import ApiToken, AuditEntry
from events.admin import pages
from events.models import Conference
from registration.models import ApiGrant, Delegation, FocalPoint
from tests.factories import NOW, AdmissionFactory, RoleFactory, SideEventFactory
from tests.registration.tokens import Program, a_delegation, token

pytestmark = pytest.mark.django_db

FORM = {"label": "Our register", "scopes": ["members:read", "members:write"], "expires_on": "2030-12-31"}


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def delegation() -> Delegation:
    """A delegation with a focal point."""
    return a_delegation()


@pytest.fixture
def browser(delegation: Delegation, client: Client) -> Client:
    """The focal point has signed in."""
    client.force_login(FocalPoint.objects.get(delegation=delegation).user)
    return client


def address(delegation: Delegation) -> str:
    """The page of the delegation's tokens."""
    return f"/en/delegations/{delegation.public_id}/tokens/"


def secret_in(page: Any) -> str:
    """The token that a page shows."""
    found = re.search(r"all_[A-Za-z0-9_-]{43}", html.unescape(page.content.decode()))
    assert found is not None, page.content.decode()
    return found[0]


def test_focal_point_makes_a_token_that_is_shown_once_and_works(browser: Client, delegation: Delegation) -> None:
    made = browser.post(address(delegation), FORM)
    secret = secret_in(made)
    again = browser.get(address(delegation)).content.decode()

    assert made.headers["Cache-Control"] == "no-store"
    assert secret not in again
    assert secret[:12] in again
    assert Program(secret).get("/participants/").status_code == 200
    assert Program(secret).get("/registrations/").status_code == 403
    assert ApiToken.objects.get().scopes == ["members:read", "members:write"]


def test_focal_point_revokes_a_token_at_once(browser: Client, delegation: Delegation) -> None:
    secret = token(delegation)

    answer = browser.post(address(delegation), {"action": "revoke", "token": str(ApiToken.objects.get().public_id)})

    assert answer.status_code == 303
    assert Program(secret).get("/participants/").status_code == 401
    assert "Revoked" in browser.get(address(delegation)).content.decode()
    assert AuditEntry.objects.filter(action="api-token.revoked").count() == 1


@pytest.mark.parametrize(
    "more",
    [{"label": ""}, {"scopes": []}, {"scopes": ["all"]}, {"expires_on": "2030-06-30"}, {"expires_on": "2031-07-03"}],
)
def test_token_that_cannot_be_is_explained_and_not_made(
    more: dict[str, Any], browser: Client, delegation: Delegation
) -> None:
    answer = browser.post(address(delegation), FORM | more)

    assert answer.status_code == 422
    assert "error-summary" in answer.content.decode()
    assert ApiToken.objects.count() == 0


def test_twenty_working_tokens_are_enough(browser: Client, delegation: Delegation) -> None:
    for _number in range(20):
        token(delegation)

    assert browser.post(address(delegation), FORM).status_code == 422
    ApiToken.objects.filter(pk=ApiToken.objects.earliest("pk").pk).update(revoked_at=NOW)
    assert browser.post(address(delegation), FORM).status_code == 200


def test_tokens_of_others_are_not_there(browser: Client, delegation: Delegation) -> None:
    other = a_delegation()
    secret = token(other)
    public_id = str(ApiToken.objects.get().public_id)

    assert browser.get(address(other)).status_code == 404
    assert browser.post(address(delegation), {"action": "revoke", "token": public_id}).status_code == 404
    assert browser.post(address(delegation), {"action": "revoke", "token": "x"}).status_code == 404
    assert Program(secret).get("/participants/").status_code == 200


# --- organisers -------------------------------------------------------------------------------------------------------


def organiser(conference: Conference, client: Client) -> str:
    """Signs an organiser in; the page of all tokens."""
    client.force_login(RoleFactory(kind="organiser", conference=conference).user)
    return pages.url("api-tokens", conference)


def test_organiser_makes_tokens_for_a_delegation_and_a_side_event(delegation: Delegation, client: Client) -> None:
    session = SideEventFactory(conference=delegation.conference)
    AdmissionFactory(session=session)
    page = organiser(delegation.conference, client)

    for_members = secret_in(client.post(page, FORM | {"target": f"d{delegation.public_id}"}))
    wrong = client.post(page, FORM | {"target": f"s{session.public_id}"})
    scopes = {"target": f"s{session.public_id}", "scopes": ["registrations:read"]}
    for_registrations = secret_in(client.post(page, FORM | scopes))

    assert wrong.status_code == 422
    assert Program(for_members).get("/participants/").status_code == 200
    assert Program(for_registrations).get("/registrations/").status_code == 200
    assert ApiGrant.objects.filter(session=session).count() == 1


def test_organiser_sees_and_revokes_the_tokens_of_the_conference_alone(delegation: Delegation, client: Client) -> None:
    secret, other = token(delegation), token(a_delegation())
    page = organiser(delegation.conference, client)
    ids = {grant.delegation_id: str(grant.token.public_id) for grant in ApiGrant.objects.select_related("token")}

    shown = client.get(page).content.decode()
    foreign = client.post(page, {"action": "revoke", "token": max(ids.items())[1]})
    own = client.post(page, {"action": "revoke", "token": ids[delegation.pk]})

    assert secret[:12] in shown
    assert other[:12] not in shown
    assert (foreign.status_code, own.status_code) == (404, 302)
    assert [Program(one).get("/participants/").status_code for one in (secret, other)] == [401, 200]


def test_token_whose_maker_has_gone_says_so(delegation: Delegation, client: Client) -> None:
    token(delegation)
    FocalPoint.objects.all().delete()

    assert "has lost the right" in client.get(organiser(delegation.conference, client)).content.decode()


def test_last_day_is_the_whole_day_at_the_venue(browser: Client, delegation: Delegation) -> None:
    browser.post(address(delegation), FORM)

    ends = ApiToken.objects.get().expires_at.astimezone(delegation.conference.zone)
    assert (ends.date().isoformat(), ends.hour) == ("2030-12-31", 23)
    assert ends - NOW < timedelta(days=366)
