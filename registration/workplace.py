"""What this app brings to the start page of a conference: people who wait, places, work that consents and letters make.

Counts run over indexes (admission and status first), so that they stay quick beside a million registrations.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Count, Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from alliance.admin.lists import list_url
from events import workplace
from events.models import Conference
from events.workplace import Need, Step, page_url
from registration.models import (
    Admission,
    Announcement,
    AnnouncementState,
    AttendanceMode,
    CredentialLetter,
    Invitation,
    InvitationState,
    JoinNetwork,
    MailBounce,
    Membership,
    Participant,
    Registration,
    RegistrationStatus,
    TakeDown,
    Verification,
)
from registration.models.delegation_member import ACTIVE_STATES
from registration.services import links
from video.models import MeetingState

SOON = timedelta(hours=24)  # before an offer expires

FREE, NEARLY_FULL, OVER, MEETING = "free", "full", "over", "meeting"


def admission_needs(now: datetime) -> dict[str, Q]:
    """What admissions may need, by the value of the list's filter: conditions on their rows."""
    things = Q(session__isnull=True) | ~Q(session__state="cancelled")
    goes_on = things & (Q(session__isnull=True) | Q(session__ends_at__isnull=True) | Q(session__ends_at__gt=now))
    lets_in = goes_on & Q(is_closed=False)
    ready = Q(session__meeting__state=MeetingState.READY) | Q(
        session__isnull=True, conference__meeting__state=MeetingState.READY
    )
    return {
        FREE: goes_on & Q(places__waiting__gt=0, places__capacity__gt=F("places__taken") + F("places__held")),
        NEARLY_FULL: lets_in
        & Q(places__capacity__gte=F("places__taken"), places__taken__gte=F("places__capacity") * 0.9)
        & Q(places__capacity__gt=0),
        OVER: goes_on & Q(places__taken__gt=F("places__capacity")),
        MEETING: goes_on & Q(mode=AttendanceMode.ONLINE) & ~ready,
    }


def register() -> None:
    """Called when the app is ready."""
    workplace.register_needs("registrations", 10, "registration.view_registration", of_registrations)
    workplace.register_needs("links", 15, "registration.view_registration", of_links)
    workplace.register_needs("admissions", 20, "registration.view_admission", of_admissions)
    workplace.register_needs("take-downs", 30, "registration.view_takedown", of_consents)
    workplace.register_needs("invitations", 31, "registration.change_invitation", of_invitations)
    workplace.register_needs("delegations", 32, "registration.change_delegation", of_delegations)
    workplace.register_needs("announcements", 33, "registration.change_announcement", of_announcements)
    workplace.register_needs("figures", 80, "registration.change_figure", of_figures)
    workplace.register_steps("admissions", 50, "registration.change_admission", about_admissions)
    workplace.register_steps("meetings", 60, "video.change_meeting", about_meetings)
    workplace.register_steps(workplace.LAST_STEP, 90, "registration.change_admission", about_opening)


def _registrations(conference: Conference, **query: str) -> str:
    return f"{list_url(Registration)}?{urlencode({'admission__conference__id__exact': str(conference.pk), **query})}"


def _admissions(conference: Conference, need: str = "") -> str:
    query = {"conference__id__exact": str(conference.pk), **({"needs": need} if need else {})}
    return f"{list_url(Admission)}?{urlencode(query)}"


def of_registrations(conference: Conference, now: datetime) -> Iterator[Need]:
    """Approvals, offers about to expire, people whose mails come back. Two queries."""
    until = now + SOON
    waiting = Registration.objects.filter(
        admission__in=Admission.objects.filter(conference=conference),
        status__in=[RegistrationStatus.PENDING, RegistrationStatus.OFFERED],
    ).aggregate(
        pending=Count("pk", filter=Q(status=RegistrationStatus.PENDING)),
        expiring=Count("pk", filter=Q(status=RegistrationStatus.OFFERED, offer_expires_at__lt=until)),
    )
    yield Need(
        "pending",
        waiting["pending"],
        _("Registrations wait for approval: approve or reject them."),
        _registrations(conference, status__exact=RegistrationStatus.PENDING.value),
        is_urgent=True,
    )
    yield Need(
        "offers",
        waiting["expiring"],
        _("Offered places expire within a day: whoever does not answer loses theirs to the next in line."),
        _registrations(
            conference,
            status__exact=RegistrationStatus.OFFERED.value,
            offer_expires_at__lt=f"{until:%Y-%m-%dT%H:%M:%SZ}",
        ),
    )
    came_back = MailBounce.objects.current().filter(participant__conference=conference)
    yield Need(
        "bounced",
        Registration.objects.filter(
            participant__in=came_back.values("participant"), admission__conference=conference
        ).count(),
        _("Registrations belong to people whose mails come back: find out the right address."),
        _registrations(conference, bounced="any"),
        is_urgent=True,
    )


def of_links(conference: Conference, now: datetime) -> Iterator[Need]:
    """Links to join that go round. One query."""
    of_it = JoinNetwork.objects.filter(
        registration__admission__conference=conference,
        registration__status__in=[RegistrationStatus.CONFIRMED, RegistrationStatus.ATTENDED],
    )
    many = of_it.values("registration", "hour").annotate(number=Count("pk")).filter(number__gte=links.MANY)
    yield Need(
        "links",
        Registration.objects.filter(pk__in=many.values("registration")).count(),
        _("Links to join were used from many networks within an hour: ask the person, and replace the link."),
        page_url("joining", conference),
        is_urgent=True,
    )


