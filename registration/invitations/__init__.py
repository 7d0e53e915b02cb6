"""Personal invitations: their list, their mails, and the page behind the link (docs/invitations.md)."""
