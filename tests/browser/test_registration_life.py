"""The whole life of registrations, walked by everybody who has a part in it, through pages and mails alone.

A delegation of eight, people from the public, one of them under an alias, somebody invited, an organiser and a steward;
from the first form to the certificate and the deletion. What is needed before (the conference, its events and places,
who may sign in) is made by factories, everything else by pages.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings as house_settings
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from accounts import actors
from accounts.models import RoleKind, User
from events import page_cache
from outbox import doorbell
from outbox import services as outbox_services
from registration import private_pages, selectors, services
from registration.models import Admission, ApprovalMode, ConsentSetting, FocalPoint, WaitingMode
from tests.browser import chromium
from tests.browser.crowd import PHONE, Clock, Crowd, crowd, picture
from tests.browser.test_delegations import EIGHT
from tests.browser.test_door import read
from tests.factories import (
    AdmissionFactory,
    ConferenceFactory,
    CountryFactory,
    DelegationFactory,
    QuestionFactory,
    RoleFactory,
    RoomFactory,
    SideEventFactory,
    UserFactory,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from pytest_django.live_server_helper import LiveServer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
    pytest.mark.skipif(chromium.find() is None, reason="Chromium is not here"),
]

START = datetime(2030, 7, 2, 9, 0, tzinfo=UTC)
DAY_ONE = datetime(2030, 7, 15, tzinfo=UTC)
ALIAS, CANARY, ROSAS_MAIL = "Rosa", "Verborgenheim", "rosa@shelter.example"


class Life:
    """The conference, its people and what they hold in their hands: links, mails, codes."""

    def __init__(self, people: Crowd, clock: Clock, mails: list[Any]) -> None:
        self.people, self.clock, self.mails = people, clock, mails
        self.conference = ConferenceFactory(slug="alliance", title={"en": "Alliance Conference"})
        zedland = CountryFactory(name={"en": "Zedland"})
        self.delegation = DelegationFactory(conference=self.conference, country=zedland, quota=8)
        self.whole = AdmissionFactory(session=None, conference=self.conference, mode="in_person", capacity=10)
        AdmissionFactory(session=None, conference=self.conference, mode="online")
        services.set_reserve(
            admission_id=self.whole.pk,
            categories=["delegation"],
            places=6,
            returns_at=None,
            by=actors.SYSTEM,
            now=START,
        )
        self.trust = self._event("Trust", 9, 11, mode="in_person", capacity=1)
        self.trust_online = AdmissionFactory(session=self.trust.session, mode="online")
        self.data = self._event("Data", 10, 12, mode="in_person", capacity=1, waiting=WaitingMode.OFFER)
        self.workshop = self._event("Workshop", 13, 14, approval=ApprovalMode.INVITATION, capacity=5)
        by_train = QuestionFactory(conference=self.conference, kind="yes_no", label={"en": "Do you come by train?"})
        self.station = QuestionFactory(
            conference=self.conference,
            label={"en": "Where do you change trains?"},
            show_if=by_train,
            show_if_answers=["yes"],
        )
        self.by_train = by_train
        ConsentSetting.objects.create(conference=self.conference, purposes=["photo"])
        self.focal = self._user("focal@state.example")
        FocalPoint.objects.create(delegation=self.delegation, user=self.focal)
        self.organiser = self._user("organiser@office.example", RoleKind.ORGANISER)
        self.steward = self._user("steward@office.example", RoleKind.STEWARD)
        self.own: dict[str, str] = {}  # personal pages by address

    def _event(self, title: str, begins: int, ends: int, **more: Any) -> Admission:
        session = SideEventFactory(
            conference=self.conference,
            slug=title.lower(),
            title={"en": title},
            starts_at=DAY_ONE + timedelta(hours=begins),
            ends_at=DAY_ONE + timedelta(hours=ends),
            room=RoomFactory(venue=self.conference.venue),
        )
        admission: Admission = AdmissionFactory(session=session, **more)
        return admission

    def _user(self, email: str, kind: RoleKind | None = None) -> User:
        user: User = UserFactory(email=email, is_staff=kind is not None)
        if kind is not None:
            RoleFactory(user=user, conference=self.conference, kind=kind)
        return user

    # --- what everybody does

    def sign_in(self, who: str, user: User, path: str, **more: Any) -> Page:
        """A page as somebody who has signed in; the log-in itself has tests of its own."""
        client = Client()
        client.force_login(user)
        return self.people.page(who, path, session=client.cookies[house_settings.SESSION_COOKIE_NAME].value, **more)

    def mail(self, address: str, word: str) -> str:
        """The newest mail to an address that says the word, after the outbox was emptied."""
        outbox_services.drain_all(now=self.clock.at)
        found = [" ".join(mail.body.split()) for mail in self.mails if mail.to == [address]]
        matching = [text for text in found if word in text]
        assert matching, f"{word!r} is in none of {found}"
        return matching[-1]

    def link(self, address: str, kind: str, word: str = "") -> str:
        """The link of a kind in a mail to an address."""
        text = self.mail(address, word or f"/{kind}/")
        found = re.search(rf"http://\S+/{kind}/[\w-]+/", text)
        assert found is not None, text
        return found[0]

    def fill_in(self, page: Page, name: str, email: str, **more: str) -> None:
        """Who one is, on a form."""
        page.locator("#id_given_name").fill(name)
        page.locator("#id_email").fill(email)
        page.locator("#id_category").select_option(more.pop("category", "civil_society"))
        for field, value in more.items():
            page.locator(f"#id_{field}").fill(value)

    def send(self, page: Page, *admissions: Admission) -> list[str]:
        """Tick what one comes to and send the form: the outcomes as the answer tells them."""
        for admission in admissions:
            page.locator(f'input[value="{admission.public_id}"]').check()
        page.get_by_role("button", name="Send the registration").click()
        page.wait_for_url("**/received/**")
        return page.locator(".told .tag").all_inner_texts()

    def register(self, name: str, email: str, *admissions: Admission, **more: Any) -> Page:
        """Register without ado, and come to the personal page by the link in the mail."""
        page = self.people.page(email, "/en/alliance/register/", **more)
        self.fill_in(page, name, email)
        self.send(page, *admissions)
        return self.personal(page, email)

    def personal(self, page: Page, email: str) -> Page:
        """The own page, by the link of the first mail."""
        if email not in self.own:
            self.own[email] = self.link(email, "r")
        page.goto(self.own[email])
        return page

    def choice(self, page: Page, admission: Admission) -> Any:
        """What the personal page says about one choice."""
        title = admission.session.title if admission.session else self.conference.title
        mode = admission.get_mode_display()
        return page.locator(".told > li", has=page.get_by_role("heading", name=str(title))).filter(has_text=mode)

    def status(self, page: Page, admission: Admission) -> str:
        """The word of one choice on the personal page."""
        page.reload()
        return str(self.choice(page, admission).locator(".tag").inner_text())


@pytest.fixture
def life(
    browser: Browser, live_server: LiveServer, settings: Any, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Life]:
    """The conference two weeks before it begins."""
    settings.ALLOWED_HOSTS = ["*"]
    settings.SECOND_FACTOR_REQUIRED = False
    settings.SITE_URL = live_server.url
    monkeypatch.setattr(private_pages, "_STEP", 1e-6)
    monkeypatch.setattr(doorbell, "ring", lambda: None)
    selectors.forget()
    clock = Clock(START)
    with crowd(browser, live_server.url, clock, monkeypatch) as people:
        yield Life(people, clock, mailoutbox)
    selectors.forget()


# --- the chapters -----------------------------------------------------------------------------------------------------


def delegation_page(life: Life) -> Page:
    """Where the focal point works."""
    page = life.sign_in("focal", life.focal, "/en/delegations/")
    page.get_by_role("link", name="Zedland").click()
    return page


def nominate_eight(life: Life) -> None:
    """The focal point pastes the list."""
    page = delegation_page(life)
    page.get_by_role("link", name="Nominate many at once").click()
    page.get_by_label("List", exact=False).first.fill(EIGHT)
    page.get_by_role("button", name="Check the list").click()
    page.get_by_role("button", name="Nominate all of them").click()
    page.get_by_text("8 members, 0 confirmed").wait_for()
    assert page.get_by_text("· A place is held ·").count() == 8


def rosa_registers(life: Life) -> Page:
    """Under an alias, on a phone without scripts: every question shows, and what is not asked is dropped."""
    page = life.people.page("rosa", "/en/alliance/register/", size=PHONE, javascript=False)
    life.fill_in(page, "Rosalinde", ROSAS_MAIL, alias=ALIAS, family_name=CANARY, category="survivor_network")
    assert page.get_by_text("Workshop").count() == 1  # named, and not offered
    page.locator(f"input[name={life.by_train.name}][value=no]").check()
    page.locator(f"[name={life.station.name}]").fill("In Villach")
    assert life.send(page, life.whole, life.data) == ["Confirmed", "Confirmed"]
    life.personal(page, ROSAS_MAIL)
    assert page.locator(".lede").inner_text() == ALIAS
    assert page.get_by_text("Do you come by train?").count() == 1
    assert page.get_by_text("In Villach").count() == 0
    return page


def paul_registers(life: Life) -> Page:
    """For three things with scripts; two of them are at the same time, and one of those is taken."""
    page = life.people.page("paul", "/en/alliance/register/")
    life.fill_in(page, "Paul", "paul@mail.example", family_name="Public", function="Clerk")
    station = page.locator(f"[name={life.station.name}]")
    assert station.is_hidden()
    page.locator(f"input[name={life.by_train.name}][value=yes]").check()
    station.fill("In Bruck")
    page.locator("[name=consent-photo]").check()
    picture(page, "three-events")
    assert life.send(page, life.whole, life.trust, life.data) == ["Confirmed", "Confirmed", "On the waiting list"]
    picture(page, "received")
    life.personal(page, "paul@mail.example")
    assert "number 1 in line" in life.choice(page, life.data).inner_text()
    assert page.get_by_text("In Bruck").count() == 1
    assert page.get_by_text("You agree", exact=True).count() == 1
    return page


def quentin_waits_and_attends_online(life: Life) -> Page:
    """The room is full: on-line meanwhile, and the place in line stays."""
    page = life.register("Quentin", "quentin@mail.example", life.trust, size=PHONE)
    picture(page, "landing-on-the-list")
    page.get_by_role("button", name="Attend on-line meanwhile").click()
    page.get_by_text("keep your place in line for the room").first.wait_for()
    assert life.status(page, life.trust_online) == "Confirmed"
    assert "number 1 in line" in life.choice(page, life.trust).inner_text()
    return page


def ines_is_invited(life: Life, organiser: Page) -> None:
    """The organiser invites her to what is by invitation only; the link of the mail leads to the form."""
    organiser.goto(life.people.url + reverse("admin:events_conference_invitations", args=[life.conference.pk]))
    organiser.locator("#id_given_name").fill("Ines")
    organiser.locator("#id_family_name").fill("Invited")
    organiser.locator("#id_email").fill("ines@office.example")
    organiser.locator(f'input[value="{life.workshop.public_id}"]').check()
    organiser.get_by_role("button", name="Invite", exact=True).click()
    organiser.locator(".messagelist .success").wait_for()

    page = life.people.page("ines", life.link("ines@office.example", "i"), size=PHONE, scheme="dark")
    page.get_by_role("heading", name="Workshop").wait_for()
    picture(page, "invitation")
    page.get_by_role("link", name="Accept and register").click()
    assert page.locator("#id_given_name").input_value() == "Ines"
    page.locator("#id_category").select_option("international_organisation")
    assert life.send(page, life.workshop) == ["Confirmed"]
    life.personal(page, "ines@office.example")
    assert life.status(page, life.workshop) == "Confirmed"
    page.goto(life.link("ines@office.example", "i"))
    page.get_by_text("This invitation is answered already.").wait_for()
    assert page.get_by_text("Ines").count() == 0


def members_answer(life: Life) -> None:
    """Two come as members; one of them agrees to be named."""
    for number, listed in ((1, True), (4, False)):
        address = f"member{number}@state.example"
        page = life.people.page(address, life.link(address, "d"), size=PHONE, scheme="dark")
        page.get_by_label("Name me in the list of participants").set_checked(listed)
        page.get_by_role("button", name="Yes, I will come as a member").click()
        page.get_by_text("Thank you: your answer is kept.").wait_for()


def waiting_list(life: Life) -> Page:
    """The line for the conference, as an organiser sees it."""
    page = life.sign_in(
        "organiser", life.organiser, reverse("admin:events_conference_waiting-lists", args=[life.conference.pk])
    )
    page.get_by_role("link", name="Alliance Conference · In person").click()
    page.locator("th", has_text="Wanda").wait_for()
    picture(page, "waiting-list")
    return page


def withdraw(focal: Page, name: str) -> None:
    """End one nomination."""
    focal.locator(".members > li", has_text=name).get_by_role("link").click()
    focal.get_by_role("button", name="Withdraw").click()
    focal.get_by_text("The nomination is withdrawn").wait_for()


def one_is_replaced_and_two_withdrawn(life: Life, wanda: Page) -> None:
    """Replacing keeps the seat; withdrawing frees it, and the next in line who may have it moves up and is told."""
    organiser = waiting_list(life)
    focal = delegation_page(life)
    focal.get_by_text("8 members, 2 confirmed").wait_for()
    focal.locator(".members > li", has_text="Lena Member2").get_by_role("link").click()
    focal.get_by_label("Given name").fill("Nora")
    focal.get_by_label("Family name").fill("Newcomer")
    focal.get_by_label("E-mail address").fill("nora@state.example")
    focal.get_by_role("button", name="Replace").click()
    focal.get_by_text("The place has passed on.").wait_for()
    assert focal.get_by_text("· A place is held ·").count() == 8
    assert life.status(wanda, life.whole) == "On the waiting list"

    withdraw(focal, "Lena Member3")  # a seat of the reserve: no delegation waits for it, and nobody else gets it
    assert life.status(wanda, life.whole) == "On the waiting list"
    organiser.reload()
    organiser.get_by_text("The free seats are reserved for others").wait_for()
    withdraw(focal, "Lena Member8")  # one of those for everybody
    assert "a place has become free" in life.mail("wanda@mail.example", "free")
    assert life.status(wanda, life.whole) == "Confirmed"
    assert life.mail("member8@state.example", "withdrawn")


def rosa_gives_a_place_back_and_two_swap(life: Life, rosa: Page, paul: Page, quentin: Page) -> None:
    """What Rosa frees is offered to Paul, who holds a clashing place and swaps; that one is offered to Quentin."""
    life.personal(rosa, ROSAS_MAIL)
    life.choice(rosa, life.data).get_by_role("link", name="Cancel").click()
    rosa.get_by_role("button", name="Yes, cancel it").click()
    rosa.get_by_text("It is cancelled.").wait_for()

    assert life.mail("paul@mail.example", "You hold another place at the same time")
    assert life.status(paul, life.data) == "A place is offered"
    picture(paul, "offer")
    paul.get_by_role("button", name="Swap: take the new place").click()
    paul.get_by_text("The place is yours.").wait_for()
    assert life.status(paul, life.data) == "Confirmed"
    assert life.status(paul, life.trust) == "Cancelled"

    assert life.status(quentin, life.trust) == "A place is offered"
    quentin.get_by_role("button", name="Swap: take the new place").click()
    quentin.get_by_text("The place is yours.").wait_for()
    assert life.status(quentin, life.trust) == "Confirmed"
    assert life.status(quentin, life.trust_online) == "Cancelled"


def paul_looks_after_his_data(life: Life, paul: Page) -> None:
    """Corrects a word, takes his data away, takes a consent back."""
    life.personal(paul, "paul@mail.example")
    paul.get_by_role("link", name="Correct what you told us").click()
    paul.locator("#id_function").fill("Head of unit")
    paul.get_by_role("button", name="Save").click()
    paul.get_by_text("Your data is saved as you wrote it.").wait_for()
    paul.get_by_role("link", name="See and download").click()
    with paul.expect_download() as download:
        paul.get_by_role("link", name="Download the file").click()
    kept = json.dumps(json.loads(download.value.path().read_text()), ensure_ascii=False)
    assert [word in kept for word in ("Head of unit", "paul@mail.example", "In Bruck", "Rosa")] == [True] * 3 + [False]
    life.personal(paul, "paul@mail.example")
    paul.get_by_role("button", name="Take it back").click()
    paul.get_by_text("Taken back", exact=True).wait_for()


def organiser_looks_and_publishes(life: Life, organiser: Page) -> None:
    """At the lists of people; the list of participants is published and names who agreed."""
    for path in ("/admin/registration/participant/", "/admin/registration/registration/"):
        organiser.goto(life.people.url + path)
        organiser.locator("#result_list", has_text=ALIAS).wait_for()
    organiser.goto(life.people.url + reverse("admin:events_conference_delegations", args=[life.conference.pk]))
    organiser.locator("[name=published]").check()
    organiser.locator("form:has([name=published]) [type=submit]").click()
    organiser.locator("[name=published][checked]").wait_for()
    page_cache.forget()
    reader = life.people.page("reader", "/en/alliance/participants/", size=PHONE)
    assert reader.locator(".members h3").all_inner_texts() == ["Lena Member1"]


def steward_lets_in(life: Life, codes: dict[str, str]) -> None:
    """Five minutes before: typed codes at the door of a side event, and at the entrance without a connection."""
    page = life.sign_in("steward", life.steward, "/en/alliance/door/", size=PHONE, complains=False)
    page.clock.set_system_time(life.clock.at)
    page.get_by_role("link", name="Data").click()
    read(page, codes["rosa"])
    page.locator(".answer--bad").wait_for()  # she gave that place back
    read(page, codes["paul"].lower())
    page.get_by_text("Paul Public").wait_for()
    picture(page, "door")

    page.goto(f"{life.people.url}/en/alliance/door/_entrance/")
    page.context.set_offline(True)
    read(page, codes["rosa"])
    page.get_by_text("1 kept on this device").wait_for()
    page.context.set_offline(False)  # what was kept leaves by itself; the button is for who does not want to wait
    page.locator("[data-door-queue]").wait_for(state="hidden")
    assert page.locator("[data-door-here]").inner_text() == "1"
    read(page, codes["rosa"])
    page.get_by_text("Already in").wait_for()
    assert page.locator(".answer-name").inner_text() == ALIAS


def paul_shows_his_certificate(life: Life, paul: Page) -> None:
    """The file lists where he was; its code says so to whoever has it, and no name."""
    life.personal(paul, "paul@mail.example")
    with paul.expect_download() as download:
        paul.get_by_role("link", name="Download (PDF)").click()
    printed = PdfReader(io.BytesIO(download.value.path().read_bytes()))
    text = " ".join(sheet.extract_text() for sheet in printed.pages)
    assert "Paul Public" in text
    assert "Data" in text
    assert "Trust" not in text
    found = re.search(r"Code: ([\w-]+)", text)
    assert found is not None, text
    page = life.people.page("reader", f"/verify/{found[1]}/")
    page.get_by_text("This certificate is valid.").wait_for()
    assert page.get_by_text("Paul").count() == 0
    page.get_by_label("Name on the certificate").fill("paul public")
    page.get_by_role("button", name="Compare the name").click()
    page.get_by_text("Yes, the certificate bears this name.").wait_for()
    picture(page, "verified")


def rosa_is_deleted(life: Life, rosa: Page) -> None:
    """She looks at all that is kept of her, and has it deleted by two buttons; then her link is dead."""
    life.personal(rosa, ROSAS_MAIL)
    rosa.get_by_role("link", name="See and download").click()
    rosa.get_by_role("link", name="Back", exact=True).click()
    rosa.get_by_role("link", name="Delete everything").click()
    picture(rosa, "delete")
    rosa.get_by_role("button", name="Yes, delete everything").click()
    rosa.wait_for_url("**/r/deleted/**")
    assert rosa.request.get(life.own[ROSAS_MAIL]).status == 404


def test_the_whole_life(life: Life) -> None:
    nominate_eight(life)
    rosa, paul = rosa_registers(life), paul_registers(life)
    wanda = life.register("Wanda", "wanda@mail.example", life.whole)
    quentin = quentin_waits_and_attends_online(life)
    organiser = life.sign_in("organiser", life.organiser, "/admin/")
    ines_is_invited(life, organiser)
    members_answer(life)
    organiser_looks_and_publishes(life, organiser)
    life.clock.move(START + timedelta(days=3))
    one_is_replaced_and_two_withdrawn(life, wanda)
    rosa_gives_a_place_back_and_two_swap(life, rosa, paul, quentin)
    paul_looks_after_his_data(life, paul)

    life.clock.move(DAY_ONE + timedelta(hours=9, minutes=55))
    life.personal(paul, "paul@mail.example")
    picture(paul, "five-minutes-before")
    assert "Data" in paul.locator(".told > li").first.inner_text()
    life.personal(rosa, ROSAS_MAIL)
    codes = {who: page.locator(".ticket-code").inner_text() for who, page in (("rosa", rosa), ("paul", paul))}
    steward_lets_in(life, codes)

    life.clock.move(DAY_ONE + timedelta(days=4))
    paul_shows_his_certificate(life, paul)
    rosa_is_deleted(life, rosa)
    assert [life.people.told(word) for word in (CANARY, "Rosalinde", ROSAS_MAIL)] == [{"rosa"}] * 3
    assert {mail.to[0] for mail in life.mails if CANARY in str(mail.message())} <= {ROSAS_MAIL}
