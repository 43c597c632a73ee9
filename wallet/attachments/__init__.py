"""Money stays where it was posted: two wallets stay two."""

from django.utils.translation import gettext_lazy as _

from clients.merging.attachments import all_stay, stays

stays("wallet.Account.client", _("Wallet accounts"))
stays("wallet.Deposit.client", _("Deposits"))
stays("wallet.Withdrawal.client", _("Withdrawals"))
all_stay(
    [
        "wallet.BonusGrant.client",
        "wallet.Break.client",
        "wallet.Dispute.client",
        "wallet.Exchange.client",
        "wallet.FeeInvoice.client",
        "wallet.IssuedDocument.client",
        "wallet.OpeningLine.client",
        "wallet.PspMovement.client",
        "wallet.Quote.client",
        "wallet.Transfer.client",
        "wallet.UnverifiedTerm.client",
        "wallet.WalletFacts.client",
    ]
)
