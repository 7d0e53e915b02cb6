"""Large programme files: previewed, applied and written by a worker; and who may do so, also with small ones."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from django.contrib.admin.models import CHANGE
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from alliance.admin.history import write_history_of
from alliance.exceptions import DomainError
from events import jobs, programme_file
from events.models import Conference, Job
from events.programme_file import sections
from events.programme_file.changes import Difference
from events.programme_file.importing import ChangedMeanwhile, Outcome
from events.programme_file.problems import InvalidFile, Problem

PREVIEW, APPLY, EXPORT = "programme-preview", "programme-apply", "programme-export"
# What is looked at in the request: a file of about two hundred sessions takes a few seconds.
_LARGE_TEXT, _LARGE_WORKBOOK = 250_000, 80_000  # bytes
_LARGE_PROGRAMME = 200  # sessions
KINDS = {
    "yaml": ("application/yaml", "yaml"),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
}


class FileUnusable(DomainError):
    """What a preview had allowed is refused now."""

    code = "programme_file_unusable"
    message = gettext_lazy("Nothing was written: the file cannot be used any more. Upload it again to see why.")


class ProgrammeChanged(DomainError):
    """Applying would not do what was previewed."""

    code = "programme_changed_since_preview"
    message = gettext_lazy(
        "Nothing was written: somebody changed the programme since the preview. Upload the file again to see what it"
        " would change now."
    )


def register() -> None:
    """Called when the app is ready."""
    label = gettext_lazy("Programme file: what would change")
    jobs.register(PREVIEW, preview, label=label, may=may_upload, keeps_upload=True)
    jobs.register(APPLY, apply, label=gettext_lazy("Programme file: apply"), may=may_upload)
    jobs.register(EXPORT, export, label=gettext_lazy("Programme file: download"), may=may_download, holds_people=True)


# --- who may ---------------------------------------------------------------------------------------------------------


def holds(user: Any, permission: str, conference: Conference | None) -> bool:
    """Whether the user holds a permission at the conference; without one, in the whole house."""
    access = getattr(user, "access", None)  # roles, which count at their conference
    if access is None:
        return bool(user.has_perm(permission))
    return bool(access.may(permission, conference) if conference is not None else access.holds_everywhere(permission))


def may_upload(user: Any, conference: Conference | None) -> bool:
    """Whether the user may write all that a file about the conference can change; without one, about a new one."""
    needed = sections.permissions() - ({"events.add_conference"} if conference is not None else set())
    return all(holds(user, permission, conference) for permission in needed)


def may_download(user: Any, conference: Conference | None) -> bool:
    """Whether the user may see all that a file of the conference holds, internal notes too."""
    return conference is not None and all(
        holds(user, permission, conference) or holds(user, permission.replace(".view_", ".change_"), conference)
        for permission in sections.view_permissions()
    )


def is_large_file(data: bytes) -> bool:
    """Whether reading it is for a worker. A workbook is a zip file."""
    return len(data) > (_LARGE_WORKBOOK if data.startswith(b"PK") else _LARGE_TEXT)


def is_large_programme(conference: Conference) -> bool:
    """Whether writing its file is for a worker."""
    return conference.sessions.count() > _LARGE_PROGRAMME


# --- the work --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Previewed:
    """What a preview found: an outcome, or what is wrong with the file."""

    outcome: Outcome | None
    problems: list[Problem] = field(default_factory=list)
    fingerprint: str = ""


def preview(work: jobs.Work) -> jobs.Result:
    """What the file would change. Nothing is written."""
    try:
        outcome = programme_file.load(work.upload, dry_run=True, step=work.step)
    except InvalidFile as error:
        found: dict[str, Any] = {"problems": [[str(one.line), one.text] for one in error.problems]}
        said = ngettext(
            "The file cannot be used: %(number)d problem.", "The file cannot be used: %(number)d problems.",
            len(error.problems),
        ) % {"number": len(error.problems)}  # fmt: skip
    except ChangedMeanwhile:
        raise ProgrammeChanged from None
    else:
        found = {
            "lines": outcome.lines,
            "differences": [[one.row, one.field, one.before, one.after] for one in outcome.differences],
            "made": outcome.made,
            "conference": outcome.conference,
            "rows": outcome.rows,
        }
        said = _("The file is read; nothing is written yet.")
    content = json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()
    return jobs.Result(said=said, content=content, content_type="application/json", url=_page_of(work))


def _page_of(work: jobs.Work) -> str:
    return reverse("admin:events_conference_previewed", args=[work.public_id]) if work.public_id else ""


def previewed(job: Job) -> Previewed:
    """What the job of a preview found."""
    found = json.loads(bytes(job.result))
    if "problems" in found:
        return Previewed(None, [Problem(_line(line), text) for line, text in found["problems"]])
    outcome = Outcome(
        found["lines"],
        [Difference(*one) for one in found["differences"]],
        found["made"],
        found["conference"],
        found["rows"],
    )
    return Previewed(outcome, fingerprint=outcome.fingerprint)


def _line(text: str) -> Any:
    """A line of a text is a number; a cell of a workbook is a name that counts as one."""
    return int(text) if text.isdigit() else text


def apply(work: jobs.Work) -> jobs.Result:
    """Do what was previewed, all of it, or nothing. Once it is done, doing it again finds nothing to do."""
    about = Conference.objects.filter(slug=work.order["conference"]).first()
    if not may_upload(work.owner, about):
        raise FileUnusable
    try:
        outcome = programme_file.load(
            work.upload,
            expected=work.order["fingerprint"],
            step=lambda rows: work.step(rows, work.order["rows"]),
        )
    except InvalidFile:
        raise FileUnusable from None
    except ChangedMeanwhile as changed:
        if changed.outcome is None or changed.outcome.changed or not work.order["changes"]:
            raise ProgrammeChanged from None
        outcome = changed.outcome  # it was applied before the worker was stopped
    about = Conference.objects.get(slug=outcome.conference)
    number = int(work.order["changes"])
    write_history_of(work.owner.pk, [about], CHANGE, f"programme file: {number} changes")
    return jobs.Result(said=applied(number), url=reverse("admin:events_conference_programme", args=[about.pk]))


def applied(number: int) -> str:
    """What is said after a file was applied."""
    return ngettext(
        "The programme file is applied: %(number)d change.",
        "The programme file is applied: %(number)d changes.",
        number,
    ) % {"number": number}


def export(work: jobs.Work) -> jobs.Result:
    """The programme as a file. It holds internal notes and names."""
    conference, kind = work.conference, work.order["kind"]
    if conference is None:
        raise Conference.DoesNotExist  # may_download has refused that
    content_type, suffix = KINDS[kind]
    work.step(0)
    data = programme_file.export(conference) if kind == "yaml" else programme_file.export_workbook(conference)
    return jobs.Result(content=data, content_type=content_type, name=f"{conference.slug}.{suffix}")
