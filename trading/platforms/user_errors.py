"""A platform's failure in words for a person who waits on it."""

from __future__ import annotations

from django.utils.translation import gettext as _

from crm.errors import DomainError, OutsideWorldError
from trading.platforms.errors import FinalError, OutcomeUnknown, PlatformBusy, PlatformError


def as_domain_error(problem: PlatformError, *, to_client: bool = False) -> DomainError:
    """Tell a person what went wrong and what to do. A platform's own words are for staff."""
    if isinstance(problem, FinalError) and to_client:
        return OutsideWorldError(_("The trading platform rejected this request. Please contact support."))
    if isinstance(problem, FinalError):
        return OutsideWorldError(
            _("The trading platform rejected the request: %(reason)s.") % {"reason": problem.message}
        )
    if isinstance(problem, PlatformBusy):
        return OutsideWorldError(_("The trading platform is busy. Try again in a minute."))
    if isinstance(problem, OutcomeUnknown):
        return OutsideWorldError(
            _(
                "The trading platform didn't respond in time. The change may still have been made: "
                "refresh in a minute to check."
            )
        )
    return OutsideWorldError(
        _("The trading platform can't be reached right now. Nothing was changed. Try again later.")
    )
