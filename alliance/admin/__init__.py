"""The organisers' admin: what all its pages share.

Stock Django admin with five additions. Times are entered on the venue's clock. What the database refuses comes back as
a sentence, on the form that was sent. The history keeps ids, never names. Lists and forms cost the same number of
queries however many rows they show. What somebody else changed meanwhile is never overwritten unseen.
"""

from alliance.admin import links
from alliance.admin.base import HouseAdmin, ReadOnlyAdmin, RelatedPage
from alliance.admin.fields import KnownSelect, KnownSelectMultiple, LinesField, choices_of, in_all_languages
from alliance.admin.filters import named
from alliance.admin.forms import HouseForm, ShowsRefusal, explain, explanation, is_explained, of_parent_only
from alliance.admin.history import neutral_name
from alliance.admin.inlines import HouseStacked, HouseTabular
from alliance.admin.lists import as_json, as_list, as_uuid, clock_time, list_url, refuse, row_url, zone_named
from alliance.admin.scope import own_rows

links.install()

__all__ = [
    "HouseAdmin",
    "HouseForm",
    "HouseStacked",
    "HouseTabular",
    "KnownSelect",
    "KnownSelectMultiple",
    "LinesField",
    "ReadOnlyAdmin",
    "RelatedPage",
    "ShowsRefusal",
    "as_json",
    "as_list",
    "as_uuid",
    "choices_of",
    "clock_time",
    "explain",
    "explanation",
    "in_all_languages",
    "is_explained",
    "list_url",
    "named",
    "neutral_name",
    "of_parent_only",
    "own_rows",
    "refuse",
    "row_url",
    "zone_named",
]
