"""A platform's failure in words for a person who waits on it."""

from __future__ import annotations

from django.utils.translation import gettext as _

from crm.errors import DomainError, OutsideWorldError
from trading.platforms.errors import FinalError, OutcomeUnknown, PlatformBusy, PlatformError


def as_domain_error(problem: PlatformError, *, to_client: bool = False) -> DomainError:
    """Tell a person what went wrong and what to do. A platform's own words are for staff."""
    if isinstance(problem, FinalError) and to_client:
        return OutsideWorldError(_("The trading platform did not accept this. Please write to us."))
    if isinstance(problem, FinalError):
        return OutsideWorldError(_("The trading platform refused: %(reason)s.") % {"reason": problem.message})
    if isinstance(problem, PlatformBusy):
        return OutsideWorldError(_("The trading platform is busy. Please try again in a minute."))
    if isinstance(problem, OutcomeUnknown):
        return OutsideWorldError(
            _("The trading platform did not answer in time. The change may have been made: look again in a minute.")
        )
    return OutsideWorldError(
        _("The trading platform can't be reached now. Nothing was changed; please try again later.")
    )
