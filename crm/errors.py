"""Errors that a person can act on. A view makes a form error of one, the API a problem document."""

from typing import ClassVar


class DomainError(Exception):
    """Something the business does not allow now. `message` says what is wrong and what to do, in the reader's words."""

    code: ClassVar[str] = "refused"

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        if code:
            self.code = code  # type: ignore[misc]

    def __str__(self) -> str:
        return str(self.message)


class NotAllowed(DomainError):
    """The person may see the thing but not do this to it: 403."""

    code = "not_allowed"


class WrongState(DomainError):
    """The thing is no longer, or not yet, in a state where this is possible: 409."""

    code = "wrong_state"


class IdempotencyConflict(DomainError):
    """The same key came with another body."""

    code = "idempotency_conflict"


class OutsideWorldError(DomainError):
    """A platform, PSP or other outside system answered badly or not at all."""

    code = "outside_world"
