"""Structured logs: one event a line, ids only. Names, addresses and personal links have no place in a log.

Texts of exceptions are left out: PostgreSQL quotes the failing row in them, and a ValueError what somebody typed.
What is kept is the chain of types, the constraint where there is one, and the lines of code.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

# Loggers of libraries whose texts hold paths (with personal tokens) or texts of exceptions.
_WORDY = ("django.request", "django.security", "celery.app.trace", "celery.worker.job")
_KEPT = {"event", "level", "logger", "timestamp", "request_id", "status_code", "exception", "exc_info"}


def without_words(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace what wordy loggers say by their name, and keep only harmless fields of theirs."""
    name = str(event.get("logger", ""))
    if name.startswith(_WORDY):
        for field in set(event) - _KEPT - {key for key in event if key.startswith("_")}:
            del event[field]
        event["event"] = name
    return event


def exception_types(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Turn exc_info into the chain of types with the lines of code, without any text of the exceptions."""
    info = event.pop("exc_info", None)
    if not info:
        return event
    error = sys.exc_info()[1] if info is True else info[1] if isinstance(info, tuple) else info
    chain = []
    while isinstance(error, BaseException):
        frames = [
            f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)
        ]
        constraint = getattr(getattr(error, "diag", None), "constraint_name", None)
        chain.append(
            {"type": type(error).__qualname__, "at": frames[-8:]} | ({"constraint": constraint} if constraint else {})
        )
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    event["exception"] = chain
    return event


def exception_as_text(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The chain of types on lines of its own, as the renderer for terminals wants it."""
    if chain := event.pop("exception", None):
        links = [[link["type"], link.get("constraint", ""), *(f"  {frame}" for frame in link["at"])] for link in chain]
        event["exception"] = "\n".join(line for link in links for line in link if line)
    return event


def configuration(*, as_json: bool) -> dict[str, Any]:
    """The value of settings.LOGGING; JSON lines in production, readable lines on a terminal."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        exception_types,
        without_words,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderers: list[Any] = [structlog.processors.JSONRenderer()]
    if not as_json:
        renderers = [exception_as_text, structlog.dev.ConsoleRenderer(colors=False)]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
                "foreign_pre_chain": [structlog.stdlib.ExtraAdder(), *shared],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            "django.request": {"level": "ERROR"},
            "django.security": {"level": "WARNING"},
            "django.server": {"level": "WARNING"},
            "celery": {"level": "INFO"},
            "celery.app.trace": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
            "celery.worker.strategy": {"level": "WARNING"},
            "django.db.backends": {"level": "WARNING"},
        },
    }
