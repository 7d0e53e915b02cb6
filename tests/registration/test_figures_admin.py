"""The organisers' page of figures, the lists behind them, their files, and who may release them."""

from __future__ import annotations

import csv
import io
import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from accounts.models import RoleKind
from alliance import spreadsheets
from events.models import Conference, CountryStatus
from registration.figures import counting as figures
from registration.models.figure import PublicFigure
from tests.factories import (
    NOW,
    ConferenceFactory,
    FigureFactory,
    RegistrationFactory,
    RoleFactory,
    SessionFactory,
    StaffFactory,
    UserFactory,
)
from tests.registration.test_figures import a_mixed_conference, countries, crowd, whole

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(client: Client) -> Client:
    """A browser in which an administrator is signed in."""
    client.force_login(StaffFactory())
    return client


def address(conference: Conference, page: str = "figures", **captured: str) -> str:
    """A page of the conference."""
    return reverse(f"admin:events_conference_{page}", kwargs={"conference_id": conference.pk, **captured})


def test_each_number_on_the_page_opens_its_list(administrator: Client) -> None:
    conference = a_mixed_conference()

    page = administrator.get(address(conference)).content.decode()

    links = [unescape(link) for link in re.findall(r'href="([^"]*figure=[^"]*)"', page)]
    assert len(links) > 30
    for link in links[::7]:
        response = administrator.get(link)
        assert response.status_code == 200, link
        assert response.context["cl"].result_count > 0, link


def test_list_of_a_figure_that_does_not_exist_is_empty(administrator: Client) -> None:
    a_mixed_conference()
    address = reverse("admin:registration_registration_changelist")

    assert administrator.get(address, {"figure": "paid.total."}).context["cl"].result_count == 0


def test_page_shows_imported_figures_with_qualifier_and_source(administrator: Client) -> None:
    conference = ConferenceFactory()
    FigureFactory(conference=conference, value=7000, qualifier="nearly", source="Highlights report")

    page = administrator.get(address(conference)).content.decode()

    assert "nearly 7,000" in page
    assert "Highlights report" in page


def test_page_draws_the_chart_with_its_table(administrator: Client) -> None:
    conference = ConferenceFactory()
    admission = whole(conference)
    for day in (1, 2, 3):
        RegistrationFactory(admission=admission, created_at=NOW.replace(day=day))

    page = administrator.get(address(conference)).content.decode()

    assert '<polyline class="figure-chart__line"' in page
    assert "People by the day of their first registration that stands" in page
    assert "style=" not in page.split('id="over-time"')[1].split('id="by-')[0]


@pytest.mark.parametrize("people", [10, 1000])
def test_page_costs_the_same_for_few_and_many_people(people: int, administrator: Client) -> None:
    conference = ConferenceFactory()
    ConferenceFactory(series=conference.series, edition=2)
    where = countries(5, CountryStatus.PARTICIPATING_STATE)
    crowd(whole(conference), [{"country": where[number % 5]} for number in range(people)])
    administrator.get(address(conference))

    with CaptureQueriesContext(connection) as queries:
        administrator.get(address(conference))

    assert len(queries) == 17


def test_editions_are_compared_as_far_as_the_user_may_see_them(client: Client) -> None:
    mine = ConferenceFactory(title={"en": "Mine"})
    ConferenceFactory(series=mine.series, edition=2, title={"en": "Of others"})
    organiser = UserFactory(is_staff=True)
    RoleFactory(user=organiser, conference=mine, kind=RoleKind.ORGANISER)
    client.force_login(organiser)
    own = client.get(address(mine)).content.decode()
    client.force_login(StaffFactory())
    whole_series = client.get(address(mine)).content.decode()

    assert "Of others" not in own
    assert "Of others" in whole_series


def test_strangers_and_other_organisers_do_not_see_the_page(client: Client) -> None:
    conference = ConferenceFactory()
    organiser = UserFactory(is_staff=True)
    RoleFactory(user=organiser, conference=ConferenceFactory(), kind=RoleKind.ORGANISER)

    assert client.get(address(conference)).status_code == 302
    client.force_login(organiser)
    assert client.get(address(conference)).status_code == 404
    assert client.get(address(conference, "figure-file", kind="csv")).status_code == 404
    assert client.post(address(conference, "figure-release"), {"measure": "registered"}).status_code == 404


