"""Search in a conference: what is found, what must never be found, and what bad input does."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from events import page_cache
from events.models import SegmentVisibility, SessionState
from events.releases import publishing
from speakers.models import ContributionStatus
from tests.factories import (
    NOW,
    ConferenceFactory,
    ContributionFactory,
    ConvenorshipFactory,
    OrganisationFactory,
    PersonFactory,
    SegmentFactory,
    SessionFactory,
    SideEventFactory,
    TextSectionFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_the_time_of_the_factories(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def conference() -> Any:
    return ConferenceFactory(slug="summit", title={"en": "Summit"})


def found(client: Client, query: str, language: str = "en") -> str:
    """The page of results, without the typed query, which the page shows again in its own field."""
    response = client.get(f"/{language}/summit/search/", {"q": query})
    assert response.status_code == 200
    return re.sub("</?mark>", "", response.content.decode().partition("</search>")[2])


@pytest.mark.parametrize("query", ["Andjelkovic", "andjelković", "ANDJELKOVIĆ", "Andjelkovik", "Ana Andjelkovic"])
def test_person_is_found_without_accents_and_with_a_slip(client: Client, conference: Any, query: str) -> None:
    ContributionFactory(session__conference=conference, person__display_name="Ana Andjelković")
    ContributionFactory(session__conference=conference, person__display_name="John Doe")

    html = found(client, query)

    assert "Ana Andjelković" in html
    assert "John Doe" not in html


@pytest.mark.parametrize("query", ["Gershuny", "Gerzhuni", "Gershni", "Gershui"])
def test_one_letter_may_slip(client: Client, conference: Any, query: str) -> None:
    ContributionFactory(session__conference=conference, person__display_name="Rahel Gershuni")

    assert "Rahel Gershuni" in found(client, query)


@pytest.mark.parametrize("query", ["Гершуни", "гершуни", "Рахель Гершуни"])
def test_person_is_found_in_another_alphabet(client: Client, conference: Any, query: str) -> None:
    ContributionFactory(session__conference=conference, person__display_name="Rahel Gershuni")
    ContributionFactory(session__conference=conference, person__display_name="John Doe")

    html = found(client, query, "ru")

    assert "Rahel Gershuni" in html
    assert "John Doe" not in html


def test_other_alphabets_work_both_ways(client: Client, conference: Any) -> None:
    ContributionFactory(session__conference=conference, person__display_name="Ana Andjelković")
    ContributionFactory(session__conference=conference, person__display_name="Юлия Щербакова")
    body = OrganisationFactory(name={"en": "La Strada", "ru": "Форум Хельсинки"})
    ConvenorshipFactory(session=SideEventFactory(conference=conference), organisation=body)

    assert "Ana Andjelković" in found(client, "Андьелкович")
    assert "Юлия Щербакова" in found(client, "Yulia Shcherbakova")
    assert "La Strada" in found(client, "Helsinki")


@pytest.mark.parametrize("typed", ["Ge", "Gersh", "Andjelk", "prosec", "гер"])
def test_beginning_of_a_word_is_enough(client: Client, conference: Any, typed: str) -> None:
    session = SessionFactory(conference=conference, title={"en": "Prosecuting traffickers"})
    for name in ("Rahel Gershuni", "Ana Andjelković"):
        ContributionFactory(session=session, person__display_name=name)

    assert "Nothing was found" not in found(client, typed)


@pytest.mark.parametrize(
    ("language", "title", "query"),
    [
        ("en", "Prosecuting traffickers", "prosecution of a trafficker"),
        ("de", "Schutz der Opfer", "Opfern"),
        ("ru", "Защита жертв торговли людьми", "жертвами торговля"),
        ("fr", "Poursuite des trafiquants", "poursuites trafiquant"),
    ],
)
def test_stems_of_the_readers_language_count(
    client: Client, conference: Any, language: str, title: str, query: str
) -> None:
    session = SessionFactory(conference=conference, title={language: title})

    assert session.slug in found(client, query, language)


def test_hits_are_marked_and_texts_quoted_around_them(client: Client, conference: Any) -> None:
    session = SessionFactory(conference=conference, title={"en": "Opening & <welcome>"})
    TextSectionFactory(session=session, text={"en": "Long words. " * 40 + "A needle <b>here</b>. " + "More. " * 40})
    ContributionFactory(session=session, person__display_name="Ann O'Hara & Son")

    html = client.get("/en/summit/search/?q=needle").content.decode()
    assert "A <mark>needle</mark> &lt;b" in html
    html = client.get("/en/summit/search/?q=welc").content.decode()
    assert "Opening &amp; &lt;<mark>welc</mark>ome&gt;" in html
    assert "snippet" not in html
    assert "<mark>Hara</mark> &amp; Son</a>" in client.get("/en/summit/search/?q=hara").content.decode()


def test_all_conferences_are_searched_from_the_front_page(
    client: Client, conference: Any, django_assert_num_queries: Any
) -> None:
    one = SideEventFactory(conference=conference, title={"en": "Common one"})
    two = SessionFactory(conference__title={"en": "Other Summit"}, title={"en": "Common two"})
    ContributionFactory(session=two, person__display_name="Common Person")
    ConvenorshipFactory(session=one, organisation__name={"en": "Common Body"})
    SessionFactory(conference__state="draft", title={"en": "Common canary"})
    ContributionFactory(session__conference__state="draft", person__display_name="Common Canary")
    assert 'action="/en/search/"' in client.get("/en/").content.decode()

    with django_assert_num_queries(6):
        response = client.get("/en/search/?q=common")

    html = re.sub("</?mark>", "", response.content.decode())
    for text in ("Common one", "Common two", "Common Person", "Common Body", "Other Summit", "Found: 4"):
        assert text in html
    assert "anary" not in html
    assert "no-store" in response["Cache-Control"]


def test_published_programme_is_searched_and_not_the_draft(client: Client, conference: Any) -> None:
    session = SessionFactory(conference=conference, title={"en": "Published title"})
    ContributionFactory(session=session, person__display_name="Ada Published")
    ConvenorshipFactory(session=session, organisation__name={"en": "Published body"})
    publishing.publish(conference, by=None, now=NOW, check=False)
    type(session).objects.filter(pk=session.pk).update(title={"en": "Canary title"})
    ContributionFactory(session=session, person__display_name="Canary Person")
    late = OrganisationFactory(name={"en": "Canary body"})
    ConvenorshipFactory(session=session, organisation=late)

    html = found(client, "published")
    assert all(text in html for text in ("Published title", "Ada Published", "Published body", "Found: 3"))
    assert "Canary" not in found(client, "canary")
    assert client.get(f"/en/organisations/{late.public_id}/").status_code == 404
    assert "Canary" not in client.get("/en/summit/organisations/").content.decode()


def test_names_have_an_index(conference: Any) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for table, function in (
            ("speakers_person", "search_person(display_name, aliases::text[], is_pseudonym)"),
            ("events_organisation", "search_organisation(name, abbreviation, aliases::text[])"),
        ):
            cursor.execute(f"EXPLAIN SELECT * FROM {table} WHERE public.{function} LIKE '%gershuni%'")
            assert f"{table}_search" in str(cursor.fetchall())


def test_person_is_found_by_another_spelling(client: Client, conference: Any) -> None:
    person = PersonFactory(display_name="Valiant Richey", aliases=["Валиант Ричи"])
    ContributionFactory(session__conference=conference, person=person)

    assert "Valiant Richey" in found(client, "ричи", "ru")


@pytest.mark.parametrize("language", ["en", "fr", "de", "it", "es", "ru"])
@pytest.mark.parametrize("query", ["prosecuting", "ПРЕСЛЕДОВАНИЕ", "Verfolgung", "prosekuting"])
def test_titles_are_found_in_every_language(client: Client, conference: Any, language: str, query: str) -> None:
    title = {"en": "Prosecuting traffickers", "ru": "Преследование", "de": "Verfolgung"}
    session = SessionFactory(conference=conference, title=title)
    other = SessionFactory(conference=conference, title={"en": "Lunch with music"})

    html = found(client, query, language)

    assert f"/{language}/summit/sessions/{session.slug}/" in html
    assert other.slug not in html


def test_words_may_stand_in_title_summary_and_texts(client: Client, conference: Any) -> None:
    session = SessionFactory(conference=conference, title={"en": "Panel"}, summary={"en": "About façades"})
    TextSectionFactory(session=session, text={"fr": "Première question"})
    TextSectionFactory(session=session, text={"en": "A second text"})

    assert session.slug in found(client, "panel facades premiere second")
    assert session.slug not in found(client, "panel facades premiere third")


def test_organisation_leads_to_its_sessions(client: Client, conference: Any) -> None:
    session = SideEventFactory(conference=conference, title={"en": "Evening talk"})
    body = OrganisationFactory(name={"en": "La Strada International"}, abbreviation="LSI", aliases=["Die Straße"])
    ConvenorshipFactory(session=session, organisation=body)

    for query in ("la strada", "lsi", "strasse", "La Strata International"):
        html = found(client, query)
        assert "La Strada International" in html, query
        assert f"/en/summit/side-events/{session.slug}/" in html


def test_further_organisation_of_a_speaker_is_found_but_not_by_a_pseudonym(client: Client, conference: Any) -> None:
    body, shelter = (OrganisationFactory(name={"en": name}) for name in ("Second Institute", "Canary Shelter"))
    ContributionFactory(session__conference=conference).other_organisations.add(body)
    hidden = ContributionFactory(session__conference=conference, person__is_pseudonym=True)
    hidden.other_organisations.add(shelter)

    assert f"/en/organisations/{body.public_id}/" in found(client, "second institute")
    assert "Canary" not in found(client, "canary")


def test_exact_finds_come_first(client: Client, conference: Any) -> None:
    ContributionFactory(session__conference=conference, position=1, person__display_name="Anna Gershuny")
    ContributionFactory(session__conference=conference, position=2, person__display_name="Rahel Gershuni")

    html = found(client, "Gershuni")

    assert html.index("Rahel") < html.index("Anna")


def test_nothing_hidden_is_found(client: Client, conference: Any) -> None:
    session = SessionFactory(conference=conference, title={"en": "Open"})
    ContributionFactory(session=session, person__display_name="Canary Hidden", person__is_hidden=True)
    ContributionFactory(session=session, person__display_name="Canary Never", visibility=SegmentVisibility.NEVER)
    ContributionFactory(session=session, person__display_name="Canary After", visibility=SegmentVisibility.AFTER)
    ContributionFactory(session=session, person__display_name="Canary Unannounced", is_announced=False)
    ContributionFactory(session=session, person__display_name="Canary Declined", status=ContributionStatus.DECLINED)
    later = SegmentFactory(session=session, visibility=SegmentVisibility.AFTER, heading={"en": "Canary heading"})
    body = OrganisationFactory(name={"en": "Canary Body"})
    ContributionFactory(session=session, segment=later, person__display_name="Canary Later", organisation=body)
    SessionFactory(conference=conference, title={"en": "Canary Draft"}, state=SessionState.DRAFT)
    SessionFactory(conference=conference, title={"en": "Canary Internal"}, visibility="internal")
    SessionFactory(conference=conference, internal_note="Canary note", archive_text={"x": "Canary archive"})
    ContributionFactory(person__display_name="Canary Elsewhere")

    html = found(client, "canary")

    assert "Canary" not in html
    assert "Nothing was found" in html


def test_nothing_beside_a_pseudonym_leads_to_it(client: Client, conference: Any) -> None:
    session = SessionFactory(conference=conference, title={"en": "Open"})
    body = OrganisationFactory(name={"en": "Canary Shelter"})
    contribution = ContributionFactory(
        session=session,
        person=PersonFactory(display_name="Maria", is_pseudonym=True),
        name_printed="Canary Printed",
        role_title={"en": "Canary Title"},
        organisation=body,
    )
    contribution.other_organisations.add(OrganisationFactory(name={"en": "Canary Other"}))

    assert "Nothing was found" in found(client, "canary")
    html = found(client, "maria")
    assert "Maria" in html
    assert "Canary" not in html


def test_hidden_conference_is_not_there(client: Client) -> None:
    ConferenceFactory(slug="summit", state="draft")

    assert client.get("/en/summit/search/?q=x").status_code == 404


BAD = ["x", "%", "%%", "__", "\\", "\\\\", "'';--", '"', "[]{}$.*", "&|!:*()", "<script>alert(1)</script>", "ab%cd"]
BAD += ["\uff05\uff05\\", "😀😀😀"]


@pytest.mark.parametrize(
    "query", [*BAD, "", " ", "\0", "a\0b", "\x1b[0m", "ё" * 5000, "\uffff", "a " * 5000, "%s %(x)s", "\u202e\u200b"]
)
def test_bad_input_finds_nothing_and_breaks_nothing(client: Client, conference: Any, query: str) -> None:
    contribution = ContributionFactory(session__conference=conference, session__title={"en": "Qwrtz"})
    ConvenorshipFactory(session=contribution.session)

    html = found(client, query)

    assert "<script>alert" not in html
    assert "Qwrtz" not in html or "a" in query


def test_broken_bytes_and_repeated_parameters_are_harmless(client: Client, conference: Any) -> None:
    for query in ("q=%FF%FE", "q=%ED%A0%80abc", "q=%00%00abc", "q=one&q=two", "q[]=1", "%00=1"):
        assert client.get(f"/en/summit/search/?{query}").status_code == 200
    assert client.post("/en/summit/search/", {"q": "x"}).status_code == 405


def test_results_are_not_kept(client: Client, conference: Any) -> None:
    response = client.get("/en/summit/search/?q=summit")

    assert "no-store" in response["Cache-Control"]
    assert "ETag" not in response
    assert not page_cache.kept()
    assert not response.cookies
    assert '<meta name="robots" content="noindex">' in response.content.decode()


def test_words_are_not_logged(client: Client, conference: Any, caplog: pytest.LogCaptureFixture) -> None:
    client.get("/en/summit/search/?q=canaryword")

    assert "search" in caplog.text
    assert "canaryword" not in caplog.text


@pytest.mark.parametrize("count", [1, 3])
def test_queries_do_not_grow(client: Client, conference: Any, django_assert_num_queries: Any, count: int) -> None:
    for number in range(count):
        session = SideEventFactory(conference=conference, title={"en": f"Common {number}"})
        body = OrganisationFactory(name={"en": f"Common body {number}"})
        ConvenorshipFactory(session=session, organisation=body)
        ContributionFactory(session=session, person__display_name=f"Common Person {number}", organisation=body)
        TextSectionFactory(session=session)

    with django_assert_num_queries(8):  # the frame 2, sessions with texts, people, bodies with 2 kinds of sessions
        html = found(client, "common")

    assert html.count("Common Person") == count


def test_search_box_stands_on_the_pages_of_the_conference(client: Client, conference: Any) -> None:
    for path in ("/en/summit/", "/en/summit/programme/", "/en/summit/search/"):
        assert '<form class="search-box" method="get" action="/en/summit/search/">' in client.get(path).content.decode()
