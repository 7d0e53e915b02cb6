"""Reading settings from the environment: typed, with secrets files, and errors that name the variable."""

import base64
import os
from pathlib import Path
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()


_SECRETS = frozenset(
    {
        "SECRET_KEY",
        "DATABASE_URL",
        "REDIS_URL",
        "EMAIL_URL",
        "FIELD_ENCRYPTION_KEYS",
        "METRICS_TOKEN",
        "BOUNCE_MAILBOX",
    }
)
_ENDINGS = ("_SECRET", "_REFRESH_TOKEN")  # of video platforms, whose host accounts choose the beginnings, and OpenID


def load_secret_files() -> None:
    """Read NAME_FILE (a file path, as container secrets are given) into NAME, for every secret."""
    others = {name.removesuffix("_FILE") for name in os.environ if name.endswith("_FILE")}
    for name in sorted(_SECRETS | {one for one in others if one.endswith(_ENDINGS)}):
        path = os.environ.get(f"{name}_FILE")
        if path and name not in os.environ:
            try:
                os.environ[name] = Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise ImproperlyConfigured(f"{name}_FILE: cannot read {path} ({error.strerror}).") from error


def address(name: str, schemes: str, what: str) -> str:
    """The address of a server, from a variable that must be set.

    schemes: those that may stand before "://", separated by spaces. what: as in required.
    Raises ImproperlyConfigured with the variable's name, never with its value: there may be a password in it.
    """
    value = required(name, what)
    try:
        parts = urlsplit(value)
        readable = parts.scheme in schemes.split() and "://" in value and (parts.port is None or parts.port > 0)
    except ValueError:
        readable = False
    if not readable:
        raise ImproperlyConfigured(f"{name} cannot be read: {what} It starts with one of: {schemes}.")
    return value


def required(name: str, what: str) -> str:
    """The value of a variable that must be set.

    what: one sentence for the person who starts the program, saying what the variable is for.
    Raises ImproperlyConfigured with the variable's name when it is missing or empty.
    """
    value = os.environ.get(name, "")
    if not value:
        raise ImproperlyConfigured(f"{name} is not set: {what} See docs/operations.md, or use ./run demo.")
    return value


def is_fernet_key(text: str) -> bool:
    """Whether the text is a key that alliance.crypto can use: found out at the start, not at the first registration."""
    try:
        return len(base64.b64decode(text, altchars=b"-_", validate=True)) == 32
    except ValueError:
        return False
