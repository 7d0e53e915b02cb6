"""Every page of the admin answers its people, costs the same for one row and for three, and keeps others out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.postgres.constraints import ExclusionConstraint
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, Role, User
from alliance import admin as house
from alliance import admin_site
from alliance.admin import undo, versions
from events.models import (
    Conference,
    Country,
    Material,
    Organisation,
    Recommendation,
    Reference,
    Room,
    Series,
    Session,
    SideEvent,
    Topic,
    Venue,
)
from outbox.models import Message, WorkerHeartbeat
from registration.models import Admission, Delegation, Figure, FocalPoint, Participant, Question, Registration
from speakers.models import Contribution, Person
from tests import factories, forms
from video.models import HostAccount, Meeting, PlatformPrivacy

MODELS = [model for model in admin.site._registry if model is not Group]
NOBODY_ADDS = {AuditEntry, Message, Participant, Registration}


def session_with(kind: Any, children: int) -> Session:
    """A session with so many of everything its page shows."""
    session: Session = kind(room=factories.RoomFactory() if kind is factories.SessionFactory else None)
    for _ in range(children):
        segment = factories.SegmentFactory(session=session)
        factories.ContributionFactory(
            session=session,
            segment=segment,
            organisation=factories.OrganisationFactory(),
        )
        factories.TextSectionFactory(session=session)
        factories.ConvenorshipFactory(session=session, with_unit=factories.OrganisationFactory()
        )  # fmt: skip
        factories.MaterialFactory(conference=session.conference, session=session)
        factories.RecommendationFactory(session=session)
    return session


def material_with(children: int) -> Material:
    """A paper of a session and its conference."""
    session = factories.SessionFactory()
    material: Material = factories.MaterialFactory(conference=session.conference, session=session)
    return material


def conference_with(children: int) -> Conference:
    """A conference with days."""
    conference: Conference = factories.ConferenceFactory()
    first = date(2030, 7, 15)
    for number in range(children):
        conference.days.create(number=number + 1, date=first + timedelta(days=number))
    return conference


def venue_with(children: int) -> Venue:
    """A venue with rooms."""
    venue: Venue = factories.VenueFactory()
    for _ in range(children):
        factories.RoomFactory(venue=venue)
    return venue


def person_with(children: int) -> Person:
    """A person with affiliations."""
    person: Person = factories.PersonFactory()
    for _ in range(children):
        factories.AffiliationFactory(person=person, organisation=factories.OrganisationFactory())
    return person


def user_with(children: int) -> User:
    """A user with roles."""
    user: User = factories.UserFactory()
    for _ in range(children):
        factories.RoleFactory(user=user)
    return user


def delegation_with(children: int) -> Delegation:
    """A delegation with focal points."""
    delegation: Delegation = factories.DelegationFactory()
    for _ in range(children):
        FocalPoint.objects.create(delegation=delegation, user=factories.UserFactory())
    return delegation


def waiting_registration(children: int) -> Registration:
    """A registration in line, with so many before it."""
    admission = factories.AdmissionFactory(capacity=0)
    for _ in range(children):
        last = factories.RegistrationFactory(admission=admission, status="waitlisted")
    return last  # type: ignore[possibly-undefined]


def admission_with(children: int) -> Admission:
    """An admission with organisations in its audience."""
    admission: Admission = factories.AdmissionFactory()
    for _ in range(children):
        admission.audience_organisations.add(factories.OrganisationFactory())
    return admission


def question_with(children: int) -> Question:
    """A question with options, that depends on another one."""
    source = factories.QuestionFactory(kind="yes_no", position=1)
    question: Question = factories.QuestionFactory(
        conference=source.conference, kind="choice", position=2, show_if=source, show_if_answers=["yes"]
    )
    for place in range(children):
        question.options.create(label={"en": f"Option {place}"}, position=place)
    return question


ROWS: dict[type[models.Model], Callable[[int], models.Model]] = {
    Conference: conference_with,
    Session: lambda children: session_with(factories.SessionFactory, children),
    SideEvent: lambda children: session_with(factories.SideEventFactory, children),
    Material: material_with,
    Recommendation: lambda children: factories.RecommendationFactory(),
    Reference: lambda children: factories.ReferenceFactory(),
    Organisation: lambda children: factories.OrganisationFactory(country=factories.CountryFactory()),
    Country: lambda children: factories.CountryFactory(),
    Venue: venue_with,
    Room: lambda children: factories.RoomFactory(),
    Series: lambda children: factories.SeriesFactory(),
    Topic: lambda children: Topic.objects.create(key=f"topic-{Topic.objects.count()}", name={"en": "Topic"}),
    Person: person_with,
    Contribution: lambda children: factories.ContributionFactory(),
    Registration: waiting_registration,
    Admission: admission_with,
    Participant: lambda children: factories.ParticipantFactory(country=factories.CountryFactory()),
    Delegation: delegation_with,
    Figure: lambda children: factories.FigureFactory(),
    Question: question_with,
    Meeting: lambda children: factories.MeetingFactory(),
    PlatformPrivacy: lambda children: PlatformPrivacy.objects.create(conference=factories.ConferenceFactory()),
    HostAccount: lambda children: HostAccount.objects.create(service="zoom", label=f"{HostAccount.objects.count()}"),
    Message: lambda children: factories.MessageFactory(),
    User: user_with,
    Role: lambda children: factories.RoleFactory(),
    AuditEntry: lambda children: factories.AuditEntryFactory(),
}


def url(model: type[models.Model], page: str, *arguments: Any) -> str:
    """The address of an admin page."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=arguments)


