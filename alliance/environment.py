"""Reading settings from the environment: typed, with secrets files, and errors that name the variable."""

import os
from pathlib import Path
from urllib.parse import quote

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()


def load_secret_files() -> None:
    """Read NAME_FILE (a file path, as container secrets are given) into NAME, for every such variable we know."""
    for name in ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "EMAIL_URL", "FIELD_ENCRYPTION_KEYS"):
        path = os.environ.get(f"{name}_FILE")
        if path and name not in os.environ:
            try:
                os.environ[name] = Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise ImproperlyConfigured(f"{name}_FILE: cannot read {path} ({error.strerror}).") from error
    password = os.environ.get("DATABASE_PASSWORD_FILE")
    if password and "DATABASE_URL" in os.environ:
        try:
            secret = quote(Path(password).read_text(encoding="utf-8").strip(), safe="")
        except OSError as error:
            raise ImproperlyConfigured(f"DATABASE_PASSWORD_FILE: cannot read {password} ({error.strerror}).") from error
        os.environ["DATABASE_URL"] = os.environ["DATABASE_URL"].replace("PASSWORD", secret, 1)


def required(name: str, what: str) -> str:
    """The value of a variable that must be set.

    what: one sentence for the person who starts the program, saying what the variable is for.
    Raises ImproperlyConfigured with the variable's name when it is missing or empty.
    """
    value = os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set: {what} See docs/operations.md, or use ./run demo.")
    return value
