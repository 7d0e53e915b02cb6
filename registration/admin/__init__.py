"""Who comes, as organisers look after it: places, approvals, the waiting list, people.

States move through registration.services alone; here they are read-only, and actions call the services. Somebody with
an alias is that alias on every page; the name behind it is opened nowhere in the admin.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from alliance.admin import RelatedPage
from events.admin import ConferenceAdmin, SessionAdmin
from registration import admin_announcements as admin_announcements
from registration import admin_by_hand as admin_by_hand
from registration import admin_check_ins as admin_check_ins
from registration import admin_consents as admin_consents
from registration import admin_duplicates as admin_duplicates
from registration import admin_external_lists as admin_external_lists
from registration import admin_figures as admin_figures  # these register pages of a conference
from registration import admin_invitations as admin_invitations
from registration import admin_joining as admin_joining
from registration import admin_questions as admin_questions
from registration import admin_search as admin_search
from registration import admin_thanks as admin_thanks
from registration import admin_trail as admin_trail
from registration import admin_waiting as admin_waiting
from registration import delegation_admin as delegation_admin
from registration import door_admin as door_admin
from registration import token_pages as token_pages
from registration import webhook_pages as webhook_pages
from registration.admin import admissions as admissions
from registration.admin import delegations as delegations
from registration.admin import figures as figures
from registration.admin import participants as participants
from registration.admin import registrations as registrations
from registration.models import Admission, Delegation, Figure, Participant, Registration

ConferenceAdmin.related_pages += [
    RelatedPage(gettext_lazy("Admissions"), Admission, "conference__id"),
    RelatedPage(gettext_lazy("Registrations"), Registration, "admission__conference__id"),
    RelatedPage(gettext_lazy("Participants"), Participant, "conference__id"),
    RelatedPage(gettext_lazy("Delegations"), Delegation, "conference__id"),
    RelatedPage(gettext_lazy("Figures"), Figure, "conference__id"),
]
SessionAdmin.related_pages.append(RelatedPage(gettext_lazy("Admissions"), Admission, "session__id"))
