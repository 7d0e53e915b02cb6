"""The record of processing of a conference: purposes, data, recipients, periods and safeguards, from the settings.

Nothing here is written by hand for one conference. A purpose stands in the record because something of it is switched
on, who reads comes from the table of roles, and periods are those that the house really keeps to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import RoleKind
from accounts.permissions import TABLE, Area, Level
from alliance import dates
from events.models import Conference
from registration import consent_wordings, retention
from registration.models import Admission, Delegation, Question, Readers, WebhookSubscription
from registration.services import consents, data_life
from video.models import Meeting, PlatformPrivacy


@dataclass(frozen=True, slots=True)
class Part:
    """A table of the record."""

    heading: str
    head: list[str]
    widths: list[int]
    rows: list[list[str]]


def record(conference: Conference, *, now: datetime) -> list[Part]:
    """The whole record in the active language. Some ten queries."""
    return [
        _controller(conference),
        _purposes(conference),
        _asked(conference),
        _readers(),
        _recipients(conference),
        _periods(conference, now=now),
        _safeguards(conference),
    ]


def _controller(conference: Conference) -> Part:
    until = dates.day(conference.ends_on, with_weekday=False) if conference.ends_on else "–"
    rows = [
        [_("Conference"), str(conference.title)],
        [_("Last day"), until],
        [_("Questions about data go to"), conference.contact_email or settings.DEFAULT_FROM_EMAIL],
        [_("Address of the service"), settings.SITE_URL],
    ]
    return Part(_("Who is responsible"), [_("What"), _("Value")], [2, 5], rows)


def _purposes(conference: Conference) -> Part:
    person = _("name, alias, e-mail address, group, country, organisation, function, languages")
    of_members = person + ", " + _("capacity, credentials")
    rows = []
    if Admission.objects.filter(conference=conference).exists():
        rows.append([_("Registration and places"), person, _("the person, by the form or by an organiser")])
        rows.append([_("Letting people in"), _("code for the door, check-ins"), _("stewards")])
    if Delegation.objects.filter(conference=conference).exists():
        rows.append([_("Delegations"), of_members, _("focal points of delegations")])
    if Admission.objects.filter(conference=conference, mode="online").exists():
        rows.append(
            [_("Attending on-line"), _("display name, when somebody first joined"), _("the person, by the link")]
        )
    if conference.invitations.exists():
        rows.append([_("Invitations"), _("name, e-mail address, answer"), _("organisers")])
    rows.append([_("Speakers"), _("name, function, organisation, address, proposals"), _("organisers and speakers")])
    rows += [
        [str(purpose.label), str(consent_wordings.current(purpose).sentence), _("consent of the person, optional")]
        for purpose in consents.asked(conference)
    ]
    return Part(_("Purposes"), [_("Purpose"), _("Data"), _("Source")], [2, 4, 3], rows)


def _asked(conference: Conference) -> Part:
    rows = [
        [
            str(one.label),
            str(one.help),
            str(one.get_readers_display()),
            str(one.retention_days),
        ]
        for one in Question.objects.filter(conference=conference).in_form_order()
    ]
    rows.append([_("What people need in order to take part"), "", str(Readers.CONFIDENTIAL.label), _("as below")])
    head = [_("Question"), _("Why"), _("Who reads"), _("Days kept")]
    return Part(_("What organisers ask beside that"), head, [3, 4, 2, 1], rows)


_AREAS = (Area.REGISTRATIONS, Area.PARTICIPANTS, Area.CONFIDENTIAL, Area.DOOR, Area.SPEAKERS, Area.MESSAGES, Area.AUDIT)


def _readers() -> Part:
    names = {
        Area.REGISTRATIONS: _("Registrations, by display name"),
        Area.PARTICIPANTS: _("Names and addresses, each opening on the record"),
        Area.CONFIDENTIAL: _("Needs and confidential answers, each reading on the record"),
        Area.DOOR: _("Who was let in"),
        Area.SPEAKERS: _("Speakers’ addresses"),
        Area.MESSAGES: _("Mails: topic and time, never their text"),
        Area.AUDIT: _("Audit trail, without names"),
    }
    labels = dict(RoleKind.choices)
    rows = [
        [
            names[area],
            ", ".join(
                str(labels[kind]) for kind, areas in TABLE.items() if areas.get(area, Level.NOTHING) >= Level.SEE
            ),
        ]
        for area in _AREAS
    ]
    return Part(_("Who reads within the house"), [_("Data"), _("Roles")], [3, 4], rows)


def _recipients(conference: Conference) -> Part:
    rows = [[_("The mail server"), _("address, display name, what somebody registered for")]]
    privacy = PlatformPrivacy.objects.filter(conference=conference).first()
    hides = privacy is not None and privacy.hides_people
    meetings = Meeting.objects.filter(Q(conference=conference) | Q(session__conference=conference))
    used = sorted({str(one.get_platform_display()) for one in meetings.only("platform")})
    what = _("made-up names and addresses") if hides else _("display name; a made-up address for people under an alias")
    rows += [[platform, what] for platform in used]
    programs = WebhookSubscription.objects.filter(conference=conference).count()
    if programs:
        rows.append([_("Programs of delegations and partners"), _("ids and states of their own members")])
    if not used:
        rows.append([_("Video platforms"), _("none is used")])
    return Part(_("Recipients outside"), [_("Who"), _("What")], [3, 4], rows)


def _periods(conference: Conference, *, now: datetime) -> Part:
    rows = [
        [str(one.rule.label), _("%(days)s days after the last day") % {"days": one.days}, str(one.rule.what)]
        for one in data_life.standings(conference, now=now)
    ]
    rows += [[str(one.label), retention.words_of(one), _("deleted")] for one in retention.FIXED]
    return Part(_("How long"), [_("Kind"), _("Kept"), _("What happens")], [4, 3, 3], rows)


def _safeguards(conference: Conference) -> Part:
    factor = _("required") if settings.SECOND_FACTOR_REQUIRED else _("not required")
    rows = [
        [_("Names and addresses"), _("sealed with a key for each person (AES-256-GCM); erasing destroys the key")],
        [_("Needs, addresses of meetings, speakers’ addresses"), _("encrypted with the key of the house")],
        [_("Links"), _("only their hashes are stored")],
        [_("Second factor for organisers"), factor],
        [_("Transport"), _("https only") if settings.SITE_URL.startswith("https:") else _("http: for trying out only")],
        [_("Audit trail"), _("every change and every opening of an identity; no names")],
        [_("Pages"), _("no cookies, no third parties on public pages")],
    ]
    return Part(_("Safeguards"), [_("What"), _("How")], [3, 5], rows)
