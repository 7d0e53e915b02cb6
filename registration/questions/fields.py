"""Form fields for the questions of a conference, and what the answers of a form come to.

Any form may carry them, the registration form and the one by which people correct their data alike:

    self.fields |= {question.name: question_fields.build(question) for question in questions}
    ...
    def clean(self):
        data = super().clean()
        self.given = question_fields.settle(self, questions, sessions=...)

Templates show them by registration/_question.html. Values survive an error as those of any field do; for files see
registration.services.answers.keep.

To correct answers: `own = answers.own(participant, now=now)`; the fields of those that are open, built with their
present value; `initial(own)`; settle() with has_file=with_file(own); then registration.services.answers.change().
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.forms import BoundField
from django.utils.html import conditional_escape, format_html
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from alliance.languages import Translations
from registration.fields import LinesField, PlainTextField
from registration.models import Question, QuestionKind
from registration.models.question import NO, YES
from registration.questions import answers
from registration.questions.answers import Given, OwnAnswer, Upload

MOST_LETTERS, MOST_LETTERS_OF_LINES = 500, 4000
_MOST_RADIOS = 7
_ACCEPT = ".pdf,.png,.jpg,.jpeg,.docx"
_KEPT, _DROPPED = "-kept", "-dropped"  # what follows a file field's name: one is there already, and "leave it out"


def in_language(text: Translations) -> str:
    """A text in the best language, marked with lang= where that is not the page's."""
    best = text.best()
    if best.language == (get_language() or "en").split("-")[0]:
        return conditional_escape(best.text)
    return format_html('<span lang="{}">{}</span>', best.language, best.text)


class FileInput(forms.FileInput):
    """Chooses a file. Says which one is there already, with a box that leaves it out again; browsers refill no file.

    kept_name: of a file that came with this form and waits for its errors to be corrected. stored_name: of one that is
    the answer already.
    """

    template_name = "registration/_question_file.html"
    kept_name: str = ""
    stored_name: str = ""

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """With the name of the kept file."""
        context = super().get_context(name, value, attrs)
        context["widget"] |= {
            "kept_name": self.kept_name,
            "stored_name": self.stored_name,
            "kept_field": name + _KEPT,
            "dropped_field": name + _DROPPED,
        }
        return context


class FileField(forms.FileField):
    """A file of a type we take, known by its content. Cleans to an Upload, or None."""

    widget = FileInput
    default_error_messages = {
        "refused": gettext_lazy("Send a PDF, PNG, JPEG or Word (.docx, without macros) file of at most 5 MB."),
    }

    def clean(self, data: Any, initial: Any = None) -> Any:
        """The file in clear."""
        file = super().clean(data, initial)
        if not isinstance(file, UploadedFile):
            return None
        if (file.size or 0) > answers.MOST_BYTES:
            raise ValidationError(self.error_messages["refused"], code="refused")
        content = file.read()
        file.seek(0)
        kind = answers.content_type(content)
        if kind is None:
            raise ValidationError(self.error_messages["refused"], code="refused")
        name = "".join(letter for letter in file.name or "" if letter.isprintable())[-100:]
        return Upload(name or f"file.{answers.SUFFIXES[kind]}", kind, content)


def build(question: Question, *, present: Any = None) -> forms.Field:
    """The field of one question in the active language. Needs its options loaded.

    Required if the question is; settle() takes that back where its condition is not met. present: the answer that is
    stored, so that an option chosen before it was retired can stay, and a file is named.
    """
    label = in_language(question.label)
    common: dict[str, Any] = {
        "label": label,
        "required": question.is_required,
        "help_text": in_language(question.help),
        "error_messages": {"required": _("Answer the question “%(question)s”.") % {"question": question.label}},
    }
    match question.kind:
        case QuestionKind.TEXT:
            return PlainTextField(longest=MOST_LETTERS, widget=forms.TextInput(attrs={"autocomplete": "off"}), **common)
        case QuestionKind.LINES:
            return LinesField(
                longest=MOST_LETTERS_OF_LINES, widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off"}), **common
            )
        case QuestionKind.FILE:
            hint = format_html("{} {}", common["help_text"], _("PDF, PNG, JPEG or Word (.docx), at most 5 MB."))
            field = FileField(widget=FileInput(attrs={"accept": _ACCEPT}), **common | {"help_text": hint})
            field.widget.stored_name = present["name"] if present else ""
            return field
    options = _options(question, present if isinstance(present, list) else [present])
    common["error_messages"]["invalid_choice"] = _("Choose one of the answers offered.")
    if question.kind == QuestionKind.CHOICES:
        return forms.MultipleChoiceField(choices=options, widget=forms.CheckboxSelectMultiple, **common)
    if not question.is_required:
        options = [*options, ("", _("No answer"))]
    if len(options) > _MOST_RADIOS:
        first = [("", _("Choose one"))] if question.is_required else []
        return forms.ChoiceField(choices=[*first, *options], **common)
    return forms.ChoiceField(choices=options, widget=forms.RadioSelect, **common)


