"""The list of participants by delegation, credentials and letters: order, consent, the stamp, who may read what."""

from __future__ import annotations

import re
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import actors
from accounts.models import AuditEntry
from registration.delegations import listing as delegation_listing
from registration.models import CredentialLetter, Delegation, Membership, Participant, ParticipantList, Verification
from registration.services import credentials, delegations, erasure, protection
from tests.factories import NOW, AdmissionFactory, CountryFactory, DelegationFactory, OrganisationFactory, UserFactory
from tests.registration.test_delegation_views import address, focal_point, text
from tests.registration.test_delegations import nominate, nominee

pytestmark = pytest.mark.django_db(transaction=True)

PDF = b"%PDF-1.7 letter"


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def delegation() -> Delegation:
    """The delegation of a State late in protocol order."""
    made: Delegation = DelegationFactory(country=CountryFactory(name={"en": "Zedland"}, protocol_order=9))
    AdmissionFactory(session=None, conference=made.conference, mode="in_person")
    return made


@pytest.fixture
def organiser() -> Client:
    """A browser in which an administrator has signed in."""
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def join(delegation: Delegation, number: int, *, is_listed: bool = True, **more: Any) -> Membership:
    """A confirmed member."""
    (made,) = nominate(delegation, nominee(number, **more))
    delegations.confirm(membership_id=made.membership.pk, is_listed=is_listed, now=NOW)
    return made.membership


def names(delegation: Delegation) -> list[tuple[str, list[str]]]:
    """The list as group names and names."""
    listing = delegation_listing.of(delegation.conference)
    return [(group.name, [line.name for line in group.lines]) for group in listing.groups]


def stamp(delegation: Delegation, *, is_final: bool = False, is_published: bool = False) -> None:
    """Stamp by the service."""
    delegation_listing.stamp(
        conference=delegation.conference, is_final=is_final, is_published=is_published, by=actors.SYSTEM, now=NOW
    )


# --- the list ---------------------------------------------------------------------------------------------------------


def test_protocol_order_and_only_those_who_agreed(delegation: Delegation) -> None:
    first = DelegationFactory(
        conference=delegation.conference, country=CountryFactory(name={"en": "Yland"}, protocol_order=1)
    )
    body = DelegationFactory(
        conference=delegation.conference, country=None, organisation=OrganisationFactory(name={"en": "A Body"})
    )
    silent = DelegationFactory(conference=delegation.conference)
    join(body, 1)
    join(delegation, 2)
    join(delegation, 3, capacity="head")
    join(delegation, 4, is_listed=False)
    nominate(delegation, nominee(5))
    join(first, 6)
    join(silent, 7, is_listed=False)

    assert names(delegation) == [
        ("Yland", ["Lena Member6"]),
        ("Zedland", ["Lena Member3", "Lena Member2"]),
        ("A Body", ["Lena Member1"]),
    ]


def test_final_list_stays_as_it_was_but_never_shows_who_left(delegation: Delegation) -> None:
    stays, leaves, erased = (join(delegation, number) for number in (1, 2, 3))
    stamp(delegation, is_final=True)
    join(delegation, 4)
    stays.participant.display_name = "Changed Later"
    stays.participant.save()
    delegations.confirm(membership_id=leaves.pk, is_listed=False, now=NOW)
    erasure.erase(participant_id=erased.participant_id, by=actors.SYSTEM, now=NOW)

    assert names(delegation) == [("Zedland", ["Lena Member1"])]
    assert delegation_listing.of(delegation.conference).final_at == NOW
    stamp(delegation)
    assert names(delegation) == [("Zedland", ["Changed Later", "Lena Member4"])]


def test_final_list_forgets_who_has_taken_an_alias_since(delegation: Delegation) -> None:
    member, _other = join(delegation, 1), join(delegation, 2)
    stamp(delegation, is_final=True, is_published=True)
    wanted = protection.Wanted(no_photo=True, alias="Kestrel")
    protection.protect(participant_id=member.participant_id, wanted=wanted, by=actors.PARTICIPANT, now=NOW)

    assert names(delegation) == [("Zedland", ["Lena Member2"])]
    kept = str(ParticipantList.objects.values_list("entries", flat=True).get())
    assert "Member2" in kept
    assert not [name for name in ("Lena Member1", "Kestrel") if name in kept]


def test_list_shows_neither_name_nor_alias_whatever_was_frozen_before(delegation: Delegation) -> None:
    member = join(delegation, 1)
    stamp(delegation, is_final=True, is_published=True)
    Participant.objects.filter(pk=member.participant_id).update(display_name="Kestrel", has_alias=True)

    assert "Lena" in str(ParticipantList.objects.values_list("entries", flat=True).get())
    assert names(delegation) == []
    stamp(delegation)
    assert names(delegation) == []


