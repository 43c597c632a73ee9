"""Accounts that wait to be judged again, and what waits for the decision on a correction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final

from django.utils import timezone
from django.utils.translation import gettext as _

from crm.due import DueItem, due_many
from crm.errors import WrongState
from prop.choices import CorrectionState
from prop.models import PhaseAccount

KIND: Final = "prop.judge_again"
# Edits come in bursts, and the platform shows their new balance a moment later.
WAIT: Final = dt.timedelta(minutes=2)


def judge_again_soon(rows: Iterable[PhaseAccount]) -> int:
    """Have accounts judged again whose deals or releases changed, once for a burst of changes. Returns how many wait.

    The rows come with their challenges; one statement, however many.
    """
    at = timezone.now() + WAIT
    items = [DueItem(row.pk, at, row.challenge.client_id, row.challenge.brand_id) for row in rows]
    due_many(KIND, items, only_sooner=True)
    return len(items)


def has_open_correction(row: PhaseAccount) -> bool:
    """Whether two people have yet to decide on what judging an account again gave."""
    return row.corrections.filter(state=CorrectionState.OPEN).exists()


def require_no_open_correction(row: PhaseAccount) -> None:
    """Refuse what a correction may still take back. Raises: WrongState."""
    if has_open_correction(row):
        raise WrongState(_("This account is being judged again. Wait for the decision on it first."))
