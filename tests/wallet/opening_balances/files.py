"""A file of balances, and the shortest way from it to the approval and to the ledger."""

from crm import approvals
from tests.crm.imports.files import imported
from wallet.models import OpeningBalances
from wallet.opening_balances.posting import post_opening_balances

HEADER = "client;currency;amount;as_of\n"
FIELDS = {name: name for name in ("client", "currency", "amount", "as_of")}


def balances(*rows):
    return HEADER + "".join(f"{row}\n" for row in rows)


def proposed(cast, *rows):
    """Import rows, which then wait for a second person."""
    batch = imported(cast, balances(*rows), kind="balances", name="balances.csv")
    return OpeningBalances.objects.get(data_import=batch)


def posted(cast, *rows):
    """Import, approve and post rows."""
    opening = proposed(cast, *rows)
    approvals.approve(OpeningBalances, opening.pk, actor=cast.finance)
    post_opening_balances(opening.pk)
    opening.refresh_from_db()
    return opening
