"""What the instance's key seals here."""

from crm.sealed_columns import sealed_files

sealed_files("lead-import")
