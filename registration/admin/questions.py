"""Questions of a conference, for organisers: what is asked, in which order and of whom, and what people answered.

Answers are read on the record. Confidential ones have pages of their own, for their readers alone
(accounts.permissions.READ_CONFIDENTIAL); accessibility needs stand there too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin import actor
from accounts.permissions import READ_CONFIDENTIAL
from alliance import dates
from alliance.admin import HouseAdmin, HouseForm, HouseTabular, explain, in_all_languages, of_parent_only, row_url
from alliance.exceptions import DomainError
from events.admin import conference_slug, long_work, pages
from events.models import Conference
from registration import selectors
from registration.admin import seen
from registration.exports import answers as export_answers
from registration.exports import work as exports
from registration.models import Participant, Question, QuestionKind, QuestionOption, Readers
from registration.models.question import CONDITIONAL_ON, WITH_OPTIONS
from registration.questions import answers, ordering
from registration.services import answers as services
from registration.services.answers import Read

_SEE, _CHANGE, _READ = "registration.view_question", "registration.change_question", "registration.view_participant"
_MOST_SHOWN = 200  # answers in words on a page; the file has all

explain(
    "question_is_kept_for_a_time",
    gettext_lazy("Answers are kept for at least a day and at most ten years."),
    field="retention_days",
)
explain(
    "question_condition_names_answers",
    gettext_lazy("Choose the answers for which the question is asked."),
    field="condition",
)
explain("question_depends_on_another", gettext_lazy("A question cannot depend on itself."), field="condition")
explain("option_key_unique_in_question", gettext_lazy("This option is there already."))


# --- the question -----------------------------------------------------------------------------------------------------


class QuestionForm(HouseForm[Question]):
    """A question, with its condition as one list of answers to choose from."""

    condition = forms.MultipleChoiceField(
        label=gettext_lazy("Asked only if"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Any of these answers to one question further up. None: it is always asked."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What reads a question without being allowed to change it has no fields.
        if "condition" in self.fields and self.instance.conference_id is not None:
            self.fields["condition"].choices = _conditions(self.instance)  # type: ignore[attr-defined]
            self.initial["condition"] = [f"{self.instance.show_if_id}:{key}" for key in self.instance.show_if_answers]
        elif "condition" in self.fields:
            self.fields["condition"].help_text = _("You can choose a condition after saving.")

    def clean(self) -> dict[str, Any] | None:
        """Check what concerns several fields, and what was promised to those who have answered."""
        cleaned = super().clean() or {}
        of_parent_only(self, "session")
        if "condition" in cleaned:
            self._take_condition(cleaned)
        question = self.instance
        if question.pk is not None and question.answers.exists():
            self._keep_promises(Question.objects.get(pk=question.pk), cleaned)
        return cleaned

    def _take_condition(self, cleaned: dict[str, Any]) -> None:
        chosen = [tuple(value.split(":", 1)) for value in cleaned["condition"]]
        if len({source for source, _key in chosen}) > 1:
            self.add_error("condition", _("Choose answers to one question only."))
            return
        question = self.instance
        question.show_if = Question.objects.filter(pk=chosen[0][0]).first() if chosen else None
        question.show_if_answers = [key for _source, key in chosen]
        question.position = cleaned.get("position", question.position) or 0
        if question.show_if is not None and not answers.may_depend_on(question, question.show_if):
            self.add_error("condition", _("The question it depends on must stand further up."))
        led_to = question.leads_to.all() if question.pk is not None else []
        if any(not answers.may_depend_on(other, question) for other in led_to):
            self.add_error("position", _("A question that depends on this one stands further up."))

    def _keep_promises(self, before: Question, cleaned: dict[str, Any]) -> None:
        if cleaned.get("retention_days", 0) > before.retention_days:
            self.add_error("retention_days", _("People have answered: you can shorten this time, not lengthen it."))
        if before.is_confidential and cleaned.get("readers") == Readers.ORGANISERS:
            self.add_error("readers", _("People have answered in confidence: that cannot be taken back."))


def _conditions(question: Question) -> list[tuple[str, str]]:
    """Answers a question may depend on. Others further down are left out."""
    rows = Question.objects.filter(conference=question.conference_id, kind__in=CONDITIONAL_ON)
    return [
        (f"{other.pk}:{key}", f"{other.label}: {label}")
        for other in rows.prefetch_related("options").in_form_order()
        if other.pk != question.pk
        for key, label in other.option_labels().items()
    ]


class OptionFormSet(forms.BaseInlineFormSet):  # type: ignore[type-arg]
    """The options of a question."""

    def clean(self) -> None:
        """Questions with options need two; an option stays once the question has been answered."""
        super().clean()
        rows = [form for form in self.forms if form.instance.pk is not None or form.has_changed()]
        gone = [form for form in rows if form.cleaned_data.get("DELETE")]
        kind = self.instance.kind
        if gone and self.instance.answers.exists():
            raise ValidationError(_("People have answered this question: retire an option instead of deleting it."))
        if kind in WITH_OPTIONS and len(rows) - len(gone) < 2:
            raise ValidationError(_("Give at least two options."))
        if kind not in WITH_OPTIONS and len(rows) > len(gone):
            raise ValidationError(_("Only questions with a choice have options."))
        if not gone:
            return
        keys = {form.instance.key for form in gone}
        if any(keys.intersection(other.show_if_answers) for other in self.instance.leads_to.all()):
            raise ValidationError(_("Another question depends on an option that you delete."))


class OptionInline(HouseTabular[QuestionOption, Question]):
    """What can be chosen."""

    model = QuestionOption
    formset = OptionFormSet
    fields = ["label", "position", "is_retired"]
    verbose_name_plural = gettext_lazy("options, for questions with a choice")


class QuestionAdmin(HouseAdmin[Question]):
    """What the form of a conference asks beside name and address."""

    form = QuestionForm
    inlines = [OptionInline]
    list_display = [
        "label",
        conference_slug,
        "position",
        "kind",
        "is_required",
        "readers",
        "retention_days",
        "is_asked",
    ]
    list_filter = ["conference", "kind", "readers", "is_asked"]
    list_select_related = ["conference"]
    ordering = ["-conference__starts_on", "conference", "position", "pk"]
    search_fields = in_all_languages("label")
    search_by_id = ("public_id",)
    autocomplete_fields = ["conference", "session"]
    prose = frozenset({"help"})
    fieldsets = [
        (None, {"fields": ["conference", "kind", "label", "help", ("is_required", "is_asked")]}),
        (gettext_lazy("When it is asked"), {"fields": ["position", "session", "condition"]}),
        (gettext_lazy("What becomes of the answers"), {"fields": [("retention_days", "readers"), "answered"]}),
    ]

    @staticmethod
    def label_of(question: Question) -> str:
        """The question."""
        return str(question.label)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Question]:
        """With what every page shows."""
        return super().get_queryset(request).select_related("conference", "session")

    def get_readonly_fields(self, request: HttpRequest, obj: Question | None = None) -> Any:
        """The conference stays; the kind does once somebody has answered."""
        fixed = ["conference"] if obj is not None else []
        return ["answered", *fixed, *(["kind"] if obj is not None and obj.answers.exists() else [])]

    def fields_to_save(self, form: Any) -> list[str]:
        """The condition is two columns."""
        condition = ["show_if", "show_if_answers"] if "condition" in form.changed_data else []
        return [*super().fields_to_save(form), *condition]

    @admin.display(description=gettext_lazy("answers so far"))
    def answered(self, question: Question) -> str:
        """How many, and what became of earlier ones."""
        return _state(question, question.conference, question.answers.count() if question.pk else 0)


def _state(question: Question, conference: Conference, count: int) -> str:
    """How many answers there are, until when, or when they were deleted."""
    if not count and question.answers_deleted_at is not None:
        deleted = question.answers_deleted_at.astimezone(conference.zone).date()
        return _("Deleted on %(day)s") % {"day": dates.day(deleted, with_weekday=False)}
    until = question.last_day(conference)
    kept = (
        _("The conference has no last day yet: nothing is deleted.")
        if until is None
        else _("Kept until %(day)s") % {"day": dates.day(until, with_weekday=False)}
    )
    return f"{count} · {kept}"


admin.site.register(Question, QuestionAdmin)


# --- the questions of a conference ------------------------------------------------------------------------------------


def questions_page(request: HttpRequest, conference: Conference) -> HttpResponse:
    """All questions in form order; numbers put them into another one."""
    if request.method == "POST":
        if not request.user.has_perm(_CHANGE, conference):
            raise PermissionDenied
        try:
            ordering.arrange(
                conference=conference,
                positions=_positions(request),
                seen=request.POST.get(seen.FIELD),
                by=actor(request),
                now=timezone.now(),
            )
        except DomainError as error:
            messages.error(request, str(error.message))
        else:
            messages.success(request, _("The order is changed."))
        return HttpResponseRedirect(pages.url("questions", conference))
    rows = Question.objects.filter(conference=conference).select_related("session", "show_if")
    questions = list(
        rows.prefetch_related("options", "show_if__options").annotate(count=Count("answers")).in_form_order()
    )
    for question in questions:
        question.conference = conference
    add = reverse("admin:registration_question_add")
    offered = selectors.offers(conference.slug)
    context = pages.context(request, conference, "questions", _("Questions")) | {
        "questions": [
            {
                "question": question,
                "url": row_url(question),
                "condition": _condition_in_words(question),
                "state": _state(question, conference, question.count),  # type: ignore[attr-defined]
            }
            for question in questions
        ],
        "may_change": request.user.has_perm(_CHANGE, conference),
        "seen": ordering.as_seen(questions),
        "add_url": f"{add}?conference={conference.pk}",
        "form_url": reverse("registration:register", args=[conference.slug]) if offered is not None else "",
    }
    return TemplateResponse(request, "admin/registration/questions/list.html", context)


def _condition_in_words(question: Question) -> str:
    parts = [str(question.session.title)] if question.session is not None else []
    if question.show_if is not None:
        labels = question.show_if.option_labels()
        chosen = " / ".join(labels.get(key, "?") for key in question.show_if_answers)
        parts.append(f"{question.show_if.label}: {chosen}")
    return "; ".join(parts)


def _positions(request: HttpRequest) -> dict[int, int]:
    """The numbers that were typed, by key of their question."""
    found = {}
    for name, sent in request.POST.items():
        key = name.removeprefix("position-")
        is_number = all(one.isascii() and one.isdigit() for one in (key, str(sent)))
        if key != name and is_number and len(key) < 19 and len(str(sent)) < 5:
            found[int(key)] = int(str(sent))
    return found


# --- answers ----------------------------------------------------------------------------------------------------------


def answers_of(request: HttpRequest, participant: Participant) -> str:
    """What one participant answered, for their page in the admin, as far as the reader may see it. On the record."""
    found = services.read_of(participant, readers=_readers(request, participant), by=actor(request), now=timezone.now())
    lines = format_html_join(
        "",
        "<div><dt>{}</dt><dd>{}</dd></div>",
        ((one.question.label, _linked(one, participant.conference)) for one in found),
    )
    return format_html('<dl class="answers">{}</dl>', lines) if found else "-"


def _readers(request: HttpRequest, row: Any) -> list[Readers]:
    found = [Readers.ORGANISERS] if request.user.has_perm(_READ, row) else []
    return [*found, Readers.CONFIDENTIAL] if request.user.has_perm(READ_CONFIDENTIAL, row) else found


def _linked(read: Read, conference: Conference) -> str:
    if read.question.kind != QuestionKind.FILE:
        return read.text
    name = "confidential-answer-file" if read.question.is_confidential else "answer-file"
    return format_html('<a href="{}">{}</a>', pages.url(name, conference, answer=read.answer.public_id), read.text)


def _tally(question: Question, found: Sequence[Read]) -> list[tuple[str, int]]:
    """How often each option was chosen; somebody may have chosen several."""
    values = [value for one in found for value in (one.value if isinstance(one.value, list) else [one.value])]
    return [(label, values.count(key)) for key, label in question.option_labels().items()]


def _page(*, confidential: bool) -> Callable[..., HttpResponse]:
    name = "confidential-answers" if confidential else "answers"

    def page(request: HttpRequest, conference: Conference) -> HttpResponse:
        """Every question with its answers: counts of options, texts, files."""
        by, now = actor(request), timezone.now()
        found = services.read_all(conference, confidential=confidential, by=by, now=now)
        questions = [one for one in answers.questions_of(conference.pk) if one.is_confidential == confidential]
        sections = []
        for question in questions:
            own = [one for one in found if one.question.pk == question.pk]
            in_words = [] if question.kind in CONDITIONAL_ON else own
            sections.append(
                {
                    "question": question,
                    "state": _state(question, conference, len(own)),
                    "tally": _tally(question, own) if question.kind in CONDITIONAL_ON else [],
                    "answers": [
                        (one.participant.display_name, _linked(one, conference)) for one in in_words[:_MOST_SHOWN]
                    ],
                    "more": max(0, len(in_words) - _MOST_SHOWN),
                }
            )
        title = _("Confidential answers") if confidential else _("Answers")
        context = pages.context(request, conference, name, title) | {
            "sections": sections,
            "needs": services.read_needs(conference, by=by, now=now) if confidential else None,
            "files": [
                (label, pages.url(f"{name}-file", conference, kind=kind))
                for kind, label in (("xlsx", ".xlsx"), ("csv-mark", _(".csv for Excel")), ("csv", ".csv"))
            ],
        }
        return TemplateResponse(request, "admin/registration/questions/answers.html", context)

    return page


def _export(*, confidential: bool) -> Callable[..., HttpResponse]:
    name = "confidential-answers" if confidential else "answers"

    def export(request: HttpRequest, conference: Conference, kind: str) -> HttpResponse:
        """Everybody's answers as a table, by display name."""
        if kind not in exports.SHEETS:
            raise Http404
        return long_work.now_or_later(
            request,
            exports.CONFIDENTIAL_ANSWERS if confidential else exports.ANSWERS,
            conference,
            {"kind": kind},
            is_large=export_answers.count(conference) > exports.LARGE_ANSWERS,
            back=pages.url(name, conference),
        )

    return export


