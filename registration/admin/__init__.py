"""Who comes, as organisers look after it: places, approvals, the waiting list, people.

States move through registration.services alone; here they are read-only, and actions call the services. Somebody with
an alias is that alias on every page; the name behind it is opened nowhere in the admin.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from alliance.admin import RelatedPage
from events.admin import ConferenceAdmin, SessionAdmin, pages
from outbox.models import Message
from registration.admin import admissions as admissions
from registration.admin import announcements as announcements
from registration.admin import by_hand as by_hand
from registration.admin import check_ins as check_ins
from registration.admin import consents as consents
from registration.admin import data_life as data_life
from registration.admin import delegation_pages as delegation_pages
from registration.admin import delegations as delegations
from registration.admin import door as door
from registration.admin import duplicates as duplicates
from registration.admin import external_lists as external_lists
from registration.admin import figure_pages as figure_pages  # these register pages of a conference
from registration.admin import figures as figures
from registration.admin import invitations as invitations
from registration.admin import joining as joining
from registration.admin import participants as participants
from registration.admin import protection as protection
from registration.admin import questions as questions
from registration.admin import registrations as registrations
from registration.admin import search as search
from registration.admin import thanks as thanks
from registration.admin import trail as trail
from registration.admin import waiting as waiting
from registration.admin import webhooks as webhooks
from registration.api import token_pages as token_pages
from registration.models import Admission, Delegation, Figure, Participant, Question, Registration

ConferenceAdmin.related_pages += [
    RelatedPage(gettext_lazy("Admissions"), Admission, "conference__id"),
    RelatedPage(gettext_lazy("Registrations"), Registration, "admission__conference__id"),
    RelatedPage(gettext_lazy("Participants"), Participant, "conference__id"),
    RelatedPage(gettext_lazy("Delegations"), Delegation, "conference__id"),
    RelatedPage(gettext_lazy("Figures"), Figure, "conference__id"),
]
SessionAdmin.related_pages.append(RelatedPage(gettext_lazy("Admissions"), Admission, "session__id"))

# Lists of theirs in the bar of a conference, and the bar on them.
_OF_REGISTRATION = pages.Group.REGISTRATION
_REGISTRATIONS = "admission__conference__id__exact"
pages.register_list(
    "registrations", Registration, _REGISTRATIONS, label=gettext_lazy("Registrations"), order=10, group=_OF_REGISTRATION
)
pages.register_list(
    "admissions", Admission, "conference__id__exact", label=gettext_lazy("Admissions"), order=60, group=_OF_REGISTRATION
)
pages.register_list("outbox", Message, "conference", label=gettext_lazy("Outbox"), order=30, group=pages.Group.MESSAGES)
pages.register_list("participant-forms", Participant, "conference__id__exact", of="registrations")
pages.register_list("delegation-forms", Delegation, "conference__id__exact", of="delegations")
pages.register_list("question-forms", Question, "conference__id__exact", of="questions")
pages.register_list("imported-figures", Figure, "conference__id__exact", of="figures")
