"""What those who review a challenge's payout read of suspected abuse on its account."""

from __future__ import annotations

from crm.i18n.localized_text import label_of
from prop.models import PhaseAccount
from risk.abuse.choices import EpisodeState
from risk.abuse.models import AbuseEpisode

SHOWN_MAX = 10


def findings_of(row: PhaseAccount) -> list[str]:
    """Name each open or confirmed episode of an account with its state."""
    rows = AbuseEpisode.objects.filter(
        accounts__contains=[row.account_id], state__in=(EpisodeState.OPEN, EpisodeState.CONFIRMED)
    )
    return [f"{label_of(each, 'kind')}: {label_of(each, 'state')}." for each in rows.order_by("-pk")[:SHOWN_MAX]]
