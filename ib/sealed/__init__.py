"""What the instance's key seals here."""

from crm.security.sealed_columns import sealed_column
from ib.models.postbacks import PURPOSE

sealed_column("ib.Postback", "sealed_secret", purpose=PURPOSE)
sealed_column("ib.PostbackKey", "sealed_secret", purpose=PURPOSE)
