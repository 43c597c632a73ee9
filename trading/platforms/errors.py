"""What can go wrong on the way to a trading platform, in the five kinds that decide what may be done next.

| kind              | did the platform do it?     | what the caller may do                               |
|-------------------|-----------------------------|------------------------------------------------------|
| `FinalError`      | no, and it never will       | show the reason; a repeat gives the same answer      |
| `NotStarted`      | no: it was never asked      | try again later                                      |
| `ReadTimedOut`    | nothing to do: a read       | read again                                           |
| `OutcomeUnknown`  | nobody knows                | look it up by its reference; **never send it again** |
| `PlatformBusy`    | no: it refused to start     | try again, slower                                    |
"""

from __future__ import annotations

from enum import StrEnum


class ErrorKind(StrEnum):
    """The five kinds, by the name that is stored and shown."""

    FINAL = "final"
    NOT_STARTED = "not_started"
    READ_TIMED_OUT = "read_timed_out"
    OUTCOME_UNKNOWN = "outcome_unknown"
    BUSY = "busy"


class PlatformError(Exception):
    """A call to a platform failed. `code` is the platform's own number, where it gave one."""

    kind: ErrorKind

    def __init__(self, message: str, *, command: str = "", code: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.command = command
        self.code = code

    def __str__(self) -> str:
        parts = [self.command, f"code {self.code}" if self.code is not None else "", self.message]
        return ": ".join(part for part in parts if part)


class FinalError(PlatformError):
    """The platform refused; asking again gives the same answer."""

    kind = ErrorKind.FINAL


class LoginTaken(FinalError):
    """The login that we chose belongs to somebody else: take the next one."""


class NotStarted(PlatformError):
    """The command never reached the platform, or it reported that it did not begin."""

    kind = ErrorKind.NOT_STARTED


class ReadTimedOut(PlatformError):
    """A read brought no usable answer. Nothing changed on the platform."""

    kind = ErrorKind.READ_TIMED_OUT


class OutcomeUnknown(PlatformError):
    """A change was sent and its answer was lost: it may or may not have happened."""

    kind = ErrorKind.OUTCOME_UNKNOWN


class PlatformBusy(PlatformError):
    """The platform asks for fewer requests, or serves someone else; nothing was done."""

    kind = ErrorKind.BUSY
