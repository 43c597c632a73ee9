"""What the wallet seals with the instance's key."""

from crm.security.sealed_columns import sealed_column, sealed_files
from wallet.models.bank import ORIGINAL_PURPOSE, PARTY_PURPOSE
from wallet.models.psp import CREDENTIALS_PURPOSE

sealed_column("wallet.Psp", "sealed_credentials", purpose=CREDENTIALS_PURPOSE)
sealed_column("wallet.BankEntry", "sealed_party", purpose=PARTY_PURPOSE)
sealed_column("wallet.BankOrder", "sealed_party", purpose=PARTY_PURPOSE)
sealed_column("wallet.BankBatch", "sealed_file", purpose=ORIGINAL_PURPOSE)
sealed_column("wallet.WaitingTable", "sealed_content", purpose=ORIGINAL_PURPOSE)
sealed_files("settlement-report", ORIGINAL_PURPOSE, "document", "break-file", "manual-journal-file", "workbook-cells")
