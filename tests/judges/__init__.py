"""Programs that others wrote judge what we write: the Nu HTML checker, libical, vobject, feedparser."""
