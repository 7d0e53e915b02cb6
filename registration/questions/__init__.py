"""Organisers' own questions: when one is asked, its field, its answer, its file (docs/questions.md)."""