def _file(*, confidential: bool) -> Callable[..., HttpResponse]:
    readers = [Readers.CONFIDENTIAL if confidential else Readers.ORGANISERS]

    def file(request: HttpRequest, conference: Conference, answer: UUID) -> HttpResponse:
        """A file that somebody sent; reading it is on the record. Never shown inside our pages."""
        found = services.open_file(
            conference=conference, public_id=answer, readers=readers, by=actor(request), now=timezone.now()
        )
        if found is None:
            raise Http404
        return HttpResponse(
            found.data,
            content_type=found.content_type,
            headers={
                "Content-Disposition": f'attachment; filename="answer.{answers.SUFFIXES[found.content_type]}"',
                "Content-Security-Policy": "sandbox; default-src 'none'",
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "no-store",
            },
        )

    return file


pages.register(
    "questions",
    questions_page,
    permission=_SEE,
    label=gettext_lazy("Questions"),
    order=70,
    group=pages.Group.REGISTRATION,
)
for _name, _label, _permission, _is_confidential in (
    ("answers", gettext_lazy("Answers"), _READ, False),
    ("confidential-answers", gettext_lazy("Confidential answers"), READ_CONFIDENTIAL, True),
):
    _single = "confidential-answer-file" if _is_confidential else "answer-file"
    pages.register(
        _name,
        _page(confidential=_is_confidential),
        permission=_permission,
        label=_label,
        order=71 + _is_confidential,
        group=pages.Group.REGISTRATION,
    )
    pages.register(
        f"{_name}-file",
        _export(confidential=_is_confidential),
        permission=_permission,
        route=f"{_name}/as-file/<slug:kind>/",
        of=_name,
    )
    pages.register(
        _single,
        _file(confidential=_is_confidential),
        permission=_permission,
        route=f"{_name}/<uuid:answer>/",
        of=_name,
    )
