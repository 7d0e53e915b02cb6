"""The public form of registration: what it shows, and what sending it does."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from outbox.models import Message
from registration import forms, selectors, views
from registration.models import Category, Participant, Places, Registration, RegistrationStatus
from tests import rush
from tests.factories import (
    NOW,
    AdmissionFactory,
    ConferenceFactory,
    CountryFactory,
    RegistrationFactory,
    SideEventFactory,
)
from tests.registration.people import confirm_wishes
from tests.registration.register_pages import address, filled, follow, resend_address, text

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time, so that registration is open."""
    with time_machine.travel(NOW, tick=False):
        yield


# --- the form ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "fr", "de", "it", "es", "ru"])
def test_form_is_shown_in_every_language_without_cookies_and_without_storing(client: Client, language: str) -> None:
    admission = AdmissionFactory(capacity=3)

    response = client.get(address(admission, language))

    assert response.status_code == 200
    assert f'<html lang="{language}"' in response.content.decode()
    assert not response.cookies
    assert response["Cache-Control"] == "no-store"
    assert "Cookie" not in response.get("Vary", "")


def test_form_shows_places_live_title_and_time(client: Client) -> None:
    admission = AdmissionFactory(capacity=3)
    RegistrationFactory(admission=admission)

    page = text(client.get(address(admission)))

    assert "2 of 3 places left" in page
    assert str(admission.session.title) in page
    assert "Monday 15 July 2030 11:00 – 12:00 Vienna time (CEST, UTC+2)" in page


def test_form_of_an_unknown_or_hidden_conference_is_not_found(client: Client) -> None:
    hidden = AdmissionFactory(session__conference__visibility="internal")

    assert client.get("/en/nothing/register/").status_code == 404
    assert client.get(address(hidden)).status_code == 404


def test_form_with_nothing_open_says_so(client: Client) -> None:
    admission = AdmissionFactory(opens_at=NOW + timedelta(days=3))

    response = client.get(address(admission))

    page = text(response)
    assert response.status_code == 200
    assert "Registration is not open" in page
    assert "Registration opens: Friday 5 July 2030" in page
    assert 'name="email"' not in response.content.decode()


def test_form_warns_before_leaving_for_a_form_of_another_body(client: Client) -> None:
    admission = AdmissionFactory()
    SideEventFactory(
        conference=admission.conference,
        registration_mode="external_google_form",
        registration_url="https://forms.example/abc",
    )

    response = client.get(address(admission))

    assert "their privacy rules apply" in text(response)
    assert 'href="https://forms.example/abc" rel="nofollow noopener noreferrer"' in response.content.decode()


def test_form_ticks_what_the_link_asks_for(client: Client) -> None:
    conference = ConferenceFactory()
    one, other = (AdmissionFactory(session=SideEventFactory(conference=conference)) for _n in range(2))

    page = client.get(address(one), {"session": other.session.slug}).content.decode()

    assert re.findall(r'value="([^"]+)" id="[^"]+" checked', page) == [str(other.public_id)]


def test_form_with_two_ways_offers_not_attending(client: Client) -> None:
    conference = ConferenceFactory()
    for mode in ("in_person", "online"):
        AdmissionFactory(session=None, conference=conference, mode=mode)

    page = text(client.get(f"/en/{conference.slug}/register/"))

    assert "In person" in page
    assert "On-line" in page
    assert "Not attending" in page


# --- sending it -------------------------------------------------------------------------------------------------------


def test_sending_the_form_registers_and_shows_the_answer(client: Client) -> None:
    admission = AdmissionFactory(capacity=1)

    response = client.post(address(admission, "ru"), filled(admission, alias="Speaker A", function="Adviser"))
    page = follow(client, response)

    assert page.status_code == 200
    registration = Registration.objects.get()
    assert registration.status == RegistrationStatus.CONFIRMED
    participant = Participant.objects.get()
    assert (participant.language, participant.time_zone, participant.display_name, participant.function) == (
        "ru",
        "Asia/Almaty",
        "Speaker A",
        "Adviser",
    )
    assert "ada@mail.example" not in page.content.decode()
    assert "Ada" not in page.content.decode()
    assert not response.cookies
    assert not page.cookies