def _options(question: Question, present: Collection[Any]) -> list[tuple[str, Any]]:
    if question.kind == QuestionKind.YES_NO:
        return [(YES, _("Yes")), (NO, _("No"))]
    return [
        (option.key, in_language(option.label))
        for option in question.options.all()
        if not option.is_retired or option.key in present
    ]


def build_all(questions: Iterable[Question]) -> dict[str, forms.Field]:
    """The fields of several questions by their names in a form."""
    return {question.name: build(question) for question in questions}


def initial(own: Iterable[OwnAnswer]) -> dict[str, Any]:
    """Initial values of a form by which somebody corrects their answers. Files start empty: sending one replaces it."""
    return {
        one.question.name: one.value for one in own if one.value is not None and one.question.kind != QuestionKind.FILE
    }


def with_file(own: Iterable[OwnAnswer]) -> set[int]:
    """Keys of the questions to which somebody has sent a file."""
    return {one.question.pk for one in own if one.value is not None and one.question.kind == QuestionKind.FILE}


def files_that_stay(
    form: Any, given: Iterable[Given], has_file: Collection[int], questions: Sequence[Question]
) -> set[int]:
    """Keys of the questions whose stored file stays: no other one was sent, and the box to drop it is not ticked."""
    replaced = {one.question.pk for one in given}
    return {
        question.pk
        for question in questions
        if question.pk in has_file and question.pk not in replaced and form.data.get(question.name + _DROPPED) is None
    }


def when(question: Question, source: Question | None, *, names_session: bool) -> str:
    """The sentence that says of whom a question is asked, for pages without scripts; empty: of everybody."""
    parts = []
    if question.session is not None and names_session:
        parts.append(_("Answer this if you chose “%(choice)s” above.") % {"choice": question.session.title})
    if source is not None:
        labels = source.option_labels()
        chosen = " / ".join(labels[key] for key in question.show_if_answers if key in labels)
        words = {"answer": chosen, "question": source.label}
        parts.append(_("Answer this if your answer to “%(question)s” is: %(answer)s.") % words)
    return " ".join(parts)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as a page shows it. The last three tell questions.js when to show it, by names of form fields."""

    question: Question
    field: BoundField
    when: str = ""
    session_field: str = ""
    source_field: str = ""
    source_answers: str = ""


def shown(form: Any, questions: Sequence[Question], *, session_fields: Mapping[int, str] | None = None) -> list[Asked]:
    """The questions of a form for templates/registration/_questions.html.

    session_fields: the fields by which sessions are chosen on the same form, by key of the session. A form without them
    has nothing to say about sessions: it asks the right questions anyway.
    """
    by_key = {question.pk: question for question in questions}
    found = []
    for question in questions:
        source = by_key.get(question.show_if_id or 0)
        session_field = (session_fields or {}).get(question.session_id or 0, "")
        found.append(
            Asked(
                question,
                form[question.name],
                when(question, source, names_session=bool(session_field)),
                session_field,
                source.name if source is not None else "",
                " ".join(question.show_if_answers) if source is not None else "",
            )
        )
    return found


def settle(
    form: Any,
    questions: Sequence[Question],
    *,
    sessions: Collection[int],
    find_kept: Callable[[], Mapping[int, Upload]] | None = None,
    has_file: Collection[int] = (),
) -> list[Given]:
    """What the answers of a form come to: call it in clean(). Errors of questions that are not put are taken back.

    sessions: keys of the sessions that were chosen. find_kept: finds the files kept for this form by key of their
    question; asked only when the form says that there is one. has_file: keys of questions whose file is stored already,
    so that a required one need not be sent again; such a question is not among the result.
    """
    put: dict[int, Question] = {}
    values: dict[int, Any] = {}
    found: list[Given] = []
    kept: Mapping[int, Upload] | None = None
    for question in questions:
        name = question.name
        if not answers.is_asked(question, sessions=sessions, values=values, asked=put):
            form.errors.pop(name, None)
            form.cleaned_data.pop(name, None)
            continue
        put[question.pk] = question
        value = form.cleaned_data.get(name)
        if question.kind == QuestionKind.FILE and not value and form.data.get(name + _DROPPED) is None:
            if find_kept is not None and form.data.get(name + _KEPT) and not form.has_error(name, "refused"):
                kept = find_kept() if kept is None else kept
                value = kept.get(question.pk)
            if (value or question.pk in has_file) and form.has_error(name, "required"):
                del form.errors[name]
            if value:
                form.cleaned_data[name] = value
        if isinstance(value, Upload):
            form.fields[name].widget.kept_name = value.name
        if value:
            values[question.pk] = value
            found.append(Given(question, value))
    return found
