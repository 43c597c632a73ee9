"""What the instance's key seals here."""

from clients.mail import SECRET_PURPOSE
from clients.models.telephony import CREDENTIALS_PURPOSE, EVENT_PURPOSE, NUMBER_PURPOSE
from crm.security.sealed_columns import sealed_column

sealed_column("clients.Message", "secret", purpose=SECRET_PURPOSE)
sealed_column("clients.PhoneExchange", "sealed_credentials", purpose=CREDENTIALS_PURPOSE)
sealed_column("clients.PhoneExchangeProposal", "sealed_credentials", purpose=CREDENTIALS_PURPOSE)
sealed_column("clients.PhoneEvent", "body_sealed", purpose=EVENT_PURPOSE)
sealed_column("clients.PhoneCall", "sealed_number", purpose=NUMBER_PURPOSE)