@pytest.mark.parametrize(
    ("values", "status", "words"),
    [
        ({"capacity": 1}, "confirmed", "There is a place for you."),
        ({"capacity": 0}, "waitlisted", "You are number 1 in line."),
        ({"capacity": 0, "waiting": "none"}, "rejected", "All places are taken and there is no waiting list."),
        ({"approval": "manual"}, "pending", "The organiser looks at your registration"),
    ],
)
def test_the_answer_says_what_became_of_each_choice(
    client: Client, values: dict[str, Any], status: str, words: str
) -> None:
    admission = AdmissionFactory(**values)

    page = follow(client, client.post(address(admission), filled(admission)))

    assert Registration.objects.get().status == status
    assert words in text(page)
    assert "We have sent a mail to the address you gave" in text(page)


def test_sending_the_form_twice_registers_once_with_the_same_answer(client: Client) -> None:
    admission = AdmissionFactory(capacity=5)
    sent = filled(admission)

    first, second = client.post(address(admission), sent), client.post(address(admission), sent)

    assert first["Location"] == second["Location"]
    assert Registration.objects.count() == 1
    assert Message.objects.filter(topic="registration.received").count() == 1


def test_a_known_address_gets_the_same_bytes_as_a_new_one(client: Client) -> None:
    admission = AdmissionFactory(capacity=10)
    client.post(address(admission), filled(admission, email="known@mail.example"))

    answers = []
    for email in ("known@mail.example", "brand-new@mail.example"):
        sent = filled(admission, email=email)
        posted = client.post(address(admission), sent)
        page = client.get(posted["Location"])
        answers.append(
            [
                (
                    response.status_code,
                    sorted((name, value.replace(sent["token"], "TOKEN")) for name, value in response.items()),
                    response.content.decode().replace(sent["token"], "TOKEN"),
                    response.cookies.output(),
                )
                for response in (posted, page)
            ]
        )

    assert answers[0] == answers[1]
    assert Registration.objects.count() == 2


def test_the_order_of_requests_is_the_only_thing_a_waiting_list_tells(client: Client) -> None:
    admission = AdmissionFactory(capacity=1)
    for email in ("known@mail.example", "second@mail.example"):
        client.post(address(admission), filled(admission, email=email))

    known = follow(client, client.post(address(admission), filled(admission, email="known@mail.example")))
    new = follow(client, client.post(address(admission), filled(admission, email="new@mail.example")))

    assert "You are number 2 in line." in text(known)
    assert "You are number 2 in line." in text(new)


def test_a_known_person_adds_a_choice_by_the_link_in_the_mail(client: Client) -> None:
    conference = ConferenceFactory()
    one, other = (AdmissionFactory(session=SideEventFactory(conference=conference)) for _n in range(2))
    client.post(address(one), filled(one))

    client.post(address(one), filled(other))
    confirm_wishes()

    assert Participant.objects.count() == 1
    assert set(Registration.objects.values_list("admission_id", flat=True)) == {one.pk, other.pk}


def test_a_delegate_is_admitted_by_the_standing_of_the_country(client: Client) -> None:
    CountryFactory(iso2="AT")
    admission = AdmissionFactory(approval="audience", audience_country_statuses=["participating_state"])

    client.post(address(admission), filled(admission, category="delegation", country="AT"))

    assert Registration.objects.get().status == RegistrationStatus.CONFIRMED


