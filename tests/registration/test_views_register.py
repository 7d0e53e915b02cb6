"""The form, its answer, and asking for the personal link again, over HTTP."""

from __future__ import annotations

import logging
import re
import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import signing
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from events import page_cache
from outbox.models import Message
from registration import forms, private_pages, selectors, services, views
from registration.models import Admission, Category, Participant, Places, Registration, RegistrationStatus
from registration.services.places import Outcome
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

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time, so that registration is open."""
    with time_machine.travel(NOW, tick=False):
        yield


def address(admission: Admission, language: str = "en") -> str:
    """The form of the admission's conference."""
    return f"/{language}/{admission.conference.slug}/register/"


def field(admission: Admission) -> str:
    """The name of the field that chooses the admission."""
    return f"attend-{admission.session.slug}" if admission.session else "attend"


def filled(*admissions: Admission, **more: Any) -> dict[str, Any]:
    """What a browser sends for a filled form."""
    values: dict[str, Any] = {
        "token": forms.new_token(),
        "given_name": "Ada",
        "family_name": "Guest",
        "alias": "",
        "email": "ada@mail.example",
        "category": "civil_society",
        "country": "",
        "organisation": "",
        "function": "",
        "accessibility_needs": "",
        "time_zone": "Asia/Almaty",
        "website": "",
    }
    return values | {field(admission): str(admission.public_id) for admission in admissions} | more


