"""The letters of registration for the catalogue: what can stand in each, and a real row to look at one with."""

from __future__ import annotations

from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext_lazy as _

from events.releases.reading import published
from outbox import catalogue
from outbox.catalogue import Kind, LetterKind, Placeholder, Values
from outbox.letters import Link
from registration import selectors
from registration.letters import emails
from registration.models import Participant, Registration

NOBODYS_LINK = Link("https://example.org/the-personal-link/")

NAME = Placeholder("name", _("The display name: the alias where somebody has one."), "Maria Rossi")
CONFERENCE = Placeholder("conference", _("The title of the conference."), _("Annual conference"))
PAGE = Placeholder("page", _("The address of the personal page."), NOBODYS_LINK, kind=Kind.LINK, is_required=True)
QUESTIONS = Placeholder(
    "questions", _("Where to ask, if the conference has an address for it."), "office@example.org", kind=Kind.PART
)
CHOICES = Placeholder(
    "choices",
    _("What the person registered for: title, time on both clocks, place, and how it stands."),
    _("Opening session, Tuesday, 10:00"),
    kind=Kind.PART,
    is_required=True,
)
CHANGES = Placeholder(
    "changes", _("What is new, line by line."), _("New time: 11:00"), kind=Kind.PART, is_required=True
)
JOIN = Placeholder(
    "join", _("The address of the personal link to join."), NOBODYS_LINK, kind=Kind.LINK, is_required=True
)
DELEGATION = Placeholder("delegation", _("The delegation."), _("Delegation"))

_USUAL = (NAME, CONFERENCE, CHOICES, PAGE, QUESTIONS)


@published
def sample(conference_id: int, participant: UUID | None, language: str) -> Values | None:
    """The values of one participant of the conference, the first one unless named. No link in them leads anywhere."""
    found = Participant.objects.filter(conference=conference_id, identity_key__isnull=False).select_related(
        "conference__venue"
    )
    if participant is not None:
        found = found.filter(public_id=participant)
    chosen = found.order_by("pk").first()
    if chosen is None:
        return None
    registrations = list(Registration.objects.with_all().live().filter(participant=chosen).order_by("pk"))
    ranks = selectors.places_in_line(registrations)
    with translation.override(language):
        choices = [emails.choice(registration, ranks.get(registration.pk)) for registration in registrations]
        return emails.values(chosen, choices) | {"page": NOBODYS_LINK}


def _letter(
    name: str,
    title: catalogue.Words,
    sent_when: catalogue.Words,
    *more: Placeholder,
    usual: tuple[Placeholder, ...] = _USUAL,
) -> LetterKind:
    return LetterKind(name, title, sent_when, f"registration/mail/{name}.md", (*usual, *more), sample)


LETTERS = (
    _letter("received", _("Registration received"), _("At once, after a form; says how each choice stands.")),
    _letter("confirmed", _("Registration approved"), _("When an organiser approves and there is a place.")),
    _letter("waiting_list", _("On the waiting list"), _("When an organiser approves and all places are taken.")),
    _letter("promoted", _("A place has become free"), _("When somebody moves up from the waiting list.")),
    _letter("offered", _("A place is offered"), _("When a place is offered for a time to the first in line.")),
    _letter(
        "keep_or_swap",
        _("Which of two places"),
        _("When a place comes free for somebody who holds another at the same time."),
    ),
    _letter("offer_accepted", _("Offered place accepted"), _("When somebody accepts a place that was offered.")),
    _letter("offer_expired", _("Offer expired"), _("When nobody accepts an offered place in time.")),
    _letter("rejected", _("Not admitted"), _("When an organiser declines.")),
    _letter("cancelled", _("Registration cancelled"), _("When the person or an organiser cancels.")),
    _letter("stands_again", _("Registration stands again"), _("When an organiser undoes cancelling or declining.")),
    _letter("changed", _("Registration changed"), _("For any other change of a registration.")),
    _letter(
        "confirm_asked",
        _("Something to confirm"),
        _("When a form with a registered address asks for something more."),
    ),
    _letter("known_address", _("Address used again"), _("When a form is sent with a registered address.")),
    _letter(
        "personal_link",
        _("Personal link, again"),
        _("When somebody asks for their link."),
        usual=(NAME, CONFERENCE, PAGE, QUESTIONS),
    ),
    _letter("join_link", _("Link to join"), _("A day before the door opens, to confirmed people on-line."), JOIN),
    _letter(
        "programme_changed",
        _("Something has changed"),
        _("When a release changes time, platform or place of what somebody registered for."),
        CHANGES,
    ),
    _letter(
        "called_off",
        _("Cancelled by us"),
        _("When a release cancels what somebody registered for."),
        CHANGES,
    ),
    _letter(
        "delegation_nominated",
        _("Nominated by a delegation"),
        _("When a focal point nominates somebody."),
        DELEGATION,
        Placeholder("capacity", _("The capacity in the delegation."), _("Adviser")),
        Placeholder("mode", _("In person or on-line."), _("In person")),
        Placeholder("place", _("Whether a place is held."), _("A place is held for you.")),
        usual=(NAME, CONFERENCE, PAGE, QUESTIONS),
    ),
    _letter(
        "delegation_ended",
        _("Nomination ended"),
        _("When a nomination is withdrawn or replaced."),
        DELEGATION,
        Placeholder(
            "ending", _("What has happened."), _("the delegation has withdrawn your nomination."), is_required=True
        ),
        usual=(NAME, CONFERENCE, QUESTIONS),
    ),
    _letter(
        "moved_to_top",
        _("Moved up on the waiting list"),
        _("When an organiser moves somebody to the top of a waiting list."),
    ),
    _letter("merged", _("Two registrations made one"), _("When an organiser makes one of somebody's two rows.")),
    _letter(
        "address_notice",
        _("Another address wanted"),
        _("At once, to the present address, when somebody wants mail to go to another."),
        usual=(NAME, CONFERENCE, PAGE, QUESTIONS),
    ),
    # To an address that may be anybody's, and to somebody of whom nothing is left: no name, and no row to look at.
    LetterKind(
        "address_confirm",
        _("New address to confirm"),
        _("At once, to an address that somebody wants mail to go to."),
        "registration/mail/address_confirm.md",
        (PAGE,),
    ),
    LetterKind(
        "farewell",
        _("Data deleted"),
        _("When somebody has deleted their data: the last mail to them."),
        "registration/mail/farewell.md",
        (
            CONFERENCE,
            Placeholder(
                "proof",
                _("The proof of deletion: its code, and the page behind it."),
                "AB3D-EFGH-4JKM-NPQR",
                kind=Kind.PART,
            ),
            QUESTIONS,
        ),
    ),
)


def register() -> None:
    """Called when the app is ready."""
    catalogue.register(*LETTERS)


__all__ = ["LETTERS", "NOBODYS_LINK", "register", "sample"]