@pytest.fixture
def administrator(db: None, client: Client) -> Client:
    """A browser in which an administrator is signed in."""
    client.force_login(factories.StaffFactory())
    return client


def queries_of(client: Client, address: str) -> int:
    """How many queries a page costs; it must answer 200."""
    client.get(address)  # whatever is read once per process is read now
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = client.get(address)
    assert response.status_code == 200
    return len(queries)


def test_every_model_of_the_admin_is_tested_here() -> None:
    assert set(ROWS) == set(MODELS)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_list_costs_the_same_for_one_row_and_for_three(model: type[models.Model], administrator: Client) -> None:
    ROWS[model](1)
    one = queries_of(administrator, url(model, "changelist"))
    ROWS[model](1)
    ROWS[model](1)

    assert queries_of(administrator, url(model, "changelist")) == one
    assert one <= 20


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_page_of_a_row_costs_the_same_for_one_child_and_for_three(
    model: type[models.Model], administrator: Client
) -> None:
    with_one, with_three = ROWS[model](1), ROWS[model](3)

    one = queries_of(administrator, url(model, "change", with_one.pk))

    assert queries_of(administrator, url(model, "change", with_three.pk)) == one
    assert one <= 30


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_form_that_is_sent_as_it_was_opened_is_no_conflict(model: type[models.Model], administrator: Client) -> None:
    address = url(model, "change", ROWS[model](3).pk)
    page = administrator.get(address)
    sent = forms.fields(page.text, f"{model._meta.model_name}_form")

    response = administrator.post(address, sent)

    if page.context["has_change_permission"] and "seen" in page.context:
        assert sent[versions.FIELD] == [page.context["seen"]]
        assert response.status_code == 302, response.context["errors"]
    else:
        assert versions.FIELD not in sent


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_page_for_a_new_row(model: type[models.Model], administrator: Client) -> None:
    expected = 403 if model in NOBODY_ADDS else 200

    assert administrator.get(url(model, "add")).status_code == expected


@pytest.mark.parametrize("language", ["en", "fr", "de", "it", "es", "ru"])
def test_pages_are_in_the_language_the_user_chose(language: str, db: None, client: Client) -> None:
    client.force_login(factories.StaffFactory(language=language))
    row = waiting_registration(1)

    for page in (reverse("admin:index"), url(Registration, "changelist"), url(Registration, "change", row.pk)):
        response = client.get(page, headers={"accept-language": "en"})
        assert response.status_code == 200
        assert f'<html lang="{language}"' in response.text


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_strangers_are_asked_to_log_in_and_staff_without_permission_is_refused(
    model: type[models.Model], db: None, client: Client
) -> None:
    row = ROWS[model](1)
    pages = [url(model, "changelist"), url(model, "add"), url(model, "change", row.pk), url(model, "delete", row.pk)]

    strangers = [client.get(page) for page in pages]
    client.force_login(factories.UserFactory())
    not_staff = [client.get(page) for page in pages]
    client.force_login(factories.UserFactory(is_staff=True))
    staff = [client.get(page).status_code for page in pages]

    for response, page in zip(strangers + not_staff, pages * 2, strict=True):
        assert (response.status_code, response.headers["Location"]) == (302, f"{reverse('admin:login')}?next={page}")
    assert staff == [403] * 4