def test_release_needs_the_right_to_change_figures(client: Client) -> None:
    conference = ConferenceFactory()
    crowd(whole(conference), [{}] * 8)
    viewer = UserFactory(is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_figure"))
    client.force_login(viewer)

    response = client.post(address(conference, "figure-release"), {"measure": "registered"})

    assert response.status_code in (403, 404)
    assert not PublicFigure.objects.exists()


def test_release_and_withdraw(administrator: Client) -> None:
    conference = ConferenceFactory()
    crowd(whole(conference), [{}] * 8)
    post = address(conference, "figure-release")

    administrator.post(post, {"measure": "registered"})
    released = list(PublicFigure.objects.filter(breakdown="total").values_list("measure", "value"))
    administrator.post(post, {"measure": "registered", "withdraw": "1"})

    assert released == [("registered", 8)]
    assert not PublicFigure.objects.exists()
    assert administrator.get(post).status_code == 405
    assert "Choose what is measured" in administrator.post(post, {"measure": "x"}, follow=True).content.decode()


# --- files ------------------------------------------------------------------------------------------------------------

EVIL = ['=HYPERLINK("https://evil.example")', "+1+1", "-2+3", "@SUM(A1)", "\t=1", " =1+1", "\ufeff=1", "%0A", "|calc"]


def file(client: Client, conference: Conference, kind: str) -> Any:
    """A file of the page."""
    response = client.get(address(conference, "figure-file", kind=kind))
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    return response


def with_evil_texts() -> Conference:
    """A conference whose titles and sources would be formulas."""
    conference = ConferenceFactory()
    for number, text in enumerate(EVIL):
        FigureFactory(conference=conference, value=number, group=text, source=text)
        session = SessionFactory(conference=conference, title={"en": text})
        FigureFactory(conference=conference, session=session, value=number)
    return conference


def test_csv_holds_numbers_measures_and_the_instant(administrator: Client) -> None:
    conference = a_mixed_conference()

    rows = list(csv.reader(io.StringIO(file(administrator, conference, "csv").content.decode())))

    total = figures.count(conference, now=NOW).total
    assert [row[0:6] for row in rows if row[1] == "All"] == [
        [measure.label, "All", "", "", "exactly", str(number)] for measure, number in total.items()
    ]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", row[7]) for row in rows[1:])


def test_csv_has_a_mark_for_excel_when_asked(administrator: Client) -> None:
    conference = ConferenceFactory()

    assert file(administrator, conference, "csv-mark").content.startswith(b"\xef\xbb\xbf")
    assert not file(administrator, conference, "csv").content.startswith(b"\xef\xbb\xbf")


def test_no_cell_of_the_csv_is_a_formula(administrator: Client) -> None:
    text = file(administrator, with_evil_texts(), "csv").content.decode()

    cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    assert not [cell for cell in cells if re.match("[ \ufeff\u00a0]*[=+@|%\t\r-]", cell)]
    assert "'@SUM(A1)" in cells


def test_no_cell_of_the_workbook_is_a_formula_and_numbers_are_numbers(administrator: Client) -> None:
    conference = with_evil_texts()

    book = load_workbook(io.BytesIO(file(administrator, conference, "xlsx").content))

    (page,) = book.worksheets
    assert {cell.data_type for row in page.iter_rows() for cell in row if cell.value is not None} == {"s", "n"}
    assert all(isinstance(page.cell(row, 6).value, int) for row in range(2, page.max_row + 1))
    texts = {cell.value for row in page.iter_rows() for cell in row}
    assert "@SUM(A1)" in texts


def test_there_is_no_other_kind_of_file(administrator: Client) -> None:
    assert administrator.get(address(ConferenceFactory(), "figure-file", kind="exe")).status_code == 404


def test_words_that_are_no_formulas_stay_as_they_are() -> None:
    assert spreadsheets.harmless("Côte d'Ivoire = hôte") == "Côte d'Ivoire = hôte"
