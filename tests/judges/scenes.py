"""Pages of the house in the states that they have, as HTML by name: what judges of HTML and of accessibility read.

Each function makes what its pages need and asks for them in the languages named. The rows stay until the test ends.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import time_machine
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory
from django.urls import resolve
from django.utils import translation

from accounts import actors
from alliance import errors
from events import programme_file
from events.models import Conference, Session
from events.releases import publishing
from registration.figures import release as figure_release
from registration.letters import unsubscribing
from registration.models import Purpose, RegistrationStatus
from registration.models.figure import LiveMeasure
from registration.services import addresses, consents, invitations
from tests.factories import (
    NOW,
    AdmissionFactory,
    ConferenceFactory,
    MeetingFactory,
    ParticipantFactory,
    RegistrationFactory,
    SideEventFactory,
)
from tests.registration.test_invitations import invite
from tests.registration.test_questions import ask

LANGUAGES = ["en", "fr", "de", "it", "es", "ru"]
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "programme-2020.yaml"
SMALL = Path(__file__).resolve().parents[1] / "events" / "small_programme.yaml"
MOST_OF_A_KIND = 4  # pages of one route and one set of query words; more would only be slower


def loaded(file: Path) -> Conference:
    """The conference of a programme file."""
    programme_file.load(file.read_bytes())
    found: Conference = Conference.objects.public().latest("pk")
    return found


def followed(
    client: Client, start: str, *more: str, with_queries: bool = True, most: int = MOST_OF_A_KIND
) -> dict[str, str]:
    """All pages that links lead to from a front page and from more pages; of many alike the first."""
    waiting = [start, *more]
    seen = set(waiting)
    kinds: Counter[tuple[str, str]] = Counter()
    pages = {}
    while waiting:
        path = waiting.pop(0)
        response = client.get(path)
        if response.status_code in {301, 302, 303}:
            links = [response.headers["Location"]]
        elif not response.headers.get("Content-Type", "").startswith("text/html"):
            continue
        else:
            assert response.status_code == 200, path
            pages[path] = response.content.decode()
            links = re.findall(r'<a\s[^>]*?href="([^"]+)"', pages[path])
        for link in links:
            where = urldefrag(urljoin(path, link.replace("&amp;", "&"))).url
            parts = urlsplit(where)
            if parts.netloc or parts.scheme or not parts.path.startswith(start) or where in seen:
                continue
            if Path(parts.path).suffix or (parts.query and not with_queries):  # a file, or a list in another order
                continue
            seen.add(where)
            words = ",".join(sorted(re.findall(r"(?:^|&)(\w+)=", parts.query)))
            kind = (resolve(unquote(parts.path)).route, words)
            kinds[kind] += 1
            if kinds[kind] <= most:
                waiting.append(where)
    return pages


def public(conference: Conference, languages: Iterable[str], *, most: int = MOST_OF_A_KIND) -> dict[str, str]:
    """Every page that links lead to from the front page, and those that a form leads to. Publishes twice."""
    admission = AdmissionFactory(session=SideEventFactory(conference=conference, working_languages=["en", "ru"]))
    MeetingFactory(session=admission.session)
    AdmissionFactory(session=None, conference=conference)
    publishing.publish(conference, by=None, now=NOW, check=False)
    Session.objects.filter(pk=admission.session_id).update(title={"en": "A <new> title & more"})
    publishing.publish(conference, by=None, now=NOW, note={"en": "A **note**"}, check=False)  # type: ignore[arg-type]
    shown = Session.objects.public().filter(conference=conference).values_list("public_id", flat=True)[:2]
    pages: dict[str, str] = {}
    for language in languages:
        below = f"/{language}/{conference.slug}"
        more = [  # what is reached by a form and not by a link, and what only some programmes link
            f"{below}/search/?q=trafficking",
            f"{below}/search/?q=%3Cb%3E%22%27%26",
            f"{below}/programme/?tz=Asia/Tashkent",
            f"{below}/programme/?language=ru",
            f"{below}/changes/",
            f"{below}/agenda/?s={shown[0]}&s={shown[1]}",
            f"/{language}/recommendations/?q=police",
        ]
        pages |= followed(Client(), f"/{language}/", *more, most=most)
        picker = Client()
        picker.post(f"{below}/agenda/", {"add": str(shown[0])})
        pages[f"{language} agenda with a session"] = picker.get(f"{below}/agenda/").content.decode()
    return pages


def registration(languages: Iterable[str]) -> dict[str, str]:
    """The form and its answers, the personal page with a place in every state, the ways out, the door of a meeting."""
    with time_machine.travel(NOW, tick=False):
        admission = AdmissionFactory(capacity=1)
        MeetingFactory(session=admission.session)
        conference = admission.conference
        here = AdmissionFactory(session=admission.session, conference=conference, mode="in_person")
        participant = ParticipantFactory(conference=conference)
        confirmed = RegistrationFactory(admission=admission, participant=participant)
        RegistrationFactory(admission=here, participant=participant, status=RegistrationStatus.WAITLISTED)
        alias = ParticipantFactory(conference=conference, has_alias=True, display_name="Marta")
        RegistrationFactory(admission=here, participant=alias)
        varied = ParticipantFactory(conference=conference)
        for status in RegistrationStatus:
            other = AdmissionFactory(session=SideEventFactory(conference=conference), conference=conference)
            late = {"offer_expires_at": NOW + timedelta(days=1)} if status == RegistrationStatus.OFFERED else {}
            RegistrationFactory(admission=other, participant=varied, status=status, **late)
        tokens = [person.personal_token for person in (participant, alias, varied)]
        closed = ConferenceFactory(starts_on=conference.starts_on)
        pages = {}
        client = Client()
        for language in languages:
            form = f"/{language}/{conference.slug}/register/"
            personal = f"/{language}/r/{tokens[0]}/"
            for path in (
                form,
                f"{form}resend/",
                f"/{language}/{closed.slug}/register/",
                *(f"/{language}/r/{token}/" for token in tokens),
                f"{personal}cancel/",
                f"{personal}cancel/{confirmed.public_id}/",
                f"/{language}/join/{confirmed.join_token}/",
                f"/{language}/join/unknown/",
                f"/{language}/r/unknown/",
            ):
                response = client.get(path, follow=True)
                pages[path] = response.content.decode()
            pages[f"{form} with errors"] = client.post(form, {"email": '"><b>x'}, follow=True).content.decode()
            sent = {f"attend-{here.session.slug}": str(here.public_id), "given_name": "Ada", "category": "other"}
            sent["email"] = f"ada-{language}@mail.example"
            pages[f"{form} answered"] = client.post(form, sent, follow=True).content.decode()
            pages[f"{form}resend/ with errors"] = client.post(
                f"{form}resend/", {"email": "x"}, follow=True
            ).content.decode()
            pages[f"{form}resend/ answered"] = client.post(
                f"{form}resend/", {"email": "ada@mail.example"}, follow=True
            ).content.decode()
    starts = admission.session.starts_at
    for name, at in (("open", starts), ("before", starts - timedelta(minutes=5)), ("over", starts + timedelta(days=1))):
        with time_machine.travel(at, tick=False):
            for language in languages:
                for path in (f"/join/{confirmed.join_token}/", f"/r/{tokens[0]}/"):
                    pages[f"{language} {path} {name}"] = client.get(path, {"lang": language}).content.decode()
    return pages


def own_data(languages: Iterable[str]) -> dict[str, str]:
    """What people do with their own data; invitations, open, declined and used."""
    with time_machine.travel(NOW, tick=False):
        admission = AdmissionFactory(session=None, mode="in_person")
        conference = admission.conference
        first = ask(conference, "choice", options="bus train", is_required=True)
        for kind, options in (("lines", ""), ("choices", "a b"), ("yes_no", ""), ("file", "")):
            ask(conference, kind, options=options, show_if=first, show_if_answers=["bus"])
        consents.ask_for(conference=conference, purposes=Purpose.values, by=actors.SYSTEM, now=NOW)
        person = ParticipantFactory(conference=conference)
        RegistrationFactory(admission=admission, participant=person)
        consents.give(participant_id=person.pk, purpose=Purpose.CONTACT, language="en", now=NOW)
        taken = ParticipantFactory(conference=conference)
        addresses.ask(participant_id=person.pk, address=taken.open_identity().email, now=NOW)
        confirm = f"a/{addresses.token_of(person.address_change)}/"
        open_one, declined = invite(admission), invite(admission, number=2)
        invitations.decline(invitation_id=declined.pk, word="", now=NOW)
        own = f"r/{person.personal_token}/"
        client = Client()
        pages = {}
        for language in languages:
            for path in (
                own, f"{own}correct/", f"{own}address/", f"{own}data/", f"{own}delete/", confirm, "r/deleted/",
                f"i/{open_one.token}/", f"i/{open_one.token}/register/", f"i/{declined.token}/",
                f"u/{unsubscribing.token('participant', person.public_id)}/",
            ):  # fmt: skip
                response = client.get(f"/{path}", {"lang": language})
                assert response.status_code == 200, path
                pages[f"{language} {path}"] = response.text
            for path in (f"{own}correct/", f"{own}address/", confirm, f"i/{open_one.token}/register/"):
                response = client.post(f"/{path}?lang={language}", {"email": "x", "given_name": '"><b>x'})
                assert response.status_code == 422, path
                pages[f"{language} {path} with errors"] = response.text
            form = f"/{language}/{conference.slug}/register/"
            pages[f"{form} with questions"] = client.get(form).text
    return pages


def figures(languages: Iterable[str]) -> dict[str, str]:
    """The public figures of a conference."""
    conference = ConferenceFactory()
    admission = AdmissionFactory(session=None, conference=conference, mode="in_person")
    for _n in range(12):
        RegistrationFactory(admission=admission, participant=ParticipantFactory(conference=conference))
    figure_release.release(conference, measure=LiveMeasure.REGISTERED, by=actors.SYSTEM, now=NOW)
    return {
        f"/{language}/{conference.slug}/figures/": Client().get(f"/{language}/{conference.slug}/figures/").text
        for language in languages
    }


def trouble(languages: Iterable[str]) -> dict[str, str]:
    """What is shown when something is wrong, with the house or with what was asked."""
    factory = RequestFactory()
    pages = {}
    for language in languages:
        pages[f"{language} 404"] = Client().get(f"/{language}/nothing-here/").content.decode()
        with translation.override(language):
            request = factory.get(f"/{language}/")
            answers: dict[str, Any] = {
                "400": errors.bad_request(request, ValueError()),
                "403": errors.forbidden(request, PermissionDenied()),
                "500": errors.server_error(request),
                "503": errors.unavailable(request),
                "csrf": errors.csrf_failure(request, ""),
            }
        pages |= {f"{language} {name}": answer.content.decode() for name, answer in answers.items()}
    return pages
