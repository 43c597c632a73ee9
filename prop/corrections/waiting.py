"""Accounts that wait to be judged again, and what waits for the decision on a correction."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from crm.due import due
from crm.errors import WrongState
from prop.choices import CorrectionState
from prop.models import PhaseAccount

KIND: Final = "prop.judge_again"
# Edits come in bursts, and the platform shows their new balance a moment later.
WAIT: Final = dt.timedelta(minutes=2)


def judge_again_soon(row: PhaseAccount) -> None:
    """Have an account judged again whose deals changed, once for a burst of changes."""
    at = timezone.now() + WAIT
    due(KIND, key=row.pk, at=at, client_id=row.challenge.client_id, brand_id=row.challenge.brand_id, only_sooner=True)


def has_open_correction(row: PhaseAccount) -> bool:
    """Whether two people have yet to decide on what judging an account again gave."""
    return row.corrections.filter(state=CorrectionState.OPEN).exists()


def require_no_open_correction(row: PhaseAccount) -> None:
    """Refuse what a correction may still take back. Raises: WrongState."""
    if has_open_correction(row):
        raise WrongState(_("This account is being judged again. Wait for the decision on it first."))
