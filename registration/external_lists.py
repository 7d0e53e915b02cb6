"""Lists of registrations that another platform kept: read, counted by distinct people, and dropped.

What the pages need between two steps is a Sheet: numbers instead of addresses and names, and the words only of columns
that have few different ones. It travels encrypted through the organiser's browser; nothing of it is stored.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from alliance import crypto
from alliance.exceptions import DomainError
from events.models import Country
from events.programme_file.problems import InvalidFile
from registration import list_files
from registration.delegations import lists as delegation_lists
from registration.delegations.lists import Grid
from registration.models import ImportKind, Measure
from registration.models.figure import LEAST_PEOPLE
from registration.models.participant import normalise_email
from speakers import folding

MOST_BYTES = 5_000_000
MOST_ROWS = 20_000
MOST_COLUMNS = 80
_MOST_PACKED = 1_200_000  # characters; a form without files may have 1.5 million bytes
_MOST_WORDS = 400  # different ones in a column, for it to be of countries or groups
_LONGEST_WORD = 120
_MOST_GROUPS = 60
_SEPARATORS = "\t;,"

# What a column can say about a person, in the order of the form.
ROLES: dict[str, Any] = {
    "email": gettext_lazy("E-mail address"),
    "name": gettext_lazy("Name"),
    "given_name": gettext_lazy("Given name"),
    "family_name": gettext_lazy("Family name"),
    "country": gettext_lazy("Country"),
    "group": gettext_lazy("Category or organisation"),
    "status": pgettext_lazy("column of a list", "Approval"),
    "attended": pgettext_lazy("column of a list", "Was there (yes or no)"),
}
_PERSONAL = ("email", "name", "given_name", "family_name")

# Words in headings by which a column is known, in the languages that Zoom and Google write; the first that fits.
_HEADINGS: tuple[tuple[str, str], ...] = (
    ("email", r"e-?mail|courriel|correo|почт"),
    ("given_name", r"first name|given name|prenom|vorname|^nome$|^nombre$|^имя$"),
    ("family_name", r"last name|family name|surname|nom de famille|nachname|familienname|cognome|apellido|фамили"),
    ("status", r"approval status|genehmigungsstatus|statut d.approbation|stato di approvazione|estado de aprobacion"),
    ("attended", r"^attended$|^teilgenommen$|^a participe$|^ha partecipato$|^asistio$|^участвовал"),
    ("country", r"country|pays|^land\b|herkunftsland|paese|^pais\b|стран"),
    ("group", r"organi[sz]a|institut|affiliation|einrichtung|categor|kategori|организаци|категори|учрежден"),
    ("name", r"\bname\b|^nom\b|^nome\b|^nombre\b|^имя\b|user name|full name|ф\.?и\.?о"),
)
_TIMES = r"timestamp|horodateur|zeitstempel|informazioni cronologiche|marca temporal|отметка времени"
_ZOOM_TIMES = r"^join time|^leave time|time in session"
_ZOOM_REGISTERED = r"^registration time"
_SECTIONS = {"attendee details", "panelist details", "host details", "other attended", "poll details"}
_NO = {"no", "nein", "non", "не", "нет", "false", "0", "--", "-"}
_REFUSED = re.compile(r"denied|reject|cancel|abgelehnt|refus|rifiutat|rechaz|annul|отклон|отмен")
_APPROVED = re.compile(r"approved|genehmigt|approuv|approvat|aprobad|одобрен|утвержд")


class ListRefused(DomainError):
    """A file that cannot be counted."""

    code = "list_refused"

    def __init__(self, text: str) -> None:
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A list without names: for each column a number for each row (0: empty) that is the same for the same content.

    words: what the numbers stand for (number 1 is the first), of columns that are not about a person and have few
    different contents.
    """

    kind: str
    header: list[str]
    columns: list[list[int]]
    words: dict[int, list[str]]
    guessed: dict[str, int]  # role: column

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.columns[0]) if self.columns else 0


# --- reading ----------------------------------------------------------------------------------------------------------


