"""What a trader pays for a challenge or another try: out of the wallet, into the broker's income, once for each key."""

from __future__ import annotations

from decimal import Decimal

from crm.models import User
from crm.money.amounts import to_minor
from prop.models import Challenge
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.ledger import posting
from wallet.ledger.posting import Entry, Line


def post_fee(challenge: Challenge, price: Decimal, *, key: str, actor: User) -> int:
    """Post a fee in the challenge's currency; returns the journal's id. Raises: InsufficientFunds."""
    currency, minor = challenge.currency, to_minor(price, challenge.currency)
    income = posting.house(AccountKind.CHALLENGE_FEES, brand_id=challenge.brand_id, currency=currency)
    posted = posting.post(
        Entry(
            key=key,
            kind=JournalKind.CHALLENGE_FEE,
            brand_id=challenge.brand_id,
            lines=(Line(posting.wallet_of(challenge.client, currency), -minor), Line(income, minor)),
            description=f"{challenge.version}",
        ),
        actor=actor,
    )
    return posted.journal_id