def text(response: Any) -> str:
    """The page without its markup, with single blanks."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def follow(client: Client, response: Any) -> Any:
    """The page the answer sends the browser to."""
    assert response.status_code == 303
    return client.get(response["Location"])


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


# --- what goes wrong --------------------------------------------------------------------------------------------------


def assert_refused(response: Any, message: str, field_id: str | None) -> None:
    """A page with the message in its summary, a link to the field, and the form still there."""
    body = response.content.decode()
    assert response.status_code == 422
    assert re.search(r"<title>\s*Error:", body)
    summary = re.search(r'class="error-summary".*?</div>', body, re.DOTALL)
    assert summary is not None
    assert message in summary[0].replace("&#x27;", "'")
    if field_id:
        assert f'href="#{field_id}"' in summary[0]
        assert f'id="{field_id}"' in body
    assert 'name="token"' in body
    assert not Registration.objects.exists()


@pytest.mark.parametrize(
    ("more", "message", "field_id"),
    [
        ({"email": ""}, "Enter your e-mail address", "id_email"),
        ({"email": "ada@[127.0.0.1]"}, "Check the part after the @", "id_email"),
        ({"email": "a@b.example\r\nBcc: x@y.example"}, "invisible or control characters", "id_email"),
        ({"given_name": "", "family_name": ""}, "Enter your given name or your family name.", "id_given_name"),
        ({"given_name": "\u202eadA"}, "invisible or control characters", "id_given_name"),
        ({"family_name": "A\x00"}, "invisible or control characters", "id_family_name"),
        ({"alias": "www.spam.example"}, "Write a name, without web addresses", "id_alias"),
        ({"category": ""}, "Choose where you come from", "id_category"),
        ({"category": "alien"}, "Choose one of the groups in the list.", "id_category"),
        ({"category": "delegation"}, "Choose the country of your delegation.", "id_country"),
        ({"country": "XX"}, "Choose a country from the list.", "id_country"),
        ({"organisation": "a" * 201}, "shorten it to 200 characters", "id_organisation"),
        ({"function": "x" * 1_000_000}, "shorten it to 200 characters", "id_function"),
        ({"accessibility_needs": "x" * 1001}, "shorten it to 1000 characters", "id_accessibility_needs"),
        ({"website": "https://spam.example"}, "Please send the form once more.", None),
        ({"token": ""}, "The form was open for more than a day.", None),
        ({"token": "forged"}, "The form was open for more than a day.", None),
    ],
)
def test_bad_entries_are_named_and_nothing_typed_is_lost(
    client: Client, more: dict[str, str], message: str, field_id: str | None
) -> None:
    admission = AdmissionFactory()
    sent = filled(admission, function="Adviser <b>", alias="Speaker A") | more

    response = client.post(address(admission), sent)

    assert_refused(response, message, field_id)
    body = response.content.decode()
    if "function" not in more:
        assert 'value="Adviser &lt;b&gt;"' in body
    if "alias" not in more:
        assert 'value="Speaker A"' in body
    assert re.search(r'value="[^"]+" id="id_attend-[^"]+"[^>]* checked', body)
    if field_id and field_id in ("id_email", "id_given_name"):
        assert re.search(rf'<input[^>]*aria-invalid="true"[^>]*id="{field_id}"', body)
        assert re.search(rf'<input[^>]*aria-describedby="[^"]*{field_id}_error[^"]*"', body)
        assert f'id="{field_id}_error"' in body


def test_nothing_chosen_is_named_with_a_link_to_the_first_choice(client: Client) -> None:
    admission = AdmissionFactory()

    response = client.post(address(admission), filled())

    assert_refused(response, "Choose at least one thing to attend.", f"id_{field(admission)}_0")


def test_an_old_token_is_replaced_and_the_form_can_be_sent_again(client: Client) -> None:
    admission = AdmissionFactory()
    sent = filled(admission)

    with time_machine.travel(NOW + timedelta(hours=25), tick=False):
        page_cache.forget()
        response = client.post(address(admission), sent)
        assert_refused(response, "The form was open for more than a day.", None)
        found = re.search(r'name="token" value="([^"]+)"', response.content.decode())
        assert found is not None
        again = client.post(address(admission), sent | {"token": found[1]})

    assert again.status_code == 303


def test_a_valid_token_is_kept_when_the_form_has_errors(client: Client) -> None:
    admission = AdmissionFactory()
    sent = filled(admission, email="")

    response = client.post(address(admission), sent)

    assert f'name="token" value="{sent["token"]}"' in response.content.decode()


def test_a_token_of_another_purpose_is_refused(client: Client) -> None:
    admission = AdmissionFactory()

    response = client.post(address(admission), filled(admission, token=signing.TimestampSigner().sign("x")))

    assert_refused(response, "The form was open for more than a day.", None)


def test_a_form_sent_again_with_other_entries_gets_a_fresh_token(client: Client) -> None:
    admission = AdmissionFactory()
    sent = filled(admission)
    client.post(address(admission), sent)

    response = client.post(address(admission), sent | {"email": "other@mail.example"})

    assert response.status_code == 422
    assert "This form was sent before with other entries." in text(response)
    assert sent["token"] not in response.content.decode()
    assert Registration.objects.count() == 1


def test_a_choice_that_closes_meanwhile_is_taken_out_and_the_rest_is_kept(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    conference = ConferenceFactory()
    one, other = (AdmissionFactory(session=SideEventFactory(conference=conference)) for _n in range(2))

    def closed(**values: Any) -> None:
        raise services.RegistrationClosed([other])

    monkeypatch.setattr(services, "register", closed)
    response = client.post(address(one), filled(one, other))

    assert_refused(response, "Registration for one of your choices is not open.", None)
    body = response.content.decode()
    assert re.findall(r'value="([^"]+)" id="[^"]+"[^>]* checked', body) == [str(one.public_id)]
    assert 'value="ada@mail.example"' in body


def test_a_choice_that_is_not_on_offer_is_refused(client: Client) -> None:
    admission, elsewhere = AdmissionFactory(), AdmissionFactory()

    response = client.post(address(admission), filled(admission, **{field(admission): str(elsewhere.public_id)}))

    assert_refused(response, "This choice is not on offer any more.", f"id_{field(admission)}_0")


@pytest.mark.django_db(transaction=True)  # the view looks whether the connection still works
def test_trouble_with_the_database_is_tried_once_more(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    admission = AdmissionFactory()
    real, calls = services.register, []

    def at_the_second_try(**values: Any) -> services.Answer:
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError("deadlock detected")
        return real(**values)

    monkeypatch.setattr(services, "register", at_the_second_try)

    assert client.post(address(admission), filled(admission)).status_code == 303
    assert Registration.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_lasting_trouble_with_the_database_is_answered_with_503(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    admission = AdmissionFactory()

    def never(**values: Any) -> None:
        raise OperationalError("lock timeout")

    monkeypatch.setattr(services, "register", never)
    response = client.post(address(admission), filled(admission))

    assert response.status_code == 503
    assert response["Retry-After"]


FIELDS = [
    "token", "given_name", "family_name", "alias", "email", "category", "country", "organisation", "function",
    "accessibility_needs", "time_zone", "website", "choice",
]  # fmt: skip
VALUES: dict[str, Any] = {
    "empty": "",
    "blank": "   ",
    "megabyte": "x" * 1_000_000,
    "control": "a\x00\x01\x1b[31m\r\nb",
    "bidi": "\u202eabc\u2066",
    "zero width": "\u200b\u200d\ufeff",
    "arabic": "مرحبا",
    "chinese": "會議",
    "emoji": "👩🏽‍⚖️",
    "surrogate": "\ud800".encode("utf-8", "surrogatepass"),
    "markup": "<script>alert(1)</script>{{ 7*7 }}",
    "number": "12345678901234567890",
    "negative": "-1",
    "json": '{"a": [1]}',
    "quotes": "'; DROP TABLE registration_registration; --",
    "repeated": ["a", "b", ""],
    "missing": None,
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
@pytest.mark.parametrize("name", FIELDS)
def test_no_value_of_any_field_breaks_the_form(client: Client, name: str, value: Any) -> None:
    admission = AdmissionFactory()
    sent = filled(admission)
    key = field(admission) if name == "choice" else name
    sent.pop(key)
    if value is not None:
        sent[key] = value

    response = client.post(address(admission), sent)

    assert response.status_code in {303, 422}
    if response.status_code == 303:
        assert client.get(response["Location"]).status_code == 200
    else:
        assert "There is a problem" in text(response)
        assert "<script>alert" not in response.content.decode()


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b'{"email": "ada@mail.example"}', 422),
        ("text/plain", b"email=ada", 422),
        ("multipart/form-data; boundary=x", b"nonsense", 422),
        ("multipart/form-data", b"nonsense", 400),
        ("application/x-www-form-urlencoded", b"%ff%fe=%00&&&===", 422),
        ("application/x-www-form-urlencoded", b"a=" + b"x" * 2_000_000, 400),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % n for n in range(2001)), 400),
    ],
)
def test_bodies_that_are_no_form_are_refused(client: Client, content_type: str, body: bytes, status: int) -> None:
    admission = AdmissionFactory()

    response = client.generic("POST", address(admission), body, content_type=content_type)

    assert response.status_code == status


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(client: Client, method: str) -> None:
    admission = AdmissionFactory()

    assert client.generic(method, address(admission)).status_code == 405


# --- from our own pages only ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 303),
        ({"Origin": "http://testserver"}, 303),
        ({"Origin": "null"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://testserver.evil.example"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, 403),
    ],
)
def test_forms_are_taken_from_our_own_pages_only(client: Client, headers: dict[str, str], status: int) -> None:
    admission = AdmissionFactory()

    response = client.post(address(admission), filled(admission), headers=headers)

    assert response.status_code == status
    assert Registration.objects.count() == (status == 303)
    assert not response.cookies


def test_no_csrf_token_is_needed(db: None) -> None:
    admission = AdmissionFactory()
    strict = Client(enforce_csrf_checks=True)

    assert strict.post(address(admission), filled(admission)).status_code == 303


# --- the answer -------------------------------------------------------------------------------------------------------


def test_the_answer_needs_a_token_that_was_used(client: Client) -> None:
    admission = AdmissionFactory()
    path = f"/en/{admission.conference.slug}/register/received"

    assert client.get(f"{path}/{forms.new_token()}/").status_code == 404
    assert client.get(f"{path}/nonsense/").status_code == 404


def test_the_answer_belongs_to_its_conference(client: Client) -> None:
    admission, other = AdmissionFactory(), AdmissionFactory()
    token = client.post(address(admission), filled(admission))["Location"].rsplit("/", 2)[-2]

    assert client.get(f"/en/{other.conference.slug}/register/received/{token}/").status_code == 404


def test_the_answer_is_private(client: Client) -> None:
    admission = AdmissionFactory()

    page = follow(client, client.post(address(admission), filled(admission)))

    assert page["Referrer-Policy"] == "no-referrer"
    assert page["Cache-Control"] == "no-store"
    assert page["X-Robots-Tag"] == "noindex, nofollow"


def test_every_status_has_words_for_the_answer() -> None:
    shown = [RegistrationStatus.CONFIRMED, RegistrationStatus.WAITLISTED, RegistrationStatus.PENDING]
    for status in [*shown, RegistrationStatus.REJECTED]:
        assert views._explanation(Outcome("x", status, 1), AdmissionFactory.build(session=None, conference=None))


# --- the personal link again ------------------------------------------------------------------------------------------


def resend_address(admission: Admission) -> str:
    """Where the link is asked for."""
    return f"/en/{admission.conference.slug}/register/resend/"


def test_asking_for_the_link_answers_the_same_for_everybody(client: Client) -> None:
    admission = AdmissionFactory()
    client.post(address(admission), filled(admission))

    answers = [
        client.post(resend_address(admission), {"email": email})
        for email in ("ada@mail.example", "stranger@mail.example")
    ]

    assert [(a.status_code, a["Location"], a.content, a.cookies.output()) for a in answers[:1]] == [
        (a.status_code, a["Location"], a.content, a.cookies.output()) for a in answers[1:]
    ]
    assert "If the address is registered for this conference" in text(follow(client, answers[0]))
    assert Message.objects.filter(topic="registration.personal_link").count() == 1


@pytest.mark.parametrize("email", ["", "nonsense", "a\x00@b.example", "x" * 1_000_000])
def test_asking_for_the_link_names_what_is_wrong(client: Client, email: str) -> None:
    admission = AdmissionFactory()

    response = client.post(resend_address(admission), {"email": email})

    assert response.status_code == 422
    assert 'href="#id_email"' in response.content.decode()


def test_asking_for_the_link_is_refused_from_foreign_pages(client: Client) -> None:
    admission = AdmissionFactory()

    response = client.post(
        resend_address(admission), {"email": "a@b.example"}, headers={"Sec-Fetch-Site": "cross-site"}
    )

    assert response.status_code == 403


# --- time -------------------------------------------------------------------------------------------------------------


def test_answers_take_whole_steps_of_time(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    admission = AdmissionFactory()
    monkeypatch.setattr(private_pages, "_STEP", 0.5)
    client.get(address(admission))
    client.post(address(admission), filled(admission))

    for path, sent in [
        (address(admission), filled(admission)),
        (address(admission), filled(admission, email="new@mail.example")),
        (resend_address(admission), {"email": "ada@mail.example"}),
        (resend_address(admission), {"email": "stranger@mail.example"}),
    ]:
        started = time.perf_counter()
        client.post(path, sent)
        steps = (time.perf_counter() - started) / 0.5

        assert steps >= 1
        assert steps % 1 < 0.2  # what the middleware adds is small


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
