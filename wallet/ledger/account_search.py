"""Searches the chart of accounts by words: kind, currency, owner, client, or number."""

from __future__ import annotations

from django.db.models import QuerySet

from crm.models import User
from crm.money.numbers import is_whole
from wallet.choices import account_owners
from wallet.choices.ledger import AccountKind
from wallet.core import queries
from wallet.models import Account

FOUND_MAX = 20
HOUSE_MAX = 2_000
CLIENT_KINDS = frozenset({AccountKind.CLIENT_WALLET, AccountKind.BONUS})


def find_accounts(user: User, brand_id: int, words: str, limit: int = FOUND_MAX) -> list[Account]:
    """Find accounts by words, the house accounts first, then clients' wallets.

    Every word must match; without a word, the house accounts are listed.
    """
    chart = (
        queries.accounts_visible_to(user)
        .filter(brand_id=brand_id)
        .select_related("client", "psp")
        .defer("client__search_text", "psp__sealed_credentials")
    )
    terms = [word.strip("·#,") for word in words.lower().split()]
    terms = [word for word in terms if word][:5]
    if len(terms) == 1 and is_whole(terms[0]):
        return list(chart.filter(pk=int(terms[0][:17])))
    house = list(chart.filter(is_bounded=False).order_by("id")[:HOUSE_MAX])
    account_owners.warm(house)
    accounts = [account for account in house if _names(account, terms)]
    if terms and len(accounts) < limit:
        accounts += _of_clients(chart, terms, {account.currency.lower() for account in house}, limit - len(accounts))
    return accounts[:limit]


def _names(account: Account, words: list[str]) -> bool:
    text = f"{account} {account.kind}".lower()
    return all(word in text for word in words)


def _of_clients(chart: QuerySet[Account], words: list[str], currencies: set[str], limit: int) -> list[Account]:
    """Find wallets by the client's name, e-mail or phone; a currency or the word for wallet narrows the search."""
    kind = str(AccountKind.CLIENT_WALLET.label).lower()
    rows = chart.filter(kind=AccountKind.CLIENT_WALLET)
    names = 0
    for word in words:
        if word in currencies:
            rows = rows.filter(currency=word.upper())
        elif word not in kind:
            rows = rows.filter(client__search_text__contains=word)
            names += 1
    return list(rows.order_by("id")[:limit]) if names else []
