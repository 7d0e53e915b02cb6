"""The root of all errors a person can cause or meet."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class DomainError(Exception):
    """A rule of the domain said no.

    code: stable, for programs. message: translatable, safe to show, says what to do. Subclasses live in the module that
    raises them; pages show the message, the API answers 409 with code and message.
    """

    code = "refused"
    message: str | Promise = _("This is not possible at the moment.")

    def __init__(self, message: str | Promise | None = None) -> None:
        if message is not None:
            self.message = message
        super().__init__(self.code)