@pytest.mark.parametrize(
    "model", [Session, Person, Registration, Participant, Message, AuditEntry, User], ids=lambda model: model.__name__
)
def test_list_with_a_strange_address_is_no_error(model: type[models.Model], administrator: Client) -> None:
    ROWS[model](1)

    for query in ("q=%00", "q=a@b", "q=" + "9" * 400, "o=x", "p=99999", "p=x", "id__exact=x", "all=", "q=%F0%28%8C"):
        response = administrator.get(f"{url(model, 'changelist')}?{query}", follow=True)
        assert response.status_code in {200, 400}, query


@pytest.mark.parametrize("model", [Registration, Participant, Admission, Message])
def test_list_with_a_strange_filter_is_no_error(model: type[models.Model], administrator: Client) -> None:
    for field in ("conference__id__exact", "admission__id__exact", "state__exact"):
        for value in ("x", "9" * 30, "%00", "²"):
            response = administrator.get(f"{url(model, 'changelist')}?{field}={value}", follow=True)
            assert response.status_code in {200, 400}, f"{field}={value}"


# --- the frame ------------------------------------------------------------------------------------------------------


def test_front_page_lists_apps_in_the_order_of_work(administrator: Client) -> None:
    response = administrator.get(reverse("admin:index"))

    assert [app["app_label"] for app in response.context["app_list"]] == [
        "events", "speakers", "registration", "video", "outbox", "accounts",
    ]  # fmt: skip
    assert "Group" in {model["object_name"] for model in response.context["app_list"][-1]["models"]}
    assert [model["object_name"] for model in response.context["app_list"][0]["models"]][:3] == [
        "Conference", "Session", "SideEvent",
    ]  # fmt: skip


SILENT = "Nothing is being sent"


def test_every_page_warns_while_no_worker_is_alive(administrator: Client) -> None:
    assert SILENT in administrator.get(reverse("admin:index")).text
    assert SILENT in administrator.get(url(Country, "changelist")).text

    WorkerHeartbeat.objects.create(name="worker", seen_at=timezone.now() - timedelta(seconds=90))
    assert SILENT in administrator.get(reverse("admin:index")).text

    WorkerHeartbeat.objects.update(seen_at=timezone.now())
    assert SILENT not in administrator.get(reverse("admin:index")).text


def test_log_in_page_says_nothing_about_the_house(db: None, client: Client) -> None:
    response = client.get(reverse("admin:login"), follow=True)

    assert response.status_code == 200
    assert SILENT not in response.text
    assert response.redirect_chain[-1][0].startswith(reverse("account_login"))


def test_every_page_warns_when_a_message_is_late(administrator: Client) -> None:
    factories.MessageFactory(due_at=timezone.now() - timedelta(minutes=12, seconds=5))

    response = administrator.get(reverse("admin:index"))

    assert "has been waiting for 12 minutes" in response.text


def test_language_is_chosen_for_good_and_leads_back(administrator: Client) -> None:
    page = url(Country, "changelist")

    response = administrator.post(reverse("admin:language"), {"language": "ru", "next": page})

    assert response.headers["Location"] == page
    assert '<html lang="ru"' in administrator.get(page).text
    assert User.objects.get().language == "ru"


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_language_choice_leads_nowhere_else(back: str, administrator: Client) -> None:
    response = administrator.post(reverse("admin:language"), {"language": "xx", "next": back})

    assert response.headers["Location"] == reverse("admin:index")
    assert User.objects.get().language == "en"


def test_language_choice_is_for_people_who_signed_in(db: None, client: Client) -> None:
    response = client.post(reverse("admin:language"), {"language": "ru"})

    assert response.status_code == 302
    assert response.headers["Location"].startswith(reverse("admin:login"))


@pytest.mark.parametrize("model", [Session, Conference, Registration, Message])
def test_pages_hold_no_inline_script_or_style(model: type[models.Model], administrator: Client) -> None:
    row = ROWS[model](1)

    for page in (url(model, "changelist"), url(model, "change", row.pk), reverse("admin:index")):
        text = administrator.get(page).text
        assert "style=" not in text
        assert "<style" not in text
        assert "onclick" not in text
        assert "<script>" not in text


# --- the history ----------------------------------------------------------------------------------------------------


