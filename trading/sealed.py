"""What the instance's key seals here."""

from crm.security.sealed_columns import sealed_column
from trading.models.servers import CREDENTIALS_PURPOSE

sealed_column("trading.TradingServer", "credentials", purpose=CREDENTIALS_PURPOSE)
