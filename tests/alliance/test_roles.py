"""Every page of the admin as every role, at their own conference and at another, against docs/roles.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models
from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import Role, RoleKind, User
from accounts.permissions import MODELS, Level
from alliance import errors
from events.admin import pages
from events.models import Conference, Session, SideEvent, Topic
from outbox.models import Message
from registration.models import Admission, Participant, Registration
from speakers.models import Contribution
from tests import factories
from tests.alliance import role_table
from video.models import HostAccount, PlatformPrivacy

pytestmark = pytest.mark.django_db

SECRET = "Zzyzx"  # stands in every name at the other conference
AREA = {label: area.value for area, labels in MODELS.items() for label in labels}
REGISTERED = [model for model in admin.site._registry if model is not Group]

# What needs a role for all conferences, in words of its own and not of the code: label or area, rights.
ONLY_HOUSE_WIDE = {
    "events.conference": {"add", "delete"},
    "directory": {"delete"},
    "accounts.user": {"add", "change", "delete"},
    "accounts.auditentry": {"view", "add", "change", "delete"},
    "video.hostaccount": {"view", "add", "change", "delete"},
}
# What no page does for anybody.
NEVER = {
    "registration.registration": {"add", "delete"},
    "registration.participant": {"add", "delete"},
    "outbox.message": {"add", "delete"},
    "accounts.auditentry": {"add", "change", "delete"},
}
LEVEL_OF = {"view": Level.SEE, "change": Level.CHANGE, "add": Level.ADD, "delete": Level.DELETE}

# Pages of a conference: area and level that open them. A new page without an entry here fails the test.
CONFERENCE_PAGES = {
    "start": ("conference", Level.SEE),
    "long-work": ("conference", Level.SEE),  # everybody sees their own
    "programme": ("programme", Level.SEE),
    "checks": ("programme", Level.SEE),
    "speakers": ("speakers", Level.CHANGE),
    "speaker": ("speakers", Level.CHANGE),
    "removals": ("removals", Level.CHANGE),
    "removal-confirm": ("removals", Level.CHANGE),
    "removal": ("removals", Level.CHANGE),
    "releases": ("conference", Level.SEE),
    "release-restore": ("conference", Level.CHANGE),
    "preview": ("conference", Level.SEE),
    "mails": ("messages", Level.SEE),
    "mail-text": ("messages", Level.SEE),
    "thanks": ("messages", Level.CHANGE),
    "programme-file": ("conference", Level.SEE),
    "programme-file-download": ("conference", Level.SEE),
    "documents": ("conference", Level.SEE),
    "document": ("conference", Level.SEE),
    "next_edition": ("conference", None),  # makes a conference
    "door": ("door", Level.SEE),
    "badges": ("registrations", Level.SEE),
    "release-correct": ("conference", Level.CHANGE),
    "figures": ("admissions", Level.SEE),
    "figure-file": ("admissions", Level.SEE),
    "figure-release": ("admissions", Level.CHANGE),
    "consents": ("registrations", Level.SEE),
    "data-life": ("admissions", Level.SEE),
    "data-life-save": ("admissions", Level.CHANGE),
    "data-life-proofs": ("admissions", Level.SEE),
    "processing": ("admissions", Level.SEE),
    "consents-ask": ("admissions", Level.CHANGE),
    "consents-done": ("registrations", Level.CHANGE),
    "consents-person": ("participants", Level.CHANGE),
    "consents-proof": ("participants", Level.CHANGE),
    "protection": ("protection", Level.CHANGE),
    "protection-person": ("protection", Level.CHANGE),
    "protection-speaker": ("protection", Level.CHANGE),
    "delegations": ("admissions", Level.CHANGE),
    "delegation-letter": ("admissions", Level.CHANGE),
    "participants": ("admissions", Level.CHANGE),
    "api-tokens": ("admissions", Level.CHANGE),
    "webhooks": ("admissions", Level.CHANGE),
    "joining": ("registrations", Level.SEE),
    "joining-of": ("registrations", Level.SEE),
    "rehearsal": ("admissions", Level.CHANGE),
    "waiting-lists": ("registrations", Level.SEE),
    "waiting-list": ("registrations", Level.SEE),
    "reserves": ("admissions", Level.CHANGE),
    "invitations": ("admissions", Level.CHANGE),
    "external-lists": ("admissions", Level.CHANGE),
    "invitations-many": ("admissions", Level.CHANGE),
    "messages": ("messages", Level.CHANGE),
    "message": ("messages", Level.CHANGE),
    "registration-trail": ("registrations", Level.CHANGE),
    "participant-trail": ("participants", Level.CHANGE),
    "check-ins": ("registrations", Level.CHANGE),
    "door-code": ("participants", Level.CHANGE),
    "by-hand": ("participants", Level.CHANGE),
    "duplicates": ("duplicates", Level.CHANGE),
    "duplicate": ("duplicates", Level.CHANGE),
    "questions": ("admissions", Level.SEE),
    "answers": ("participants", Level.SEE),
    "answers-file": ("participants", Level.SEE),
    "answer-file": ("participants", Level.SEE),
    "confidential-answers": ("confidential", Level.SEE),
    "confidential-answers-file": ("confidential", Level.SEE),
    "confidential-answer-file": ("confidential", Level.SEE),
}

# Pages of the admin that belong to no model's list: what somebody with a role, or without any, is answered.
FRAME = {
    "admin:undo",  # takes back the user's own last act, with the right to do it
    "admin:events_conference_previewed",  # work is seen by whoever has ordered it, with the right to do so
    "admin:events_conference_job",
    "admin:events_conference_job_cancel",
    "admin:events_conference_job_file",
    "admin:index", "admin:login", "admin:logout", "admin:password_change", "admin:password_change_done",
    "admin:autocomplete", "admin:jsi18n", "admin:view_on_site", "admin:app_list", "admin:language",
    "admin:auth_user_password_change", "admin:accounts_user_second_factor",
    "admin:events_conference_import", "admin:events_conference_template",
    "admin:registration_admission_capacity", "admin:search", "admin:registration_registration_saved_filters",
}  # fmt: skip


def names(patterns: list[URLPattern | URLResolver], space: str = "") -> Iterator[tuple[str, str]]:
    """Name with namespace, and route, of every address of the house."""
    for one in patterns:
        if isinstance(one, URLResolver):
            inner = f"{space}{one.namespace}:" if one.namespace else space
            yield from ((name, f"{one.pattern}{route}") for name, route in names(one.url_patterns, inner))
        else:
            yield f"{space}{one.name or ''}", str(one.pattern)


def test_docs_print_the_table_of_the_code() -> None:
    assert role_table.documented() == role_table.printed()


def test_every_address_of_the_admin_has_an_entry() -> None:
    of_models = {
        f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
        for model in admin.site._registry
        for page in ("changelist", "add", "change", "delete", "history")
    }
    of_conferences = {f"admin:events_conference_{page}" for page in CONFERENCE_PAGES}
    found = {name for name, route in names(get_resolver().url_patterns) if name.startswith("admin:")} - {"admin:"}

    assert found == of_models | of_conferences | FRAME
    assert set(CONFERENCE_PAGES) == set(pages._pages)
    assert {model._meta.label_lower for model in REGISTERED} <= set(AREA)


def place(word: str) -> tuple[Conference, dict[type[models.Model], models.Model]]:
    """A conference with one row of every kind; the word stands in every name."""
    text = {"en": word}
    conference = factories.ConferenceFactory(title={"en": f"{word} conference"})
    session = factories.SessionFactory(conference=conference, title=text)
    side_event = factories.SideEventFactory(conference=conference, title=text)
    admission = factories.AdmissionFactory(conference=conference, session=side_event)
    participant = factories.ParticipantFactory(conference=conference, display_name=word)
    registration = factories.RegistrationFactory(admission=admission, participant=participant)
    user = factories.UserFactory(name=word)
    rows: list[models.Model] = [
        conference,
        session,
        SideEvent.objects.get(pk=side_event.pk),
        factories.MaterialFactory(conference=conference, session=session, title=text),
        factories.RecommendationFactory(session=session, text=text),
        factories.ReferenceFactory(conference=conference, citation=word),
        factories.ContributionFactory(session=session, name_printed=word, person=factories.PersonFactory()),
        admission,
        registration,
        participant,
        factories.DelegationFactory(conference=conference, note=word),
        factories.FigureFactory(conference=conference, group=word),
        factories.QuestionFactory(conference=conference, label=text),
        factories.MeetingFactory(session=session),
        PlatformPrivacy.objects.create(conference=conference),
        factories.MessageFactory(about_kind="registration", about_id=registration.public_id, topic=word),
        user,
        factories.RoleFactory(user=user, conference=conference, kind=RoleKind.VIEWER),
    ]
    return conference, {type(row): row for row in rows}


SHARED: dict[str, Callable[[], Any]] = {
    "events.organisation": factories.OrganisationFactory,
    "events.country": factories.CountryFactory,
    "events.venue": factories.VenueFactory,
    "events.room": factories.RoomFactory,
    "events.series": factories.SeriesFactory,
    "events.topic": lambda: Topic.objects.create(key="topic", name={"en": "Topic"}),
    "speakers.person": factories.PersonFactory,
    "accounts.auditentry": factories.AuditEntryFactory,
    "video.hostaccount": lambda: HostAccount.objects.create(service="zoom", label="Office"),
}


def url(model: type[models.Model], page: str, *arguments: Any) -> str:
    """The address of an admin page."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=arguments)