def read(data: bytes) -> Sheet:
    """A list from a file: .csv in any usual encoding and separator, or .xlsx. Raises ListRefused."""
    if len(data) > MOST_BYTES:
        raise ListRefused(_("The file is too large."))
    try:
        if list_files.is_workbook(data):
            grid = delegation_lists.workbook(data, most_rows=MOST_ROWS, most_columns=MOST_COLUMNS)
        else:
            grid = _csv(list_files.decoded(data))
    except (InvalidFile, csv.Error) as error:
        raise ListRefused(
            _("This file cannot be read. Save it as .csv or .xlsx, without formulas or macros.")
        ) from error
    if not grid:
        raise ListRefused(_("The list is empty."))
    if len(grid) > MOST_ROWS:
        raise ListRefused(_("A list has at most %(limit)d rows.") % {"limit": MOST_ROWS})
    return _sheet(grid)


def _csv(text: str) -> Grid:
    """The rows that are not empty. The separator is the one that gives the widest row near the beginning."""
    beginning = text[:50_000]

    def widest(separator: str) -> int:
        return max((len(row) for row in csv.reader(io.StringIO(beginning), delimiter=separator)), default=0)

    separator = max(_SEPARATORS, key=widest)
    grid: Grid = []
    for number, cells in enumerate(csv.reader(io.StringIO(text), delimiter=separator), start=1):
        cells = [cell.strip() for cell in cells[:MOST_COLUMNS]]
        if any(cells):
            grid.append((number, cells))
        if len(grid) > MOST_ROWS:
            break
    return grid


def _plain(text: str) -> str:
    return " ".join(folding.plain(text).replace("\u00a0", " ").split())


def _roles_of(cells: Sequence[str]) -> dict[str, int]:
    """The roles that headings name, each with the first column that fits."""
    found: dict[str, int] = {}
    for place, cell in enumerate(cells):
        role = _role_of(cell)
        if role and role not in found:
            found[role] = place
    return found


def _role_of(cell: str) -> str:
    """The role that a heading names; empty for none."""
    heading = _plain(cell)[:_LONGEST_WORD]
    return next((role for role, words in _HEADINGS if re.search(words, heading)), "")


def _is_data(cells: Sequence[str]) -> bool:
    """Whether a row holds an address: no row of headings does."""
    return any("@" in cell for cell in cells)


def _sheet(grid: Grid) -> Sheet:
    at = _header_at(grid)
    header = grid[at][1]
    roles = _roles_of(header)
    if "given_name" in roles and "family_name" in roles:
        roles.pop("name", None)
    rows: list[list[str]] = []
    for _number, cells in grid[at + 1 :]:
        given = [cell for cell in cells if cell]
        if len(given) == 1 and _plain(given[0]).rstrip(",") in _SECTIONS:
            break  # what follows is another table: people on the telephone, questions asked
        rows.append(cells)
    if not rows:
        raise ListRefused(_("The list is empty."))
    width = len(header)
    columns, words = [], {}
    personal = {place for place, cell in enumerate(header) if _role_of(cell) in _PERSONAL}
    for place in range(width):
        column, contents = _numbered(cells[place] if place < len(cells) else "" for cells in rows)
        columns.append(column)
        if place not in personal and len(contents) <= _MOST_WORDS and not any("@" in word for word in contents):
            words[place] = [word[:_LONGEST_WORD] for word in contents]
    return Sheet(_kind(header, grid[:at]), [cell[:_LONGEST_WORD] for cell in header], columns, words, roles)


def _header_at(grid: Grid) -> int:
    """Where the headings stand: the row that names most, after whatever the platform writes before; the last of those.

    Zoom puts titles, sums and tables of hosts and panellists above the attendees.
    """
    best, best_score = 0, 0
    for at, (_number, cells) in enumerate(grid):
        if _is_data(cells) or sum(bool(cell) for cell in cells) < 2:
            continue
        roles = _roles_of(cells)
        score = len(roles) if any(role in roles for role in _PERSONAL) else 0
        before = _plain(grid[at - 1][1][0]).rstrip(",") if at and grid[at - 1][1] else ""
        score += 10 * (before == "attendee details")
        if score and score >= best_score and (at == 0 or score > 1):
            best, best_score = at, score
    return best


