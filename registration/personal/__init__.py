"""What stands behind the link in the mail: choices, corrections, consents, copy, deletion (docs/personal-page.md)."""