def test_one_registration_costs_at_most_twelve_statements(client: Client) -> None:
    admission = AdmissionFactory(capacity=5)
    sent = filled(admission)
    selectors.forget()
    selectors.offers(admission.conference.slug)
    selectors.countries()

    with CaptureQueriesContext(connection) as queries:
        response = client.post(address(admission), sent)

    assert response.status_code == 303
    statements = [query["sql"] for query in queries]
    assert len(statements) <= 12, "\n".join(statements)


@pytest.mark.django_db(transaction=True)
def test_one_registration_costs_at_most_twelve_statements_with_begin_and_commit(client: Client) -> None:
    conference = ConferenceFactory()
    admissions = [AdmissionFactory(session=SideEventFactory(conference=conference), capacity=5) for _n in range(3)]
    selectors.offers(conference.slug)
    selectors.countries()

    with CaptureQueriesContext(connection) as queries:
        response = client.post(address(admissions[0]), filled(*admissions))

    assert response.status_code == 303
    statements = [query["sql"] for query in queries]
    assert {"BEGIN", "COMMIT"} <= set(statements)
    assert len(statements) <= 12, "\n".join(statements)
    assert Registration.objects.count() == 3


def test_nothing_about_the_person_stands_in_the_log(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    admission = AdmissionFactory()
    person = {"given_name": "Xantippa", "email": "xantippa@canary.example", "accessibility_needs": "Ramp-canary"}

    with caplog.at_level(logging.DEBUG):
        posted = client.post(address(admission), filled(admission, **person))
        client.get(posted["Location"])
        client.post(address(admission), filled(admission, **person, category="nonsense"))
        client.get(f"/r/{Participant.objects.get().personal_token}/")

    written = caplog.text + "".join(str(record.__dict__) for record in caplog.records if not _is_sql(record))
    for secret in ("Xantippa", "xantippa", "Ramp-canary", Participant.objects.get().personal_token):
        assert secret not in written


def _is_sql(record: logging.LogRecord) -> bool:
    """Django's own log of statements, which is off in production and lower than DEBUG lets through anywhere else."""
    return record.name == "django.db.backends"


# --- looking changes nothing ------------------------------------------------------------------------------------------


def test_fifty_looks_at_every_page_change_nothing(client: Client) -> None:
    admission = AdmissionFactory(capacity=1)
    answered = client.post(address(admission), filled(admission))["Location"]
    before = _state()

    for path in (address(admission), answered, resend_address(admission)):
        for _n in range(25):
            assert client.get(path).status_code == 200
            assert client.head(path).status_code == 200

    assert _state() == before


def _state() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in (Participant, Registration, Places, Message)]


def test_every_category_can_be_chosen(client: Client) -> None:
    CountryFactory(iso2="AT")
    admission = AdmissionFactory()

    for number, category in enumerate(Category.values):
        sent = filled(admission, category=category, country="AT", email=f"p{number}@mail.example")
        assert client.post(address(admission), sent).status_code == 303

    assert Registration.objects.count() == len(Category.values)


def test_kept_empty_form_gives_each_reader_a_token_of_their_own(client: Client) -> None:
    admission = AdmissionFactory()
    address = f"/en/{admission.conference.slug}/register/"

    tokens = [rush.find_token(client.get(address).content.decode()) for _reader in range(3)]

    assert len(set(tokens)) == 3
    assert all(forms.is_valid_token(token) for token in tokens)


def test_kept_empty_form_is_made_anew_by_one_while_the_others_get_the_one_before(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    admission = AdmissionFactory()
    address = f"/en/{admission.conference.slug}/register/"
    monkeypatch.setattr(views, "_empty_forms", {})
    client.get(address)
    [(key, (made_at, page))] = views._empty_forms.items()
    views._empty_forms[key] = (made_at - 1.5, page)
    real, made = views.form_page, []

    def slowly(*args: Any, **kwargs: Any) -> Any:
        made.append(client.get(address).status_code)  # another reader, meanwhile
        return real(*args, **kwargs)

    monkeypatch.setattr(views, "form_page", slowly)

    assert client.get(address).status_code == 200
    assert made == [200]
