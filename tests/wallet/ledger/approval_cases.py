from tests.crm.approvals.cases import Case, approval_case
from tests.days import today
from tests.wallet.factories import house
from wallet.choices.ledger import AccountKind
from wallet.ledger.manual_journals import JournalDraft, write_journal
from wallet.ledger.posting import Line
from wallet.models import Journal


@approval_case("manual-journal")
def journal(cast, _use) -> Case:
    fees, bank = house(cast.brand, AccountKind.FEES), house(cast.brand, AccountKind.HOUSE_BANK)
    manual = write_journal(
        brand_id=cast.brand.pk,
        draft=JournalDraft(
            lines=[Line(fees, -1_250), Line(bank, 1_250)], business_on=today(), reason="Fee of the bank"
        ),
        request_key="form-1",
        actor=cast.finance,
    )
    posted = Journal.objects.filter(idempotency_key=f"manual:{manual.reference}:post")
    return Case(manual, cast.finance, cast.second_finance, posted.count, "manual_journal_is_decided_by_somebody_else")
