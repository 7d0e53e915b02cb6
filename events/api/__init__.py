"""The public programme for programs, a module by noun (docs/api.md). What other apps build on stands here by name.

bodies           countries and organisations
conferences      meetings, and how other rows name them
sessions         the programme without who speaks: speakers.api adds that
results          shapes of what came out of sessions; recommendations, materials: the same as lists of their own
releases, rooms  what their names say
"""

from events.api.base import ProgrammeViewSet as ProgrammeViewSet
from events.api.bodies import WHOLE_COUNTRY as WHOLE_COUNTRY
from events.api.bodies import CountryRefSerializer as CountryRefSerializer
from events.api.bodies import OrganisationFilters as OrganisationFilters
from events.api.bodies import OrganisationRefSerializer as OrganisationRefSerializer
from events.api.bodies import OrganisationSerializer as OrganisationSerializer
from events.api.bodies import named_by as named_by
from events.api.bodies import whole_organisation as whole_organisation
from events.api.conferences import ConferenceRefSerializer as ConferenceRefSerializer
from events.api.conferences import whole_conference as whole_conference
from events.api.sessions import SessionFilters as SessionFilters
from events.api.sessions import SessionRefSerializer as SessionRefSerializer
from events.api.sessions import SessionSerializer as SessionSerializer
from events.api.sessions import SessionViewSet as SessionViewSet
