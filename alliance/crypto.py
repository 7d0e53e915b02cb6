"""Encryption at rest, derived tokens and their hashes. Keys come from FIELD_ENCRYPTION_KEYS and SECRET_KEY.

FIELD_ENCRYPTION_KEYS can be rotated. SECRET_KEY cannot yet: tokens and blind indexes are made with it, and their hashes
are stored (docs/operations.md, "Keys").
"""

import base64
import hashlib
import hmac
import json
import secrets
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

_NONCE_BYTES = 12


class Unreadable(Exception):
    """A ciphertext does not open: another key, another row, or somebody changed it."""


@lru_cache(maxsize=4)
def _house_keys(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise ImproperlyConfigured(
            "FIELD_ENCRYPTION_KEYS must be Fernet keys: 32 random bytes each, url-safe base64."
        ) from error


def _house() -> MultiFernet:
    return _house_keys(tuple(settings.FIELD_ENCRYPTION_KEYS))


def encrypt(text: str) -> str:
    """Text encrypted with the first of FIELD_ENCRYPTION_KEYS."""
    return _house().encrypt(text.encode()).decode("ascii")


def decrypt(ciphertext: str) -> str:
    """The text behind encrypt(). Raises Unreadable."""
    try:
        return _house().decrypt(ciphertext.encode("ascii")).decode()
    except (InvalidToken, UnicodeEncodeError) as error:
        raise Unreadable from error


def encrypt_bytes(data: bytes) -> bytes:
    """Bytes encrypted with the first of FIELD_ENCRYPTION_KEYS; a third larger than they were."""
    return _house().encrypt(data)


def decrypt_bytes(ciphertext: bytes) -> bytes:
    """The bytes behind encrypt_bytes(). Raises Unreadable."""
    try:
        return _house().decrypt(bytes(ciphertext))
    except InvalidToken as error:
        raise Unreadable from error


def new_person_key() -> tuple[bytes, bytes]:
    """A fresh 256-bit key for one person, as (the key, the key wrapped by the house key for storing)."""
    key = AESGCM.generate_key(bit_length=256)
    return key, _house().encrypt(key)


def unwrap_person_key(wrapped: bytes) -> bytes:
    """The key of a person from its stored form. Raises Unreadable."""
    try:
        return _house().decrypt(bytes(wrapped))
    except InvalidToken as error:
        raise Unreadable from error


def seal(data: dict[str, Any], *, key: bytes, row: bytes) -> bytes:
    """The data as AES-GCM ciphertext, bound to its row: the same bytes in another row do not open."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    plain = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    return nonce + AESGCM(key).encrypt(nonce, plain, row)


def unseal(ciphertext: bytes, *, key: bytes, row: bytes) -> dict[str, Any]:
    """The data behind seal(). Raises Unreadable."""
    raw = bytes(ciphertext)
    try:
        plain = AESGCM(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], row)
    except InvalidTag as error:
        raise Unreadable from error
    data: dict[str, Any] = json.loads(plain)
    return data


def _mac(purpose: str, *parts: str) -> bytes:
    message = "\x1f".join((purpose, *parts)).encode()
    return hmac.new(settings.SECRET_KEY.encode(), message, hashlib.sha256).digest()


def derive_token(purpose: str, *parts: str) -> str:
    """A secret of 256 bits for a personal link, always the same for the same parts.

    Nothing but its hash is stored (token_hash), and a mail that is sent again carries the same link. Raising a version
    number among the parts makes the old link worthless.
    """
    return base64.urlsafe_b64encode(_mac(purpose, *parts)).rstrip(b"=").decode("ascii")


def token_hash(token: str) -> bytes:
    """What is stored of a token: its SHA-256."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def blind_index(purpose: str, value: str) -> bytes:
    """A keyed hash by which an encrypted value can be found again by equality, and by nothing else."""
    return _mac(f"index:{purpose}", value)
