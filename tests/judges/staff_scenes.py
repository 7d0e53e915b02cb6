"""Pages of those who sign in, as HTML by a name: organisers, stewards, focal points, convenors, invited speakers."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

import time_machine
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts.models import Role
from events.models import Conference
from events.releases import publishing
from registration.models import AttendanceMode, Certificate, WebhookSubscription
from speakers.models import ContributionStatus
from tests.accounts import signing_in
from tests.factories import (
    NOW,
    AdmissionFactory,
    ContributionFactory,
    ParticipantFactory,
    RegistrationFactory,
    SideEventFactory,
    StaffFactory,
    UserFactory,
)
from tests.judges import scenes
from tests.registration import test_webhook_pages, tokens
from tests.registration.test_certificates import attended, certificate_of, past, personal
from tests.registration.test_delegation_views import a_delegation, focal_point
from tests.registration.test_delegations import nominate, nominee
from tests.registration.test_door_views import code_of, conference_now, guest, session_now
from tests.speakers.test_invitations import invited
from tests.speakers.test_invitations import page as answer_page


def door(languages: Iterable[str]) -> dict[str, str]:
    """The door, its answers, tickets and certificates."""
    client, steward = Client(), Client()
    conference = conference_now()
    session_now(conference)
    registration = guest(conference)
    over, sessions = past()
    witness = guest(over)
    attended(*sessions, registration=witness)
    certificate_of(client, witness)
    certificate = f"/verify/{Certificate.code_of(witness.participant)}/"
    steward.force_login(StaffFactory())
    pages = {}
    for language in languages:
        for name in ("", "ticket/"):
            pages[f"{language} {name}"] = client.get(
                personal(registration.participant, name) + f"?lang={language}"
            ).content.decode()
        pages[f"{language} after"] = client.get(
            personal(witness.participant, "") + f"?lang={language}"
        ).content.decode()
        pages[f"{language} certificate"] = client.get(f"{certificate}?lang={language}").content.decode()
        pages[f"{language} name"] = client.post(f"{certificate}?lang={language}", {"name": "X"}).content.decode()
        below = f"/{language}/{conference.slug}/door/"
        pages[f"{language} doors"] = steward.get(below).content.decode()
        pages[f"{language} door"] = steward.get(f"{below}_entrance/").content.decode()
        for code in (code_of(registration.participant), "AAAAAAAAAA"):
            sent = {"code": code, "nonce": str(uuid.uuid4())}
            pages[f"{language} {code}"] = steward.post(f"{below}_entrance/", sent).content.decode()
    return pages


def delegations(languages: Iterable[str]) -> dict[str, str]:
    """What a focal point sees, and the answer of somebody who was nominated; the list of participants."""
    pages = {}
    with time_machine.travel(NOW, tick=False):
        delegation = a_delegation(quota=3)
        first, second = nominate(delegation, nominee(1), nominee(2))
        client, nobody = focal_point(delegation), Client()
        tokens.token(delegation)
        below = f"delegations/{delegation.public_id}"
        test_webhook_pages.set_up(client, f"/en/{below}/webhooks/")
        assert WebhookSubscription.objects.exists()
        answers = [f"/d/{one.membership.answer_token}/" for one in (first, second)]
        for language in languages:
            here = f"/{language}/{below}"
            for path in (
                f"/{language}/delegations/",
                *(f"{here}/{rest}" for rest in ("", "list/", "tokens/", "webhooks/")),
                f"{here}/members/{first.membership.public_id}/",
                f"/{language}/{delegation.conference.slug}/participants/",
            ):
                response = client.get(path)
                if response.status_code != 404:  # the list of participants, where nobody publishes one
                    pages[path] = response.text
            for path in ("nominate/", "list/", "tokens/", "webhooks/", f"members/{first.membership.public_id}/"):
                pages[f"{here}/{path} sent empty"] = client.post(f"{here}/{path}", {}, follow=True).text
            pages[f"{here}/list/ read"] = client.post(
                f"{here}/list/", {"rows": "Lena\tOne\tlena@state.example\tAdviser\tIn person"}
            ).text
            pages[f"{language} answer"] = nobody.get(f"{answers[0]}?lang={language}").text
        nobody.post(answers[1], {"answer": "decline", "reason": "Away"})
        for language in languages:
            pages[f"{language} declined"] = nobody.get(f"{answers[1]}?lang={language}").text
    return pages


def convenors(languages: Iterable[str]) -> dict[str, str]:
    """A convenor's side events and who registered for one."""
    admission = AdmissionFactory(session=SideEventFactory(), mode=AttendanceMode.ONLINE)
    RegistrationFactory(admission=admission, participant=ParticipantFactory(conference=admission.conference))
    user = UserFactory()
    Role.objects.create(user=user, kind="convenor", session=admission.session)
    client = Client()
    client.force_login(user)
    paths = [
        f"/{language}/convenor/{rest}" for language in languages for rest in ("", f"{admission.session.public_id}/")
    ]
    return {path: client.get(path).text for path in paths}