def test_history_holds_no_names(administrator: Client) -> None:
    address = url(Person, "add")
    sent = {
        "display_name": "Canary Name", "key": "canary", "given_name": "Canary", "affiliations-TOTAL_FORMS": "1",
        "affiliations-INITIAL_FORMS": "0", "affiliations-0-role_title_en": "Canary title",
    }  # fmt: skip

    assert administrator.post(address, sent).status_code == 302
    person = Person.objects.get()
    sent |= {"display_name": "Canary Second", "affiliations-TOTAL_FORMS": "0"}
    assert administrator.post(url(Person, "change", person.pk), sent).status_code == 302
    user = factories.UserFactory(email="canary@office.example", name="Canary")
    person.affiliations.all().delete()
    selected = {"action": "delete_selected", "_selected_action": [person.pk], "post": "yes"}
    assert administrator.post(url(Person, "changelist"), selected).status_code == 302
    assert administrator.post(url(User, "delete", user.pk), {"post": "yes"}).status_code == 302

    lines = list(LogEntry.objects.order_by("pk").values_list("object_repr", "change_message"))
    assert [line[0] for line in lines] == [
        *[f"person {person.public_id.hex[:8]}…"] * 3,
        f"user {user.public_id.hex[:8]}…",
    ]
    assert "canary" not in str(lines).lower()


def test_front_page_shows_no_history(administrator: Client) -> None:
    assert "recent-actions" not in administrator.get(reverse("admin:index")).text


# --- refusals -------------------------------------------------------------------------------------------------------


def test_every_constraint_a_form_can_meet_is_explained() -> None:
    from django.db.models import CheckConstraint, UniqueConstraint

    inlines = {
        inline.model
        for model_admin in admin.site._registry.values()
        for inline in [*model_admin.inlines, *getattr(model_admin, "extra_inlines", [])]
    }
    read_only = {AuditEntry, Message, Registration}
    names = {
        constraint.name
        for model in {*MODELS, *inlines} - read_only
        for constraint in model._meta.constraints
        if isinstance(constraint, CheckConstraint | UniqueConstraint | ExclusionConstraint)
    }
    # Choices keep these; nobody can type another value into a select.
    by_choice = {name for name in names if name.endswith(("_is_known", "_are_known"))}
    not_typed = {"participant_email_unique_in_conference", "participant_has_display_name"}

    assert {name for name in names - by_choice - not_typed if not house.is_explained(name)} == set()


def test_input_that_cannot_be_stored_is_said_so(administrator: Client) -> None:
    organisation = factories.OrganisationFactory()
    sent = {"name_en": "Body", "key": organisation.key, "kind": "other", "contact": '{"a": "\\u0000"}', "aliases": ""}

    response = administrator.post(url(Organisation, "change", organisation.pk), sent)

    assert response.status_code == 200
    assert "cannot be stored" in response.text


def test_no_app_is_missing_from_the_front_page() -> None:
    assert {model._meta.app_label for model in MODELS} - {"auth"} <= set(admin_site.HouseSite.app_order)
    assert apps.get_app_config("admin").default_site == "alliance.admin_site.HouseSite"  # type: ignore[attr-defined]


def test_way_to_the_outbox_is_shown_to_those_who_may_go_it(client: Client, db: None) -> None:
    clerk = factories.UserFactory(is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_country"))
    client.force_login(clerk)

    response = client.get(reverse("admin:index"))

    assert SILENT in response.text
    assert url(Message, "changelist") not in response.text


def test_view_on_site_leads_to_the_public_page(administrator: Client) -> None:
    session = factories.SideEventFactory()
    person = factories.PersonFactory()

    for row in (session, session.conference, person):
        page = administrator.get(url(type(row), "change", row.pk))
        leads_to = administrator.get(page.context["absolute_url"]).headers["Location"]
        assert leads_to.endswith(row.get_absolute_url())


@pytest.mark.parametrize("token", ["", "é"])
def test_odd_token_takes_nothing_back(token: str, administrator: Client) -> None:
    """It was answered with 500: what is compared as text must be ASCII."""
    session = administrator.session
    session[undo.KEY] = {"token": "abc", "kind": "test", "data": {}, "until": timezone.now().isoformat()}
    session.save()

    response = administrator.post(reverse("admin:undo"), {"token": token})

    assert response.status_code == 302
    assert undo.KEY in administrator.session
