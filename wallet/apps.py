from crm.project.appbase import KeelsonAppConfig


class WalletConfig(KeelsonAppConfig):
    name = "wallet"
    verbose_name = "Wallet"
    public_texts = (
        "wallet/portal",
        "wallet/core/amounts.py",
        "wallet/choices/ledger.py",
        "wallet/choices/psp.py",
        "wallet/choices/deposits.py",
        "wallet/choices/withdrawals.py",
        "wallet/choices/disputes.py",
        "wallet/choices/transfers.py",
        "wallet/deposits/verbs.py",
        "wallet/documents/receipts.py",
        "wallet/documents/statement.py",
        "wallet/transfers/exchanges.py",
        "wallet/ledger/posting.py",
        "wallet/deposits/method_offers.py",
        "wallet/withdrawals/payout_results.py",
        "wallet/withdrawals/payout_methods.py",
        "wallet/withdrawals/return_to_source.py",
        "wallet/core/policies.py",
        "wallet/deposits/policies.py",
        "wallet/transfers/policies.py",
        "wallet/withdrawals/policies.py",
        "wallet/documents/policies.py",
        "wallet/transfers/quotes.py",
        "wallet/withdrawals/refundable_deposits.py",
        "wallet/transfers/verbs.py",
        "wallet/withdrawals/verbs.py",
        "wallet/core/timeline_texts.py",
    )

    def ready(self) -> None:
        super().ready()
        import wallet.core.limits  # noqa: F401  # declares the wallet's policies
        from crm.security.database_role import written_by_function

        # Journals, postings and counters are written by `ledger_post` and `ledger_post_pair`, as their owner.
        written_by_function("wallet_journal", "INSERT")
        written_by_function("wallet_posting", "INSERT")
        written_by_function("wallet_balance", "UPDATE", lockable_by="account_id")