def speakers(languages: Iterable[str]) -> dict[str, str]:
    """The page on which an invited speaker answers, before and after, and with mistakes."""
    pages = {}
    with time_machine.travel(NOW, tick=False):
        contribution = ContributionFactory(session=SideEventFactory(), status=ContributionStatus.INVITED)
        address = answer_page(invited(contribution))
        client = Client()
        for language in languages:
            pages[f"{language} invited"] = client.get(f"{address}?lang={language}").text
            pages[f"{language} with errors"] = client.post(f"{address}?lang={language}", {"accept": "1"}).text
    return pages


def signing(languages: Iterable[str]) -> dict[str, str]:
    """Signing in, with and without mistakes, second factors, passwords and sessions."""
    pages = {}
    user = StaffFactory(email="office@office.example")
    user.set_password(signing_in.PASSWORD)
    user.save()
    signed, bare, half = Client(), Client(), Client()
    bare.force_login(StaffFactory(email="bare@office.example"))
    signing_in.with_app(user)
    signing_in.sign_in(half)
    signing_in.sign_in(signed)
    signed.post(signing_in.CODE, {"code": signing_in.code()})
    nobody = UserFactory()
    stranger = Client()
    stranger.force_login(nobody)
    for language in languages:
        below = f"/{language}/accounts"
        for path in ("login/", "password/forgotten/", "password/forgotten/done/", "password/new/done/"):
            pages[f"{below}/{path}"] = Client().get(f"{below}/{path}").text
        pages[f"{below}/password/new/x/"] = Client().get(f"{below}/password/new/x/y-z/").text
        pages[f"{below}/login/ with errors"] = Client().post(f"{below}/login/", {"login": "x"}).text
        pages[f"{below}/login/code/"] = half.get(f"{below}/login/code/").text
        for path in (
            "logout/", "password/", "factors/", "factors/codes/", "factors/codes/new/", "factors/app/remove/",
            "factors/passkeys/new/", "sessions/", "again/", "again/code/",
        ):  # fmt: skip
            pages[f"{below}/{path} signed in"] = signed.get(f"{below}/{path}", follow=True).text
        for path in ("factors/", "factors/app/"):
            pages[f"{below}/{path} without a factor"] = bare.get(f"{below}/{path}", follow=True).text
        pages[f"{below} no access"] = stranger.get("/admin/", headers={"Accept-Language": language}, follow=True).text
    assert Authenticator.objects.filter(user=user).exists()
    return pages


def organisers(conference: Conference, *, most: int = scenes.MOST_OF_A_KIND, language: str = "en") -> dict[str, str]:
    """Every page of the admin that links lead to, and the empty form of everything that can be added."""
    RegistrationFactory(admission=AdmissionFactory(session=SideEventFactory(conference=conference)))
    publishing.publish(conference, by=None, now=NOW, check=False)
    client = Client(headers={"Accept-Language": language})
    client.force_login(StaffFactory())
    add = [reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add") for model in admin.site._registry]
    can_add = [path for path in add if client.get(path).status_code == 200]  # some can only be read
    return scenes.followed(client, "/admin/", *can_add, with_queries=False, most=most)
