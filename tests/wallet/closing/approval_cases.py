import datetime as dt

from crm.files import jobs
from crm.models import Job, OutboxEvent
from tests.crm.approvals.cases import Case, approval_case
from tests.days import last_month
from tests.wallet.closing.test_periods import close, pay
from tests.wallet.factories import sign_month
from wallet.closing import periods
from wallet.models import MonthSignOff, Period


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


@approval_case("month-sign-off")
def signature(cast, use) -> Case:
    use("monkeypatch").setattr(jobs, "enqueue", lambda _job_id: None)
    pay(cast.brand, 2_000, last_month() + dt.timedelta(days=9), "b")
    periods.open_months(cast.brand.pk)
    month = Period.objects.order_by("first_day")[0]
    sign_month(month, cast.finance)
    return Case(
        MonthSignOff.objects.get(),
        cast.finance,
        cast.second_finance,
        Job.objects.filter(kind="wallet.close_period").count,
        "a month is signed by two people",
        forged_row=Period.objects.filter(pk=month.pk),
        forged={"state": "closing"},
    )