@pytest.fixture
def unrendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages answer without being drawn, and refusals too: what is asked here is whether they answer at all."""
    monkeypatch.setattr(TemplateResponse, "rendered_content", "")
    monkeypatch.setattr(errors, "_answer", lambda request, said: HttpResponse(status=said.status))


class Expected:
    """What the docs promise to a role."""

    def __init__(self, kind: str, *, is_house_wide: bool) -> None:
        self.levels = role_table.levels()[kind]
        self.is_house_wide = is_house_wide

    def may(self, label: str, right: str) -> bool:
        """Whether a page for it answers."""
        area = AREA[label]
        if right in NEVER.get(label, ()):
            return False
        if not self.is_house_wide and right in {*ONLY_HOUSE_WIDE.get(label, ()), *ONLY_HOUSE_WIDE.get(area, ())}:
            return False
        return self.levels[area] >= LEVEL_OF[right]


def snapshot(rows: dict[type[models.Model], models.Model]) -> list[Any]:
    """Everything that is stored of the rows."""
    return [model._default_manager.filter(pk=row.pk).values().first() for model, row in rows.items()]


def answers(client: Client, model: type[models.Model], row: models.Model) -> dict[str, int]:
    """What the pages of a row say."""
    found = {page: client.get(url(model, page, row.pk)).status_code for page in ("change", "delete", "history")}
    return found | {f"post {page}": client.post(url(model, page, row.pk)).status_code for page in ("change", "delete")}


def distinct() -> list[str]:
    """The roles that open anything, one of those that open the same."""
    found: dict[str, str] = {}
    for kind, levels in role_table.levels().items():
        found.setdefault(str(levels), kind)
    return [kind for kind in found.values() if any(role_table.levels()[kind].values())]


ROLES = [*((kind, False) for kind in distinct()), ("organiser", True)]


@pytest.mark.parametrize(("kind", "is_house_wide"), ROLES)
def test_pages_of_rows(kind: str, is_house_wide: bool, client: Client, unrendered: None) -> None:
    own, own_rows = place("Own")
    other, other_rows = place(SECRET)
    expected = Expected(kind, is_house_wide=is_house_wide)
    client.force_login(factories.RoleFactory(kind=kind, conference=None if is_house_wide else own).user)
    before = snapshot(other_rows)
    wrong: list[str] = []

    def check(what: str, found: int, wanted: set[int]) -> None:
        if found not in wanted:
            wrong.append(f"{what}: {found}, not {wanted}")

    for model in REGISTERED:
        label = model._meta.label_lower
        may = {right: expected.may(label, right) for right in LEVEL_OF}
        check(f"{label} list", client.get(url(model, "changelist")).status_code, {200} if may["view"] else {403})
        check(f"{label} add", client.get(url(model, "add")).status_code, {200} if may["add"] else {403})
        row = own_rows.get(model) or SHARED[label]()
        for page, right in (("change", "view"), ("delete", "delete"), ("history", "view")):
            wanted = {200} if may[right] else {403} if may["view"] else {404}
            check(f"{label} own {page}", client.get(url(model, page, row.pk)).status_code, wanted)
        if model in other_rows and not is_house_wide:
            for page, found in answers(client, model, other_rows[model]).items():
                check(f"{label} other {page}", found, {404})
        elif model in other_rows:
            status = client.get(url(model, "change", other_rows[model].pk)).status_code
            check(f"{label} other change", status, {200} if may["view"] else {404})
    for name, conference_page in pages._pages.items():
        for conference, is_own in ((own, True), (other, is_house_wide)):
            found = client.get(address(conference_page, conference)).status_code
            area, level = CONFERENCE_PAGES[name]
            is_open = is_house_wide and expected.may("events.conference", "add")
            is_open = expected.levels[area] >= level if level is not None else is_open
            check(f"{name} of {conference}", found, {404} if not is_own else {200, 302, 404, 405} if is_open else {403})

    assert wrong == []
    assert snapshot(other_rows) == before


def address(page: pages.ConferencePage, conference: Conference) -> str:
    """The address of a page; what its route captures may lead nowhere, it must only be let through."""
    captured: dict[str, dict[str, Any]] = {
        "release-restore": {"number": 1},
        "preview": {"which": "draft", "path": "en/"},
        "mail-text": {"letter": "nothing", "language": "en"},
        "programme-file-download": {"kind": "nothing"},
        "document": {"which": "draft", "language": "en", "kind": "nothing", "ending": "pdf"},
        "badges": {"sheet": "nothing", "part": 1},
        "release-correct": {"number": 1},
        "figure-file": {"kind": "nothing"},
        "delegation-letter": {"letter": UUID(int=1)},
        "answers-file": {"kind": "nothing"},
        "answer-file": {"answer": UUID(int=1)},
        "confidential-answers-file": {"kind": "nothing"},
        "confidential-answer-file": {"answer": UUID(int=1)},
        "participants": {"kind": "nothing"},
        "message": {"message": UUID(int=1)},
        "registration-trail": {"registration": UUID(int=1)},
        "participant-trail": {"participant": UUID(int=1)},
        "consents-person": {"participant": UUID(int=1)},
        "consents-proof": {"participant": UUID(int=1)},
        "protection-person": {"somebody": UUID(int=1)},
        "protection-speaker": {"somebody": UUID(int=1)},
        "door-code": {"participant": UUID(int=1)},
        "joining-of": {"admission": UUID(int=1)},
        "waiting-list": {"admission": UUID(int=1)},
        "speaker": {"contribution": UUID(int=1)},
        "removal-confirm": {"kind": "person", "public_id": UUID(int=1)},
        "removal": {"removal": UUID(int=1)},
        "reserves": {"admission": UUID(int=1)},
        "duplicate": {"stays": UUID(int=1), "goes": UUID(int=2)},
    }
    return pages.url(page.name, conference, **captured.get(page.name, {}))


@pytest.mark.parametrize("kind", ["organiser", "editor", "desk", "communications", "viewer"])
def test_lists_and_choices_name_nothing_of_the_other_conference(kind: str, client: Client) -> None:
    own, _own_rows = place("Own")
    other, _rows = place(SECRET)
    expected = Expected(kind, is_house_wide=False)
    client.force_login(factories.RoleFactory(kind=kind, conference=own).user)
    session = Session.objects.filter(conference=other).earliest("pk")
    given = f"?conference={other.pk}&session={session.pk}&admission__conference__id__exact={other.pk}"
    named: list[str] = []

    for model, model_admin in admin.site._registry.items():
        if model is Group or AREA[model._meta.label_lower] == "directory":
            continue
        label = model._meta.label_lower
        looked_at = [url(model, "changelist")] if expected.may(label, "view") else []
        looked_at += [url(model, "add") + given] if expected.may(label, "add") else []
        for field in model_admin.get_autocomplete_fields(None):  # type: ignore[arg-type]
            query = f"?app_label={model._meta.app_label}&model_name={model._meta.model_name}&field_name={field}"
            looked_at.append(f"{reverse('admin:autocomplete')}{query}")
        for page in looked_at:
            response = client.get(page)
            assert response.status_code in {200, 403}
            if SECRET in response.text:
                named.append(page)

    assert named == []


def chosen(model: type[models.Model], name: str, row: models.Model) -> dict[str, Any]:
    """What a list sends for an action, with everything that a page in between would ask for."""
    return {
        "action": name, "_selected_action": [row.pk], "post": "yes", "confirmed": "1", "reason": "Why", "minutes": "5",
        "room": "", "index": "0",
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["administrator", "organiser", "editor", "desk"])
def test_actions_do_nothing_to_the_other_conference(kind: str, client: Client, unrendered: None) -> None:
    own, _rows = place("Own")
    _other, rows = place(SECRET)
    client.force_login(factories.RoleFactory(kind=kind, conference=own).user)
    before = snapshot(rows)

    for model, row in rows.items():
        model_admin = admin.site._registry[model]
        for name in ["delete_selected", *(getattr(one, "__name__", one) for one in model_admin.actions or [])]:
            response = client.post(url(model, "changelist"), chosen(model, str(name), row))
            assert response.status_code in {200, 302, 403}
    capacity = reverse("admin:registration_admission_capacity", args=[rows[Admission].pk])
    password = reverse("admin:auth_user_password_change", args=[rows[User].pk])
    refused = [
        client.get(capacity),
        client.post(capacity, {"capacity": 1}),
        client.get(password),
        client.post(password),
    ]

    assert [response.status_code for response in refused] == [404] * 4
    assert snapshot(rows) == before


def test_view_at_one_conference_and_change_at_another_do_not_mix(client: Client) -> None:
    seen, rows = place("Seen")
    edited, edited_rows = place("Edited")
    user = factories.RoleFactory(kind="viewer", conference=seen).user
    Role.objects.create(user=user, kind="editor", conference=edited)
    client.force_login(user)
    session, own = rows[Session], edited_rows[Session]
    Session.objects.filter(pk__in=[session.pk, own.pk]).update(state="draft")

    selected = {"action": "publish_selected", "_selected_action": [session.pk, own.pk]}
    client.post(url(Session, "changelist"), selected)
    page = client.get(url(Session, "change", session.pk))
    saved = client.post(url(Session, "change", session.pk), {"title_en": "Taken over"})
    moved = client.post(pages.url("programme", seen), {"up": session.pk})
    material = client.post(
        url(admin.site._registry[Session].model, "change", own.pk), {"conference": seen.pk, "title_en": "x"}
    )

    states = dict(Session.objects.filter(pk__in=[session.pk, own.pk]).values_list("pk", "state"))
    assert states == {session.pk: "draft", own.pk: "scheduled"}
    assert (page.status_code, saved.status_code, moved.status_code) == (200, 403, 403)
    assert "conference" in material.context["adminform"].form.errors


def test_addresses_of_the_frame(client: Client) -> None:
    own, own_rows = place("Own")
    _other, rows = place(SECRET)
    client.force_login(factories.RoleFactory(kind="organiser", conference=own).user)
    kind = ContentType.objects.get_for_model(Session)

    def on_site(row: models.Model) -> int:
        return client.get(reverse("admin:view_on_site", args=[kind.pk, row.pk])).status_code

    assert on_site(own_rows[Session]) == 302
    assert on_site(rows[Session]) == 404
    assert client.get(reverse("admin:events_conference_import")).status_code == 403
    assert SECRET not in client.get(reverse("admin:index")).text
    for app in ("events", "registration", "accounts"):
        assert SECRET not in client.get(reverse("admin:app_list", args=[app])).text


@pytest.mark.parametrize("who", ["nobody", "no role", "convenor", "switched off"])
def test_strangers_are_asked_to_sign_in(who: str, client: Client) -> None:
    own, rows = place("Own")
    if who != "nobody":
        user = factories.UserFactory(is_active=who != "switched off")
        if who == "convenor":
            Role.objects.create(user=user, kind="convenor", session_id=rows[SideEvent].pk)
        if who == "switched off":
            Role.objects.create(user=user, kind="administrator")
        client.force_login(user)
    looked_at = [url(model, page) for model in admin.site._registry for page in ("changelist", "add")]
    looked_at += [url(model, "change", row.pk) for model, row in rows.items()]
    looked_at += [address(page, own) for page in pages._pages.values()]

    found = {page: client.get(page) for page in looked_at}

    assert {page for page, answer in found.items() if answer.status_code != 302} == set()
    assert {answer.headers["Location"].partition("?")[0] for answer in found.values()} == {reverse("admin:login")}


def test_permissions_of_staff_count_for_the_whole_house(client: Client) -> None:
    _own, rows = place("One")
    _other, others = place("Two")
    user = factories.UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_session"))
    client.force_login(user)

    found = [client.get(url(Session, "change", one[Session].pk)).status_code for one in (rows, others)]

    assert found == [200, 200]
    assert client.get(url(Participant, "change", rows[Participant].pk)).status_code == 403
    assert user.has_perm("events.view_session", rows[Session])


@pytest.mark.parametrize("roles", [1, 3])
def test_roles_are_read_once(roles: int, django_assert_num_queries: Any) -> None:
    made_for = factories.UserFactory()
    made = [factories.RoleFactory(user=made_for).conference for _ in range(roles)]
    user = User.objects.get(pk=made_for.pk)

    with django_assert_num_queries(3):  # permissions, permissions of groups, roles
        assert user.has_perm("events.change_session")
        assert all(user.has_perm("events.change_conference", one) for one in made)
        assert not user.has_perm("events.add_conference")


@pytest.mark.parametrize(
    "model", [Session, Contribution, Registration, Message, User, Role], ids=lambda one: one.__name__
)
def test_lists_of_an_organiser_cost_the_same_for_one_row_and_for_three(
    model: type[models.Model], client: Client
) -> None:
    conference, _rows = place("Own")
    client.force_login(factories.RoleFactory(kind="organiser", conference=conference).user)
    make: dict[type[models.Model], Callable[[], Any]] = {
        Session: lambda: factories.SessionFactory(conference=conference),
        Contribution: lambda: factories.ContributionFactory(session=Session.objects.earliest("pk")),
        Registration: lambda: factories.RegistrationFactory(admission=Admission.objects.get()),
        Message: lambda: factories.MessageFactory(
            about_kind="registration", about_id=Registration.objects.get().public_id
        ),
        User: lambda: factories.RoleFactory(conference=conference),
        Role: lambda: factories.RoleFactory(conference=conference),
    }

    def cost() -> tuple[int, int]:
        client.get(url(model, "changelist"))
        with CaptureQueriesContext(connection) as queries:
            response = client.get(url(model, "changelist"))
        return len(queries), len(response.context["cl"].result_list)

    one = cost()
    make[model]()
    make[model]()

    assert cost() == (one[0], one[1] + 2)
    assert one[0] <= 25
