"""The wallet's part of the demo: PSPs over two brands, and every cent that moved in three months.

What `trading` says went to and from its accounts has its other side here: deposits before it, withdrawals after it. All of
it is posted through the ledger's own function, in batches with their own times. The PSPs' side of it is written to
`var/sandbox/psp-import.jsonl`, which the sandbox loads: both sides know the same movements.
"""

from __future__ import annotations

from django.db import transaction

from clients import facts
from crm.demo import Demo, load_rates
from wallet.demo import journeys, money_in, money_out, reports, write
from wallet.demo.bank import import_statements
from wallet.demo.books import write_books
from wallet.demo.breaks import write_breaks
from wallet.demo.documents import write_documents
from wallet.demo.month import write_client_money, write_runs
from wallet.demo.providers import make_providers, write_calls
from wallet.demo.psps import make_costs, make_psps
from wallet.ledger import seals

RATES_BEFORE_DAYS = 10


@transaction.atomic
def load(demo: Demo) -> None:
    if not demo.brands:
        return
    demo.progress("Deposits, withdrawals and transfers", 0, 4)
    psps = make_psps(demo)
    providers = make_providers(demo)
    write_calls(demo, psps + providers)
    plans = journeys.tell(demo, psps)
    if plans.steps:
        first = min(step.at for step in plans.steps)
        load_rates(since=(first - write.days(RATES_BEFORE_DAYS)).date(), until=demo.now.date())
    demo.progress("Deposits, withdrawals and transfers", 1, 4)
    write.post_steps(demo, plans)
    demo.progress("Deposits, withdrawals and transfers", 2, 4)
    write.write_movements(demo, plans)
    demo.progress("Deposits, withdrawals and transfers", 3, 4)
    money_in.tell(demo)
    money_out.tell(demo)
    reports.write_history()
    make_costs(demo)
    reports.import_reports(demo)
    import_statements(demo)
    for name in facts.names_of("wallet"):
        facts.rebuild(facts.FACTS[name])
    demo.progress("Deposits, withdrawals and transfers", 4, 4)


def finish(demo: Demo) -> None:
    """Everything is posted: past months are closed, and all of it is sealed at once, not five minutes after the start."""
    if demo.brands:
        write_client_money(demo)
        write_books(demo)
        write_breaks(demo)
        write_runs(demo)
        write_documents(demo)
        seals.seal_pending()
