import datetime as dt
from decimal import Decimal

from guardian.shortcuts import assign_perm

from crm.models import FxRate
from tests.crm.approvals.cases import Case, approval_case
from tests.days import today
from wallet.transfers.rate_entries import propose_rate


@approval_case("rate-entry")
def rate(cast, _use) -> Case:
    for user in (cast.finance, cast.second_finance):
        assign_perm("crm.access_brand", user, cast.other_brand)
    FxRate.objects.filter(currency="AED").delete()
    FxRate.objects.create(on=today() - dt.timedelta(days=4), currency="AED", rate=Decimal("4.0000"), source="ECB")
    entry = propose_rate(currency="AED", rate=Decimal("4.1"), on=today(), reason="Central bank", actor=cast.finance)
    rates = FxRate.objects.filter(currency="AED", on=today())
    return Case(entry, cast.finance, cast.second_finance, rates.count, "rate_entry_is_decided_by_somebody_else")