def _kind(header: Sequence[str], preamble: Grid) -> str:
    headings = [_plain(cell) for cell in header]
    above = " ".join(_plain(cells[0]) for _number, cells in preamble[:3] if cells)
    if "attendee report" in above or any(re.search(_ZOOM_TIMES, heading) for heading in headings):
        return ImportKind.ZOOM_ATTENDEES
    if "registration report" in above or any(re.search(_ZOOM_REGISTERED, heading) for heading in headings):
        return ImportKind.ZOOM_REGISTRATION
    if headings and re.search(_TIMES, headings[0]):
        return ImportKind.GOOGLE_FORM
    return ImportKind.OTHER


def _key(cell: str) -> str:
    return normalise_email(cell) if "@" in cell else _plain(cell)


def _numbered(cells: Iterable[str]) -> tuple[list[int], list[str]]:
    """A number for each cell, the same for the same content, and the contents as they were first written."""
    numbers: dict[str, int] = {}
    column, contents = [], []
    for cell in cells:
        key = _key(cell)
        if key and key not in numbers:
            numbers[key] = len(numbers) + 1
            contents.append(" ".join(cell.split()))
        column.append(numbers.get(key, 0))
    return column, contents


# --- between two steps ------------------------------------------------------------------------------------------------


def pack(sheet: Sheet, *, scope: str) -> str:
    """The sheet, encrypted for a hidden field. scope: of what session; it opens for no other. Raises ListRefused."""
    content = [scope, sheet.kind, sheet.header, sheet.columns, list(sheet.words.items()), sheet.guessed]
    made = zlib.compress(json.dumps(content, separators=(",", ":")).encode(), 9)
    found = crypto.encrypt(base64.b85encode(made).decode("ascii"))
    if len(found) > _MOST_PACKED:
        raise ListRefused(_("The list has too many columns. Take out those that are not needed for counting."))
    return found


def unpack(packed: str, *, scope: str) -> Sheet:
    """The sheet of pack(). Raises ListRefused for what is not ours, or of another session."""
    try:
        raw = base64.b85decode(crypto.decrypt(packed))
        found_scope, kind, header, columns, words, guessed = json.loads(zlib.decompress(raw))
    except (crypto.Unreadable, ValueError, zlib.error) as error:
        raise ListRefused(_("Choose the file once more.")) from error
    if found_scope != scope:
        raise ListRefused(_("Choose the file once more."))
    return Sheet(kind, header, columns, {int(place): list(found) for place, found in words}, guessed)


# --- counting ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Person:
    """What the rows of one person say together."""

    country: int = 0
    group: int = 0
    is_refused: bool = False
    is_approved: bool = False
    was_there: bool = False


@dataclass(frozen=True, slots=True)
class Counted:
    """Distinct people of a list. None: the list does not say. countries: by primary key of our countries."""

    registered: int
    confirmed: int | None
    attended: int | None
    refused: int
    nameless: int
    countries: dict[int, int] = field(default_factory=dict)
    without_country: int = 0
    unknown_countries: list[str] = field(default_factory=list)
    groups: dict[str, int] = field(default_factory=dict)
    in_small_groups: int = 0


def count(sheet: Sheet, roles: Mapping[str, int], countries: Mapping[str, Country]) -> Counted:
    """Count the people of a list. roles: the column of each role. countries: by folded name or code (spellings()).

    Somebody is known by the address, else by the name; a row without an address is that of the person with that name
    where one has it. Refused and cancelled people are not counted as registered.
    """
    people, nameless = _people(sheet, roles)
    standing = [person for person in people if person.is_approved or not person.is_refused]
    found = Counter(person.country for person in standing)
    names = sheet.words.get(roles.get("country", -1), [])
    known: Counter[int] = Counter()
    unknown = []
    for number, many in found.items():
        if not number:
            continue
        name = names[number - 1] if number <= len(names) else ""
        country = countries.get(fold_country(name))
        if country is not None:
            known[country.pk] += many
        else:
            unknown.append(name)
    groups = _groups(sheet, roles, standing)
    large = {name: many for name, many in groups.most_common(_MOST_GROUPS) if many >= LEAST_PEOPLE}
    return Counted(
        registered=len(standing),
        confirmed=sum(person.is_approved for person in standing) if "status" in roles else None,
        attended=sum(person.was_there for person in standing) if "attended" in roles else None,
        refused=len(people) - len(standing),
        nameless=nameless,
        countries=dict(known),
        without_country=len(standing) - known.total() if "country" in roles else 0,
        unknown_countries=sorted(filter(None, unknown))[:30],
        groups=large,
        in_small_groups=groups.total() - sum(large.values()),
    )


