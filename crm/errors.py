"""Errors that a person can act on. A view makes a form error of one, the API a problem document."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Generic, Literal, TypeAlias, TypeVar

T = TypeVar("T")


class DomainError(Exception):
    """A refusal by a business rule. `message` says what is wrong and what to do, in the reader's words."""

    code: ClassVar[str] = "refused"

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.reasons = [message]  # one line each, for a form; most refusals have one
        if code:
            self.code = code  # type: ignore[misc]

    def __str__(self) -> str:
        return str(self.message)


class NotAllowed(DomainError):
    """The person may see the thing but not do this to it: 403."""

    code = "not_allowed"


class NotFound(DomainError):
    """The thing is not there, or not for this person: 404."""

    code = "not_found"


class WrongState(DomainError):
    """The thing is no longer, or not yet, in a state where this is possible: 409."""

    code = "wrong_state"


class IdempotencyConflict(DomainError):
    """The same key came with another body."""

    code = "idempotency_conflict"


class OutsideWorldError(DomainError):
    """A platform, PSP or other outside system answered badly or not at all."""

    code = "outside_world"


ExpectedErrors: TypeAlias = type[DomainError] | tuple[type[DomainError], ...]


@dataclass(frozen=True, slots=True)
class Success(Generic[T]):
    """What was done or read. Always true, even where the result is None."""

    result: T
    message: ClassVar[str] = ""

    def __bool__(self) -> Literal[True]:
        return True


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why it was not done, or can't be shown. Always false."""

    error: DomainError
    result: ClassVar[None] = None

    def __bool__(self) -> Literal[False]:
        return False

    @property
    def message(self) -> str:
        return str(self.error.message)


def outcome_of(work: Callable[[], T], *, only: ExpectedErrors = DomainError) -> Success[T] | Refusal:
    """Run `work` and return its result, or the refusal where it raises one; `only`: which refusals. Others are raised.

    For pages that show one part less, or take another road, where something is refused. A verb that a person starts from
    a page goes through `crm.ui.actions.run_action`.
    """
    try:
        return Success(work())
    except only as error:
        return Refusal(error)
