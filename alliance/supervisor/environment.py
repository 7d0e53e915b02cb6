"""The settings of the demo's processes, and the command lines of this environment's Python."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import sys

from . import layout


def python(*arguments: str) -> list[str]:
    """A command line of this environment's Python."""
    return [sys.executable, *arguments]


def manage(*arguments: str) -> list[str]:
    """The command line of a management command."""
    return python("-m", "manage", *arguments)


def kept_secrets() -> dict[str, str]:
    """The demo's own keys, made once and kept, so that a second start can read the first one's data."""
    path = layout.VAR / "demo.env"
    kept: dict[str, str] = {}
    with contextlib.suppress(FileNotFoundError):
        lines = path.read_text(encoding="utf-8").splitlines()
        kept = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    if not {"SECRET_KEY", "FIELD_ENCRYPTION_KEYS"} <= kept.keys():
        kept.setdefault("SECRET_KEY", secrets.token_urlsafe(50))
        kept.setdefault("FIELD_ENCRYPTION_KEYS", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
        draft = path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write("# Keys of this checkout's demo. Without them its data cannot be read.\n")
            file.writelines(f"{name}={value}\n" for name, value in kept.items())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    return kept


def demo_environment(port: int, mail_port: int, urls: dict[str, str]) -> dict[str, str]:
    """The environment of the demo's processes. What the person has set in their own environment wins."""
    ours = {
        **kept_secrets(),
        "DJANGO_SETTINGS_MODULE": "alliance.settings",
        "DEBUG": "0",
        "DEMO": "1",
        "DEMO_MAILBOX_DIR": str(layout.VAR / "mail"),
        "SITE_URL": f"http://127.0.0.1:{port}",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}",
        "LOG_FORMAT": "console",
        "PYTHONUNBUFFERED": "1",
        **urls,
    }
    set_by_person = {name for name in ours if name in os.environ or f"{name}_FILE" in os.environ}
    return {**os.environ, **{name: value for name, value in ours.items() if name not in set_by_person}}


def given(name: str) -> bool:
    """Has the person set this variable, or the file that holds it?"""
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))
