"""How a request to a PSP can fail, by what that means for money: certainly not done, or perhaps done.

Money that leaves is never sent twice: an adapter must distinguish "certainly not done" (`PspRefused`, `PspUnreachable`) from "may
have been done" (`PspUnknown`). The latter is looked up by our reference, never repeated.
"""

from __future__ import annotations

from crm.errors import OutsideWorldError


class PspRefused(OutsideWorldError):
    """The PSP understood and refused: nothing was booked there."""

    code = "psp_refused"

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class ForeignAddress(PspRefused):
    """An address that is none of the PSP's own: nothing was fetched from it, and our login did not go there."""

    code = "psp_foreign_address"


class PspUnreachable(OutsideWorldError):
    """The request never arrived: nothing was booked there."""

    code = "psp_unreachable"


class PspUnknown(OutsideWorldError):
    """The request went out and no usable answer came: it may or may not be booked. Look it up."""

    code = "psp_unknown"
