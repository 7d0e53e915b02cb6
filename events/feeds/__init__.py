"""The public programme in open formats: a calendar, and the schedule that conference apps read (docs/feeds.md)."""
