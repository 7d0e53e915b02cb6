#!/usr/bin/env python3
"""Make the secrets files of docker-compose.yml that can be made by chance, in deploy/secrets/. Overwrites nothing.

The files are readable for every user id, because the containers run as users of their own and see the files with the
permissions they have here; the directory is closed to everybody else on this machine.
"""

import base64
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

PLACE = Path(__file__).resolve().parent / "secrets"
MADE: dict[str, Callable[[], str]] = {
    "secret_key": lambda: secrets.token_urlsafe(50),
    "field_encryption_keys": lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "postgres_password": lambda: secrets.token_urlsafe(32),
    "database_url": lambda: f"postgres://alliance:{(PLACE / 'postgres_password').read_text()}@postgres:5432/alliance",
    "redis_config": lambda: f"requirepass {secrets.token_urlsafe(32)}\n",
    "redis_url": lambda: f"redis://:{(PLACE / 'redis_config').read_text().split()[1]}@redis:6379/0",
}
GIVEN = {
    "email_url": "the mail server, such as smtp+tls://user:password@mail.example.org:587",
    "tls_certificate": "the site's certificate with its chain (PEM)",
    "tls_key": "the certificate's private key (PEM)",
}


def main() -> int:
    """Make what is missing, and name what only you can give; 1 when something is still missing."""
    PLACE.mkdir(exist_ok=True)
    PLACE.chmod(0o700)
    for name, make in MADE.items():
        path = PLACE / name
        if path.exists():
            print(f"{path}: kept")
            continue
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444), "w", encoding="ascii") as file:
            file.write(make())
        path.chmod(0o444)
        print(f"{path}: made")
    missing = {name: what for name, what in GIVEN.items() if not (PLACE / name).exists()}
    for name, what in missing.items():
        print(f"{PLACE / name}: missing; put there {what}, and make it readable (chmod 444)")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
