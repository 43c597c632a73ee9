"""Trading accounts stay with the wallet that funds them: transfers, commissions and statements add up one record's."""

from django.utils.translation import gettext_lazy as _

from clients.merging.attachments import all_stay, stays

stays("trading.TradingAccount.client", _("Trading accounts"))
all_stay(["trading.StagedLogin.client", "trading.StagedLogin.proposed_client", "trading.TradingFacts.client"])
