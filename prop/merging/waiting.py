"""What waits while two accounts are being merged."""

from __future__ import annotations

from django.db.models import Q
from django.utils.translation import gettext as _

from crm.errors import WrongState
from prop.models import AccountMerge, PhaseAccount
from prop.models.merges import OPEN


def open_merge_of(row: PhaseAccount) -> AccountMerge | None:
    """Find the merge that an account is in, as the kept or as the closed one."""
    return AccountMerge.objects.filter(Q(kept=row) | Q(closed=row), state__in=OPEN).first()


def is_being_closed(row: PhaseAccount) -> bool:
    """Whether trading on an account is stopped because it is being merged into another."""
    return AccountMerge.objects.filter(closed=row, state__in=["closing", "sending"]).exists()


def require_no_open_merge(row: PhaseAccount) -> None:
    """Refuse what a merge would change meanwhile. Raises: WrongState."""
    if open_merge_of(row) is not None:
        raise WrongState(_("This account is being merged with another one. Wait until that is done."))