def _people(sheet: Sheet, roles: Mapping[str, int]) -> tuple[list[_Person], int]:
    nothing = [0] * sheet.rows

    def column(role: str) -> list[int]:
        return sheet.columns[roles[role]] if role in roles else nothing

    emails = column("email")
    names = list(zip(column("name"), column("given_name"), column("family_name"), strict=True))
    by_name = {name: email for email, name in zip(emails, names, strict=True) if email and any(name)}
    words = {role: sheet.words.get(roles.get(role, -1), []) for role in ("status", "attended")}
    people: dict[object, _Person] = {}
    nameless = 0
    cells = zip(emails, names, column("country"), column("group"), column("status"), column("attended"), strict=True)
    for email, name, country, group, status, attended in cells:
        if not email and not any(name):
            nameless += 1
            continue
        person = people.setdefault(email or by_name.get(name) or name, _Person())
        person.country = person.country or country
        person.group = person.group or group
        said = _plain(words["status"][status - 1]) if 0 < status <= len(words["status"]) else ""
        person.is_refused = person.is_refused or bool(_REFUSED.search(said))
        person.is_approved = person.is_approved or bool(_APPROVED.search(said))
        there = _plain(words["attended"][attended - 1]) if 0 < attended <= len(words["attended"]) else ""
        person.was_there = person.was_there or (bool(there) and there not in _NO)
    return list(people.values()), nameless


def _groups(sheet: Sheet, roles: Mapping[str, int], people: Sequence[_Person]) -> Counter[str]:
    words = sheet.words.get(roles.get("group", -1), [])
    return Counter(words[person.group - 1] for person in people if 0 < person.group <= len(words))


def fold_country(name: str) -> str:
    """A country's name or code as it is compared: without accents, capitals, signs and the article."""
    letters = re.sub(r"[^\w]+", " ", _plain(name).replace("&", " and ")).split()
    return " ".join(word for word in letters if word != "the")


def spellings() -> dict[str, Country]:
    """Countries by every folded name in all languages, other names, and ISO code."""
    found: dict[str, Country] = {}
    for country in Country.objects.all():
        for name in (*country.name.values(), *country.aliases, country.iso2):
            if name:
                found.setdefault(fold_country(name), country)
    return found


Line = tuple[str, str, int]  # measure, group, value


def lines(counted: Counted, *, measure: Measure, names: Mapping[int, str]) -> list[Line]:
    """The figures of a count. measure: what being on the list means. names: of countries by primary key, in English.

    Groups of fewer than five people are not among them: a column of organisations may hold somebody's name.
    """
    if counted.attended is not None and measure == Measure.ATTENDED:
        measure = Measure.REGISTERED  # the list says itself who was there
    found: list[Line] = [(measure, "", counted.registered)]
    if counted.confirmed is not None and measure == Measure.REGISTERED:
        found.append((Measure.CONFIRMED, "", counted.confirmed))
    if counted.attended is not None:
        found.append((Measure.ATTENDED, "", counted.attended))
    if counted.countries:
        found.append((Measure.COUNTRIES, "", len(counted.countries)))
        by_name = sorted((names[pk], many) for pk, many in counted.countries.items())
        found += [(measure, name, many) for name, many in by_name]
    taken = {group for _measure, group, _value in found}
    found += [(measure, name, many) for name, many in sorted(counted.groups.items()) if name not in taken]
    return found
