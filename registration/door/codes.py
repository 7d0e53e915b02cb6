"""The codes of participants for the door: made when first shown, found when read, drawn as QR codes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import segno

from registration.models import DoorCode, Participant
from registration.models.attendance import as_typed, grouped

_GROUP = 5
_QUIET = 4  # modules of white around a QR code (ISO/IEC 18004)
_TRIES = 3


class NoCode(Exception):
    """No free code was found in several tries, which does not happen by chance."""


def ensure(participants: Iterable[Participant]) -> dict[int, str]:
    """The codes of the participants by primary key; made for those who have none yet. Safe beside itself.

    Two queries, whatever the number, unless two codes happen to be the same.
    """
    wanted = {participant.pk: participant for participant in participants}
    found: dict[int, str] = {}
    for version in range(1, _TRIES + 1):
        found |= _known({pk: one for pk, one in wanted.items() if pk not in found})
        missing = [one for pk, one in wanted.items() if pk not in found]
        if not missing:
            return found
        DoorCode.objects.bulk_create(
            [DoorCode.of(one, version=version) for one in missing], ignore_conflicts=True, batch_size=1000
        )
    found |= _known({pk: one for pk, one in wanted.items() if pk not in found})
    if len(found) < len(wanted):
        raise NoCode
    return found


def _known(participants: dict[int, Participant]) -> dict[int, str]:
    rows = DoorCode.objects.filter(pk__in=participants) if participants else []
    codes = {}
    for row in rows:
        row.participant = participants[row.pk]
        codes[row.pk] = row.code
    return codes


def find(*, conference_id: int, typed: str) -> Participant | None:
    """The participant whose code was read or typed; None for an unknown one, after erasure, and who was taken down."""
    code = as_typed(typed, length=DoorCode.LENGTH)
    if not code:
        return None
    return (
        Participant.objects.shown()
        .filter(
            conference_id=conference_id,
            door_code__code_index=DoorCode.index(conference_id, code),
            identity_key__isnull=False,
        )
        .select_related("delegation__country", "delegation__organisation", "organisation")
        .defer("sealed_identity", "accessibility_needs")
        .first()
    )


def shown(code: str) -> str:
    """The code as it is printed and read out: AB3DE-FGH4J."""
    return grouped(code, size=_GROUP)


@dataclass(frozen=True, slots=True)
class Picture:
    """A QR code as an SVG path in modules: strokes of one module, the white around it included in size."""

    size: int
    path: str


def picture(code: str) -> Picture:
    """The QR code of a code. The strokes are short words, so that no renderer needs to break them."""
    made = segno.make_qr(code, error="m", boost_error=False)
    strokes = []
    for row, modules in enumerate(made.matrix):
        start = None
        for column, is_dark in enumerate([*modules, 0]):
            if is_dark and start is None:
                start = column
            elif not is_dark and start is not None:
                strokes.append(f"M{start + _QUIET} {row + _QUIET}.5h{column - start}")
                start = None
    return Picture(len(made.matrix) + 2 * _QUIET, " ".join(strokes))
