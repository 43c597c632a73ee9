"""What the instance's key seals here."""

from crm.security.sealed_columns import sealed_files

sealed_files("lead-import")
