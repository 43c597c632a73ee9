import datetime as dt

from crm.models import OutboxEvent
from tests.crm.approvals.cases import Case, approval_case
from tests.days import last_month
from tests.wallet.closing.test_periods import close, pay
from wallet.closing import periods
from wallet.models import Period


@approval_case("period-reopening")
def reopening(cast, _use) -> Case:
    pay(cast.brand, 2_000, last_month() + dt.timedelta(days=9), "b")
    periods.open_months(cast.brand.pk)
    period = close(Period.objects.order_by("first_day")[0], cast.finance)
    wish = periods.request_reopening(period_id=period.pk, actor=cast.finance, reason="A fee is missing")
    return Case(
        wish,
        cast.finance,
        cast.second_finance,
        OutboxEvent.objects.filter(name="wallet.period_reopened").count,
        "period_reopening_is_decided_by_somebody_else",
    )
