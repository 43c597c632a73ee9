from crm.appbase import KeelsonAppConfig


class WalletConfig(KeelsonAppConfig):
    name = "wallet"
    verbose_name = "Wallet"

    def ready(self) -> None:
        super().ready()
        from crm.database_role import written_by_function

        # Journals, postings and counters are written by `ledger_post` and `ledger_post_pair`, as their owner.
        written_by_function("wallet_journal", "INSERT")
        written_by_function("wallet_posting", "INSERT")
        written_by_function("wallet_balance", "UPDATE", lockable_by="account_id")
