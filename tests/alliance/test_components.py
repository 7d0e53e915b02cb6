"""The components' page, the tags behind it, and the pages for when something is wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django import forms
from django.conf import settings
from django.db import OperationalError
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from alliance import errors
from alliance.languages import Translations
from alliance.templatetags.alliance import language_names, localised, localised_lines
from tests.factories import ConferenceFactory


class Small(forms.Form):
    """One required field with a hint, and one optional one."""

    email = forms.EmailField(label="E-mail", help_text="We write there.")
    mode = forms.ChoiceField(choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect, required=False)


def test_component_page_is_only_for_development_and_the_demo(client: Client, settings: Any) -> None:
    settings.DEBUG = settings.DEMO = False
    assert client.get("/en/_components/").status_code == 404

    settings.DEMO = True
    response = client.get("/en/_components/")
    assert response.status_code == 200
    assert "<title>Error: Components" in response.content.decode()


def test_component_page_shows_every_component(client: Client, settings: Any) -> None:
    settings.DEMO = True
    files = {f"components/{path.name}" for path in (settings.BASE_DIR / "templates" / "components").glob("_*.html")}

    response = client.get("/en/_components/")

    assert files - {template.name for template in response.templates} == set()


def test_tokens_stand_in_one_file() -> None:
    """No colour of a page stands anywhere but in the tokens; the admin is Django's own theme, so it has its own."""
    css = Path(settings.BASE_DIR) / "static" / "css"
    pages = [path for path in sorted(css.glob("*.css")) if not path.name.startswith("admin")]
    found = [
        f"{path.name}: {line.strip()}"
        for path in pages
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"#[0-9a-f]{3,8}\b|rgb\(", line) and not line.strip().startswith("--")
    ]

    assert found == []


def test_field_ties_label_hint_and_error_to_its_input() -> None:
    form = Small({"email": "nobody"})

    html = render_to_string("components/_field.html", {"field": form["email"]})

    assert '<label for="id_email">E-mail</label>' in html
    assert 'id="id_email_helptext"' in html
    assert 'id="id_email_error"' in html
    assert 'aria-describedby="id_email_helptext id_email_error"' in html
    assert 'aria-invalid="true"' in html


def test_field_that_is_not_required_says_so() -> None:
    html = render_to_string("components/_field.html", {"field": Small()["mode"]})

    assert "<legend>Mode <span" in html
    assert "(optional)" in html
    assert html.count("<label for=") == 2


def test_error_summary_links_every_error_to_its_field() -> None:
    form = Small({"email": "", "mode": "c"})

    html = render_to_string("components/_error_summary.html", {"form": form})

    assert 'role="alert"' in html
    assert re.findall(r'<a href="#([^"]+)">', html) == ["id_email", "id_mode_0"]
    assert 'id="id_email"' in str(form["email"])
    assert 'id="id_mode_0"' in str(form["mode"])


def test_error_summary_is_absent_without_errors() -> None:
    html = render_to_string("components/_error_summary.html", {"form": Small({"email": "ada@mail.example"})})

    assert html.strip() == ""


@pytest.mark.parametrize(
    ("capacity", "taken", "waiting", "left", "expected"),
    [
        (None, 5, 0, None, "No limit on places"),
        (200, 143, 0, 57, "57 of 200 places left"),
        (1, 0, 0, 1, "The only place is free"),
        (30, 0, 0, 30, "All 30 places are free"),
        (30, 29, 0, 1, "1 of 30 places left"),
        (200, 200, 0, 0, "All 200 places are taken"),
        (1, 1, 1, 0, "The only place is taken 1 person on the waiting list"),
        (200, 200, 14, 0, "All 200 places are taken 14 people on the waiting list"),
    ],
)
def test_place_meter_says_in_words_what_the_bar_shows(
    capacity: int | None, taken: int, waiting: int, left: int | None, expected: str
) -> None:
    places = mock.Mock(capacity=capacity, taken=taken, waiting=waiting, left=left)

    html = render_to_string("components/_place_meter.html", {"places": places})

    assert " ".join(re.sub(r"<[^>]+>", " ", html).split()) == expected


def test_localised_escapes_what_people_typed() -> None:
    from django.template import RequestContext

    context = RequestContext(RequestFactory().get("/en/"))
    text = Translations({"ru": "<b>Мир</b>"})

    assert localised(context, Translations({"en": "<b>Peace</b>"})) == "&lt;b&gt;Peace&lt;/b&gt;"
    assert localised(context, text, mark=False) == '<span lang="ru">&lt;b&gt;Мир&lt;/b&gt;</span>'
    assert localised_lines(context, text) == '<ul lang="ru"><li>&lt;b&gt;Мир&lt;/b&gt;</li></ul>'
    assert localised(context, None) == ""


def test_language_names_keep_languages_we_do_not_print_in() -> None:
    assert language_names(["English", "ru", "Kazakh"]) == "English, Russian, Kazakh"
    assert language_names(None) == ""


@pytest.mark.parametrize(
    ("view", "status"),
    [
        (lambda request: errors.bad_request(request), 400),
        (lambda request: errors.forbidden(request), 403),
        (lambda request: errors.csrf_failure(request), 403),
        (lambda request: errors.not_found(request), 404),
        (lambda request: errors.server_error(request), 500),
        (lambda request: errors.unavailable(request), 503),
    ],
)
def test_error_pages_need_no_database_and_lead_on(view: Any, status: int) -> None:
    response = view(RequestFactory().get("/en/anything/"))  # no database mark: a query would fail the test

    html = response.content.decode()
    assert response.status_code == status
    assert f'<p class="status">{status}</p>' in html
    assert re.search(r'<a class="button[^"]*" href="/en/">', html)
    assert ('<a class="button" href="/en/anything/">' in html) is (status >= 500)
    assert html.count("<h1>") == 1


def test_database_that_is_away_is_answered_with_503(client: Client) -> None:
    with mock.patch("events.page_cache.ContentVersion.objects.filter", side_effect=OperationalError):
        response = client.get("/en/")

    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    assert "We are busy for a moment" in response.content.decode()


@pytest.mark.django_db
def test_head_is_answered_like_get_and_post_is_refused(client: Client) -> None:
    conference = ConferenceFactory()

    assert client.head(f"/en/{conference.slug}/").status_code == 200
    assert client.post(f"/en/{conference.slug}/").status_code == 405
