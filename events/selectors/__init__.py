"""The public programme as pages print it: what may be shown now, in printed order, in a constant number of queries.

lines        footnotes, and who speaks as one line
entries      sessions with everything that is printed of them
days         the programme of a conference, day by day, or what of it fits a choice
sessions     the page of one session
conferences  the list, the page of one, and what all pages of one share

Contributions and admissions are reached through their relations to sessions and conferences, because speakers and
registration import events and not the other way round.
"""

from events.selectors.conferences import ConferenceList as ConferenceList
from events.selectors.conferences import ConferencePage as ConferencePage
from events.selectors.conferences import conference_list as conference_list
from events.selectors.conferences import conference_page as conference_page
from events.selectors.conferences import is_registration_open as is_registration_open
from events.selectors.conferences import offices as offices
from events.selectors.conferences import public_conference as public_conference
from events.selectors.days import Day as Day
from events.selectors.days import Programme as Programme
from events.selectors.days import Show as Show
from events.selectors.days import programme as programme
from events.selectors.entries import ConvenorGroup as ConvenorGroup
from events.selectors.entries import SegmentBlock as SegmentBlock
from events.selectors.entries import SessionEntry as SessionEntry
from events.selectors.lines import Footnotes as Footnotes
from events.selectors.lines import SpeakerLine as SpeakerLine
from events.selectors.lines import role_under_heading as role_under_heading
from events.selectors.lines import speaker_line as speaker_line
from events.selectors.sessions import SessionPage as SessionPage
from events.selectors.sessions import session_page as session_page
