"""What the instance's key seals here."""

from crm.security.sealed_columns import sealed_column
from kyc.models.providers import CREDENTIALS_PURPOSE, MESSAGE_PURPOSE

sealed_column("kyc.KycProvider", "sealed_credentials", purpose=CREDENTIALS_PURPOSE)
sealed_column("kyc.KycProviderProposal", "sealed_credentials", purpose=CREDENTIALS_PURPOSE)
sealed_column("kyc.ProviderMessage", "body_sealed", purpose=MESSAGE_PURPOSE)
