"""What the instance's key seals here."""

from compliance.models.vendors import CREDENTIALS_PURPOSE, NOTICE_PURPOSE
from crm.security.sealed_columns import sealed_column

sealed_column("compliance.ScreeningVendor", "sealed_credentials", purpose=CREDENTIALS_PURPOSE)
sealed_column("compliance.ScreeningVendorProposal", "sealed_credentials", purpose=CREDENTIALS_PURPOSE)
sealed_column("compliance.VendorNotice", "body_sealed", purpose=NOTICE_PURPOSE)