def of_admissions(conference: Conference, now: datetime) -> Iterator[Need]:
    """Places and meetings. One query."""
    if workplace.is_over(conference, now):
        return
    conditions = admission_needs(now)
    found = Admission.objects.filter(conference=conference).aggregate(
        **{name: Count("pk", filter=condition, distinct=True) for name, condition in conditions.items()}
    )
    texts = {
        FREE: _("Waiting lists have free seats: look why nobody moves up, then promote or change the capacity."),
        NEARLY_FULL: _("Admissions are full or nearly full: find more places, or close registration."),
        OVER: _("Admissions have more people than places: raise the capacity or speak with people."),
        MEETING: _("On-line admissions have no meeting that is ready: enter its address or ask the platform."),
    }
    for name, text in texts.items():
        yield Need(name, found[name], text, _admissions(conference, name), is_urgent=name in (FREE, OVER))


def of_consents(conference: Conference, now: datetime) -> Iterator[Need]:
    """What must be taken down. One query."""
    yield Need(
        "take-downs",
        TakeDown.objects.filter(participant__conference=conference, done_at__isnull=True).count(),
        _("Consents were withdrawn: take down what was made with them, then tick it off."),
        page_url("consents", conference),
        is_urgent=True,
    )


def of_invitations(conference: Conference, now: datetime) -> Iterator[Need]:
    """Invitations that can still be answered. One query."""
    yield Need(
        "invitations",
        Invitation.objects.filter(conference=conference, state=InvitationState.SENT, expires_at__gt=now).count(),
        _("Invitations have no answer yet: remind people before the time runs out."),
        f"{page_url('invitations', conference)}?state={InvitationState.SENT.value}",
    )


def of_delegations(conference: Conference, now: datetime) -> Iterator[Need]:
    """Members to verify, of delegations that have sent a letter. One query."""
    letters = CredentialLetter.objects.filter(delegation=OuterRef("delegation"))
    yield Need(
        "credentials",
        Membership.objects.filter(
            Exists(letters),
            delegation__conference=conference,
            state__in=ACTIVE_STATES,
            verification=Verification.OPEN,
        ).count(),
        _("Members of delegations with a credential letter are not verified yet: compare them with the letter."),
        f"{page_url('delegations', conference)}?verification={Verification.OPEN.value}",
    )


def of_announcements(conference: Conference, now: datetime) -> Iterator[Need]:
    """Messages that need a second organiser. One query."""
    waiting = list(
        Announcement.objects.filter(conference=conference, state=AnnouncementState.WAITING).values_list(
            "public_id", flat=True
        )
    )
    only = len(waiting) == 1
    yield Need(
        "announcements",
        len(waiting),
        _("Messages wait for a second organiser: read and release them, or recall them."),
        page_url("message", conference, message=waiting[0]) if only else page_url("messages", conference),
        is_urgent=True,
    )


def of_figures(conference: Conference, now: datetime) -> Iterator[Need]:
    """Figures of a conference that is over. Two queries at most."""
    ends_at = conference.ends_at
    if ends_at is None or ends_at > now or conference.public_figures.exists():
        return
    somebody = Participant.objects.filter(conference=conference).exists()
    text = _("The conference is over, and its figures are not public: check and release them.")
    yield Need("figures", int(somebody), text, page_url("figures", conference))


# --- steps -----------------------------------------------------------------------------------------------------------


def about_admissions(conference: Conference, now: datetime) -> Iterator[Step]:
    """There are admissions, and those in person have a capacity. One query."""
    found = Admission.objects.filter(conference=conference).aggregate(
        all=Count("pk"),
        endless=Count("pk", filter=Q(mode=AttendanceMode.IN_PERSON, places__capacity__isnull=True)),
    )
    yield Step(
        "admissions",
        _("Admissions and places"),
        _("Say who may attend what and in which way; give every admission in person a capacity."),
        _admissions(conference),
        found["all"] > 0 and found["endless"] == 0,
    )


def about_meetings(conference: Conference, now: datetime) -> Iterator[Step]:
    """Every on-line admission leads somewhere. One query."""
    missing = Admission.objects.filter(admission_needs(now)[MEETING], conference=conference)
    online = Admission.objects.filter(conference=conference, mode=AttendanceMode.ONLINE)
    counted = {"all": online.count(), "missing": missing.count()}
    yield Step(
        "meetings",
        _("Meetings"),
        _("Give what people attend on-line a meeting: an address, or a room on a platform."),
        _admissions(conference, MEETING) if counted["missing"] else reverse("admin:video_meeting_changelist"),
        counted["missing"] == 0 and (counted["all"] > 0 or conference.format == "in_person"),
        is_optional=True,
    )


def about_opening(conference: Conference, now: datetime) -> Iterator[Step]:
    """Somebody can register. One query."""
    admissions = Admission.objects.filter(conference=conference).select_related("conference", "session")
    yield Step(
        "open",
        _("Registration open"),
        _("Set when registration opens; with the first release people find the form on the public page."),
        _admissions(conference),
        conference.state != "draft" and any(admission.is_open_to_invited(now) for admission in admissions),
    )
