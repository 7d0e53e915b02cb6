"""What is told to programs of others, and how it leaves (docs/webhooks.md)."""
