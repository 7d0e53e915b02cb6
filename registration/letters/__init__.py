"""The mails of registration: which leaves when, what stands in it, and what comes back (docs/mails.md)."""
