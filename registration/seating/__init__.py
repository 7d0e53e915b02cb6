"""Places as facts: how many, in which line, what clashes, what is offered meanwhile (docs/admissions.md)."""
