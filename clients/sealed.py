"""What the instance's key seals here."""

from clients.mail import SECRET_PURPOSE
from crm.security.sealed_columns import sealed_column

sealed_column("clients.Message", "secret", purpose=SECRET_PURPOSE)
