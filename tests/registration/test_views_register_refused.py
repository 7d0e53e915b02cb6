"""The public form of registration: what goes wrong, and requests from elsewhere."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import signing
from django.db import OperationalError
from django.test import Client

from events import page_cache
from registration import services
from registration.models import Registration
from tests.factories import NOW, AdmissionFactory, ConferenceFactory, SideEventFactory
from tests.registration.register_pages import address, field, filled, text

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time, so that registration is open."""
    with time_machine.travel(NOW, tick=False):
        yield


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
