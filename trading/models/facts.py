"""Trading's own facts about clients."""

from django.db import models

from clients.models import SideFacts


class TradingFacts(SideFacts):
    """What a client's live accounts come to. Written by `trading.sync.money` and `trading.sync.results`."""

    equity = models.DecimalField(
        max_digits=20, decimal_places=2, db_default=0, help_text="In the brand's base currency"
    )
    trades_closed = models.BigIntegerField(db_default=0)
    lots_closed = models.DecimalField(max_digits=20, decimal_places=8, db_default=0)

    class Meta:
        indexes = [
            models.Index(fields=["equity"], name="facts_by_equity"),
            models.Index(fields=["trades_closed"], name="facts_by_trades_closed"),
            models.Index(fields=["lots_closed"], name="facts_by_lots_closed"),
        ]