def test_refused_members_are_not_listed(delegation: Delegation) -> None:
    member = join(delegation, 1)

    credentials.verify(
        membership_id=member.pk,
        verification=Verification.REFUSED,
        reason="No letter.",
        by=actors.SYSTEM,
        now=NOW,
    )

    assert names(delegation) == []


def test_list_is_public_only_when_published(client: Client, delegation: Delegation) -> None:
    join(delegation, 1, function="=Minister")
    pages = [f"/en/{delegation.conference.slug}/participants{end}" for end in ("/", ".csv", ".pdf", ".xml")]

    assert [client.get(page).status_code for page in pages] == [404, 404, 404, 404]
    stamp(delegation, is_published=True)
    shown, as_csv, as_pdf, other = (client.get(page) for page in pages)

    assert "Lena Member1" in text(shown)
    assert "Provisional" in text(shown)
    assert (shown["Cache-Control"], shown["X-Robots-Tag"]) == ("no-store", "noindex, nofollow")
    assert as_csv.content.decode("utf-8-sig").splitlines()[1] == "Zedland,Adviser,Lena Member1,'=Minister"
    assert as_pdf.content.startswith(b"%PDF-")
    assert other.status_code == 404


# --- credentials ------------------------------------------------------------------------------------------------------


def test_letter_is_encrypted_and_read_by_organisers_alone(delegation: Delegation, organiser: Client) -> None:
    browser = focal_point(delegation)
    sent = browser.post(address(delegation, "letter/"), {"letter": SimpleUploadedFile("x.exe", PDF)})
    letter = CredentialLetter.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM registration_credentialletter")
        stored = cursor.fetchone()[0]
    page = f"/admin/events/conference/{delegation.conference_id}/delegations/letters/{letter.public_id}/"

    opened = organiser.get(page)

    assert sent.status_code == 303
    assert b"letter" not in stored.encode()
    assert (opened.content, opened["Content-Type"]) == (PDF, "application/pdf")
    assert opened["Content-Disposition"].startswith("attachment")
    assert "sandbox" in opened["Content-Security-Policy"]
    assert AuditEntry.objects.filter(action="delegation.letter_read").count() == 1
    assert browser.get(page).status_code != 200
    assert Client().get(page).status_code != 200


@pytest.mark.parametrize("data", [b"<html><script>", b"", b"PK\x03\x04", b"%PDF-" + b"x" * 5_000_000])
def test_other_files_and_large_ones_are_refused(delegation: Delegation, data: bytes) -> None:
    page = focal_point(delegation).post(
        address(delegation, "letter/"), {"letter": SimpleUploadedFile("letter.pdf", data, "application/pdf")}
    )

    assert page.status_code == 422
    assert "at most 5 MB" in text(page)
    assert not CredentialLetter.objects.exists()


def test_organisers_verify_and_stamp_on_one_page(delegation: Delegation, organiser: Client) -> None:
    member = join(delegation, 1)
    page = f"/admin/events/conference/{delegation.conference_id}/delegations/"

    organiser.post(page, {"member": member.public_id, "verification": "refused", "reason": ""})
    assert Membership.objects.get().verification == "open"
    organiser.post(page, {"member": member.public_id, "verification": "verified", "reason": ""})
    organiser.post(page, {"stamp": "1", "final": "on"})
    shown = organiser.get(page)

    assert Membership.objects.get().verification == "verified"
    assert "1 person agreed to be listed" in text(shown)
    assert re.search(r"Final, ", text(shown))
    assert organiser.get(f"{page}participants.csv").status_code == 200
    assert organiser.post(page, {"member": "x", "verification": "verified"}).status_code == 404


def test_members_of_another_conference_are_out_of_reach(delegation: Delegation, organiser: Client) -> None:
    other = DelegationFactory()
    AdmissionFactory(session=None, conference=other.conference, mode="in_person")
    member = join(other, 1)

    page = organiser.post(
        f"/admin/events/conference/{delegation.conference_id}/delegations/",
        {"member": member.public_id, "verification": "verified"},
    )

    assert page.status_code == 404


def test_admin_page_costs_the_same_with_many_delegations(delegation: Delegation, organiser: Client) -> None:
    page = f"/admin/events/conference/{delegation.conference_id}/delegations/"
    join(delegation, 1)
    organiser.get(page)
    with CaptureQueriesContext(
        connection,
    ) as few:
        organiser.get(page)
    for number in range(2, 6):
        join(DelegationFactory(conference=delegation.conference), number)
    with CaptureQueriesContext(connection) as many:
        organiser.get(page)

    assert len(many) == len(few)
