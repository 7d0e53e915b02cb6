"""The pages of focal points, and the official list of participants by delegation (docs/delegations.md)."""
