"""What the instance's key seals here."""

from crm.security.sealed_columns import sealed_column, sealed_files
from leads.signing.secrets import PURPOSE

sealed_files("lead-import")
sealed_column("leads.LeadSource", "sealed_signing_secret", purpose=PURPOSE)
sealed_column("leads.LeadSource", "sealed_old_signing_secret", purpose=PURPOSE)
