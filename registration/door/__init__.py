"""Codes, check-in, badges and certificates (docs/door.md)."""
