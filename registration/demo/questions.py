"""Two questions of the workshop, in six languages: one of everybody, one of those who say yes."""

from __future__ import annotations

from events.models import Conference
from registration.models import Question, QuestionKind
from registration.models.question import YES

_WORKED_BEFORE = {
    "en": "Have you worked with traces left on-line before?",
    "fr": "Avez-vous déjà travaillé sur des traces laissées en ligne ?",
    "de": "Haben Sie schon mit Spuren gearbeitet, die im Netz geblieben sind?",
    "it": "Ha già lavorato con tracce lasciate in rete?",
    "es": "¿Ha trabajado ya con rastros dejados en línea?",
    "ru": "Работали ли вы раньше со следами, оставленными в сети?",
}
_TWO_GROUPS = {
    "en": "The trainers form two groups by experience.",
    "fr": "Les formateurs constituent deux groupes selon l’expérience.",
    "de": "Die Ausbilder bilden nach Erfahrung zwei Gruppen.",
    "it": "I formatori creano due gruppi in base all’esperienza.",
    "es": "Los formadores organizan dos grupos según la experiencia.",
    "ru": "Преподаватели составят две группы по опыту.",
}
_WHAT_TO_PRACTISE = {
    "en": "What would you like to practise?",
    "fr": "Que souhaitez-vous pratiquer ?",
    "de": "Was möchten Sie üben?",
    "it": "Che cosa vorrebbe esercitare?",
    "es": "¿Qué le gustaría practicar?",
    "ru": "Что вы хотели бы отработать на практике?",
}
_EXERCISES = {
    "en": "The exercises are chosen accordingly. Please name no case and no person.",
    "fr": "Les exercices seront choisis en conséquence. Merci de ne citer ni affaire ni personne.",
    "de": "Danach werden die Übungen ausgewählt. Nennen Sie bitte keinen Fall und keine Person.",
    "it": "Gli esercizi saranno scelti di conseguenza. La preghiamo di non citare casi né persone.",
    "es": "Los ejercicios se elegirán en consecuencia. No mencione casos ni personas, por favor.",
    "ru": "По ответам подбираются упражнения. Пожалуйста, не называйте ни дел, ни людей.",
}


def load(conference: Conference) -> None:
    """Ask them. Nothing is required, so that the form can be tried without them."""
    before = Question.objects.create(
        conference=conference,
        kind=QuestionKind.YES_NO,
        label=_WORKED_BEFORE,
        help=_TWO_GROUPS,
        position=10,
        retention_days=30,
    )
    Question.objects.create(
        conference=conference,
        kind=QuestionKind.LINES,
        label=_WHAT_TO_PRACTISE,
        help=_EXERCISES,
        position=20,
        retention_days=30,
        show_if=before,
        show_if_answers=[YES],
    )
