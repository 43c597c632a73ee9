"""What traders are notified of about merges, and what stands in their activity."""

from __future__ import annotations

from clients import timeline
from clients.choices import TimelineKind
from crm.i18n.localized_text import LocalizedText, phrase
from crm.money.amounts import Money
from crm.notices.notify import notify
from prop.choices import PropNotice
from prop.models import AccountMerge


def notify_merged(merge: AccountMerge) -> None:
    """Notify the trader of the new size."""
    challenge = merge.kept.challenge
    size = Money(merge.kept.size, challenge.currency)
    _notify(merge, phrase("Your accounts were merged. The size is now %(size)s.") % {"size": size})
    timeline.add_entry(
        client_id=challenge.client_id,
        kind=TimelineKind.TRADING,
        title=phrase("Funded accounts merged: %(size)s") % {"size": size},
        url=merge.get_absolute_url(),
        dedupe_key=f"prop.merged:{merge.pk}",
    )


def notify_rejected(merge: AccountMerge) -> None:
    """Notify the trader of a refused merge; the reason is for staff."""
    _notify(merge, phrase("The merge of your accounts wasn't approved. Please contact support."))


def notify_failed(merge: AccountMerge) -> None:
    """Notify the trader that both accounts run on as they were."""
    _notify(merge, phrase("Your accounts couldn't be merged. They continue as before."))


def _notify(merge: AccountMerge, title: LocalizedText) -> None:
    user_id = merge.kept.challenge.client.user_id
    if user_id is not None:
        notify(
            [user_id],
            kind=PropNotice.MERGE_NEWS,
            title=title,
            url=f"/portal/challenges/{merge.kept.challenge_id}/",
            dedupe_key=f"prop.merge:{merge.pk}:{merge.state}",
        )
