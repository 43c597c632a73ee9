"""What somebody has to do with a client, and what a possible match of theirs blocks."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from compliance.choices import RestrictionKind


class PartyRole(models.TextChoices):
    PAYER = "payer", _("Payer")
    PAYEE = "payee", _("Payout account owner")
    OWNER = "owner", _("Company in the ownership chain")
    PARTNER = "partner", _("Partner's business name")


# What a listed person paid in or would receive must not leave, and nothing marks which money in a wallet was whose:
# withdrawals wait, trading goes on. A company's owner is behind all of its funds: OFAC's 50 Percent Rule
# (https://ofac.treasury.gov/faqs/topic/1521), and ownership or control in EU Best Practices, Council document 11623/24.
BLOCKED: Final = {
    PartyRole.PAYER: RestrictionKind.NO_WITHDRAWAL,
    PartyRole.PAYEE: RestrictionKind.NO_WITHDRAWAL,
    PartyRole.PARTNER: RestrictionKind.NO_WITHDRAWAL,
    PartyRole.OWNER: RestrictionKind.FROZEN,
}
