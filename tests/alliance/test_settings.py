"""A start says which variable is missing or wrong, and a production start is clean."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core import checks
from django.core.exceptions import ImproperlyConfigured

from tests import services

ROOT = Path(__file__).resolve().parents[2]
REQUIRED = ["SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "SITE_URL", "DATABASE_URL", "REDIS_URL", "EMAIL_URL"]
SECRETS = [
    "SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "DATABASE_URL", "REDIS_URL", "EMAIL_URL", "METRICS_TOKEN", "BOUNCE_MAILBOX",
    "OIDC_CLIENT_SECRET", "ZOOM_TWO_CLIENT_SECRET", "TEAMS_REFRESH_TOKEN",
]  # fmt: skip


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A complete environment, and nothing of the surrounding one that would change it."""
    for name in SECRETS:  # reading secret files sets these: whatever they were is put back
        monkeypatch.setenv(name, "")
    for name in list(os.environ):
        if name.removesuffix("_FILE") in {*REQUIRED, *SECRETS, "ALLOWED_HOSTS", "DEBUG", "DEMO", "BEHIND_PROXY"}:
            monkeypatch.delenv(name)
    for name, value in services.servers.trial_environment().items():
        monkeypatch.setenv(name, value)


def load() -> dict[str, Any]:
    """What alliance/settings.py says in the present environment."""
    return runpy.run_path(str(ROOT / "alliance" / "settings.py"))


def test_start_with_everything_is_fine() -> None:
    assert load()["SITE_URL"] == "http://testserver"


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("value", [None, ""])
def test_start_without_a_variable_stops_and_names_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str | None
) -> None:
    monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)

    with pytest.raises(ImproperlyConfigured, match=rf"^{name} is not set: .+ See docs/operations.md"):
        load()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "canary"),
        ("DATABASE_URL", "mysql://user:canary@host/name"),
        ("DATABASE_URL", "postgres://user:canary@host:port/name"),
        ("REDIS_URL", "http://canary"),
        ("REDIS_URL", "redis:canary"),
        ("EMAIL_URL", "mail.canary.example"),
        ("EMAIL_URL", "gmail://canary@host"),
        ("SITE_URL", "canary.example.org"),
        ("SITE_URL", "ftp://canary.example.org"),
        ("FIELD_ENCRYPTION_KEYS", "canary"),
        ("FIELD_ENCRYPTION_KEYS", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=,canary"),
        ("FIELD_ENCRYPTION_KEYS", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=,"),
    ],
)
def test_start_with_a_wrong_variable_names_it_and_does_not_quote_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ImproperlyConfigured, match=f"^{name}") as raised:
        load()

    assert "canary" not in str(raised.value)


@pytest.mark.parametrize("address", ["https://alliance.example.org", "http://10.0.0.7:8000"])
def test_demo_with_its_open_mailbox_starts_on_this_machine_only(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("DEMO", "1")
    monkeypatch.setenv("SITE_URL", address)

    with pytest.raises(ImproperlyConfigured, match=r"^DEMO "):
        load()

    monkeypatch.setenv("SITE_URL", "http://127.0.0.1:8000")
    assert load()["DEMO"] is True


@pytest.mark.parametrize("name", SECRETS)
def test_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    value = os.environ.get(name, "token")
    (tmp_path / "secret").write_text(f"{value}\n", encoding="utf-8")
    monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(f"{name}_FILE", str(tmp_path / "secret"))

    load()

    assert os.environ[name] == value
    monkeypatch.delenv(name)


def test_secret_file_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SECRET_KEY")
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "missing"))

    with pytest.raises(ImproperlyConfigured, match=r"^SECRET_KEY_FILE: cannot read"):
        load()


def test_https_site_keeps_cookies_and_transport_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_URL", "https://alliance.example.org/")
    monkeypatch.delenv("ALLOWED_HOSTS")

    found = load()

    assert found["SITE_URL"] == "https://alliance.example.org"
    assert found["ALLOWED_HOSTS"] == ["alliance.example.org"]
    assert found["SECURE_SSL_REDIRECT"] is True
    assert found["SECURE_HSTS_SECONDS"] > 365 * 24 * 3600
    assert found["SESSION_COOKIE_NAME"] == "__Host-session"
    assert found["SESSION_COOKIE_SECURE"] is found["CSRF_COOKIE_SECURE"] is True
    assert found["DEBUG"] is found["DEMO"] is False
    assert "SECURE_PROXY_SSL_HEADER" not in found


def manage(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a management command as a person would."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, timeout=60, check=False
    )


def test_production_settings_pass_every_check_of_django() -> None:
    done = manage(
        "check",
        "--deploy",
        "--fail-level=WARNING",
        SITE_URL="https://alliance.example.org",
        ALLOWED_HOSTS="alliance.example.org",
        BEHIND_PROXY="1",
        SECOND_FACTOR_REQUIRED="1",
    )

    assert (done.returncode, done.stdout) == (0, "System check identified no issues (0 silenced).\n"), done.stderr


def test_deployment_check_warns_of_passwords_alone(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("DEBUG", "DEMO", "SECOND_FACTOR_REQUIRED"):
        monkeypatch.delenv(variable, raising=False)
    assert load()["SECOND_FACTOR_REQUIRED"] is True
    found = {}
    for found_required in (True, False):
        settings.SECOND_FACTOR_REQUIRED = found_required
        messages = checks.run_checks(tags=[checks.Tags.security], include_deployment_checks=True)
        found[found_required] = "accounts.W001" in {message.id for message in messages}

    assert found == {True: False, False: True}


def test_command_without_a_secret_ends_with_its_name() -> None:
    done = manage("check", SECRET_KEY="")

    assert done.returncode == 1
    assert (
        done.stderr.rstrip()
        .splitlines()[-1]
        .endswith(
            "SECRET_KEY is not set: it signs sessions and personal links; make one of 50 random characters. "
            "See docs/operations.md, or use ./run demo."
        )
    )


def test_no_task_of_the_clock_outlives_its_period() -> None:
    schedule = load()["CELERY_BEAT_SCHEDULE"]

    assert all(entry["options"]["expires"] == entry["schedule"] for entry in schedule.values())
