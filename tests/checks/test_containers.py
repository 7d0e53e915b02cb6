"""The container files against the project: what is named in one place must not be forgotten in another."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import yaml
from django.conf import settings
from django.urls import reverse
from django.utils import translation

from tests.services import ROOT


def compose() -> dict[str, dict[str, dict[str, object]]]:
    """docker-compose.yml, with its anchors resolved."""
    found: dict[str, dict[str, dict[str, object]]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return found


def own_apps() -> set[str]:
    """The packages of this project that the settings install."""
    names = {name.split(".")[0] for name in settings.INSTALLED_APPS}
    return {name for name in names if (ROOT / name / "__init__.py").exists()}


def test_every_app_gets_into_the_image() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert own_apps() <= allowed
    compiled = re.search(r"compileall -q ((?:\w+ ?)+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert compiled is not None
    assert own_apps() == set(compiled[1].split())


def test_only_the_pins_of_production_get_into_the_image() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert re.findall(r"requirements/\w+\.txt", text) == ["requirements/base.txt"] * 3
    assert "--require-hashes" in text


def test_every_process_is_an_ordinary_user_on_a_read_only_disk() -> None:
    for name, service in compose()["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert str(service["user"]) not in {"", "0", "root", "0:0"}, name
        assert service["mem_limit"], name
        assert service["pids_limit"], name


def test_every_secret_that_a_service_wants_is_a_file_that_make_secrets_knows() -> None:
    content = compose()
    wanted = {secret for service in content["services"].values() for secret in service.get("secrets", [])}  # type: ignore[attr-defined]
    known = set(re.findall(r'^    "(\w+)":', (ROOT / "deploy" / "make_secrets.py").read_text(), re.MULTILINE))
    assert wanted == set(content["secrets"]) == known
    assert all(Path(str(secret["file"])).parent == Path("deploy/secrets") for secret in content["secrets"].values())


def test_nothing_starts_before_the_database_is_migrated() -> None:
    services = compose()["services"]
    for name in ("web", "worker", "beat"):
        needs = services[name]["depends_on"]
        assert needs == {
            "postgres": {"condition": "service_healthy"},
            "redis": {"condition": "service_healthy"},
            "migrate": {"condition": "service_completed_successfully"},
        }


def test_only_nginx_can_be_reached_from_outside() -> None:
    services = compose()["services"]
    assert [name for name, service in services.items() if "ports" in service] == ["nginx"]
    assert compose()["networks"]["back"] == {"internal": True}
    assert services["postgres"]["networks"] == services["redis"]["networks"] == ["back"]


def test_no_request_is_logged_with_its_path() -> None:
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    assert re.findall(r"access_log (\w+);", text) == ["off"]
    assert re.findall(r"error_log \S+ (\w+);", text) == ["alert"]
    assert "accesslog = None" in (ROOT / "deploy" / "gunicorn.conf.py").read_text()
    assert "control_socket_disable = True" in (ROOT / "deploy" / "gunicorn.conf.py").read_text()
    database: list[str] = compose()["services"]["postgres"]["command"]  # type: ignore[assignment]
    assert {"log_min_error_statement=panic", "log_error_verbosity=terse"} <= set(database)


def test_forms_of_registration_are_limited_for_each_address_and_reading_is_not() -> None:
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    limited = re.search(r'map "\$request_method \$uri" \$sends_registration \{\s+default "";\s+"~(.+)" (\S+);', text)
    assert limited is not None
    assert limited[2] == "$binary_remote_addr"
    assert "limit_req_zone $sends_registration zone=registrations:10m rate=600r/m;" in text
    with translation.override("en"):
        form = reverse("registration:register", args=["alliance-20"])
    assert re.search(limited[1], f"POST {form}")
    for other in (f"GET {form}", f"HEAD {form}", "POST /r/token/", "POST /en/", "GET /en/alliance-20/programme/"):
        assert not re.search(limited[1], other)
    assert re.search(r"location / \{[^}]*limit_req zone=registrations burst=600 nodelay;", text)
    assert "limit_req_status 429;" in text


def test_pages_of_nginx_are_in_six_languages_and_their_style_is_let_in() -> None:
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    named = re.findall(r"error_page [\d ]+ /-/pages/(\S+);", text)
    pages = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "deploy" / "pages").iterdir()}
    assert sorted(named) == sorted(pages)
    let_in = re.search(r"style-src '(sha256-[^']+)'", text)
    assert let_in is not None
    for page in pages.values():
        style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
        assert style is not None
        assert f"sha256-{b64encode(sha256(style[1].encode()).digest()).decode()}" == let_in[1]
        assert set(re.findall(r'lang="(\w\w)"', page)) == {code for code, _name in settings.LANGUAGES}
        assert "Exit this page" in page
        assert not re.search(r"<script|<img|<link|url\(", page)
