"""The wallet's own facts about clients."""

from django.db import models

from clients.models import SideFacts


class WalletFacts(SideFacts):
    """When money last came and went. Written by `wallet.subscribers.keep_the_facts`."""

    deposits_count = models.IntegerField(db_default=0)
    last_deposit_at = models.DateTimeField(null=True)
    last_withdrawal_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["deposits_count"], name="facts_by_deposits_count"),
            models.Index(fields=["last_deposit_at"], name="facts_by_last_deposit"),
            models.Index(fields=["last_withdrawal_at"], name="facts_by_last_withdrawal"),
        ]
