"""Clients, partners and operations against their own past: what stands out is a work item with figures, and is decided."""

import datetime as dt

import numpy as np
import pytest
from django.urls import reverse
from django.utils import timezone

from crm.errors import DomainError, NotAllowed
from crm.models import AccessEvent, AuditEvent, DayMark, Job, Notification, WorkItem
from ib.models import ReferralDay, ReferralLink
from monitoring.anomalies import people, services
from monitoring.anomalies.judging import Figures, judge
from monitoring.anomalies.queue import anomalies_visible_to, decide_anomaly
from monitoring.anomalies.raising import findings, judge_services, watch_day, watch_days, watch_services
from monitoring.anomalies.signals import SIGNALS
from monitoring.choices import Queue, Watched
from monitoring.models import Anomaly, ServiceSlot
from tests.ib.factories import make_partner
from tests.trading.factories import make_account, make_server
from tests.wallet.factories import make_psp
from trading.models import AccountResult

DAY = dt.timedelta(days=1)


def test_habits_are_quiet_and_what_leaves_them_is_found():
    """Three hundred subjects with overdispersed habits: next to nothing is raised; ten times more, or nothing at all, is."""
    random = np.random.default_rng(11)
    mean = random.lognormal(3.6, 0.6, (300, 1))
    count = random.negative_binomial(3.0, 3.0 / (3.0 + mean), (300, 90)).astype(float)
    figures = Figures(np.arange(300), count, np.ones_like(count), np.zeros(300, dtype=np.int64))
    clicks, fall = SIGNALS[Watched.CLICKS], SIGNALS[Watched.CLICKS_FALL]
    assert len(findings(clicks, figures, judge(figures, clicks), 1e-4)) <= 1
    count[7, -1], count[8, -5:] = 20 * mean[7, 0], 0
    found = findings(clicks, figures, judge(figures, clicks), 1e-4)
    assert [row.subject for row in found][:1] == [7] and found[0].slots == 1
    assert found[0].observed > 3 * found[0].expected and found[0].low <= found[0].expected <= found[0].high
    assert 8 in [row.subject for row in findings(fall, figures, judge(figures, fall), 1e-4)]


def test_amounts_are_counted_in_the_subjects_own_days():
    """A client who deposits 50 and one who deposits 50,000 have one statistic; who begins has none."""
    random = np.random.default_rng(5)
    amount = np.where(random.random((40, 90)) < 0.2, 1.0, 0.0) * random.lognormal(0, 0.3, (40, 90))
    amount *= np.geomspace(50, 50_000, 40)[:, None]
    amount[:, -1] = 0
    amount[3, -1], amount[39, -1] = 5_000, 5_000
    amount[20, :-1], amount[20, -1] = 0, 90_000
    signal = SIGNALS[Watched.DEPOSITS]
    figures = Figures(np.arange(40), amount, np.ones_like(amount), np.zeros(40, dtype=np.int64))
    (row,) = findings(signal, figures, judge(figures, signal), 1e-4)
    assert row.subject == 3 and row.observed == pytest.approx(5_000, rel=0.1)


def test_hours_are_the_clients_own():
    masks = np.full((2, 30), float(1 << 9 | 1 << 10))
    masks[0, -1] = float(1 << 2 | 1 << 3 | 1 << 10)
    odd, hours = people.odd_hours(masks)
    assert (odd[0, -1], hours[0, -1], odd[1].sum(), odd[0, :-1].sum()) == (2, 3, 0, 0)


@pytest.fixture
def yesterday(cast) -> dt.date:
    """Trading days of a client, a fifth of the lots of yesterday, and a partner's link whose clicks stopped."""
    last = timezone.now().date() - DAY
    account = make_account(cast.client, make_server())
    for back in range(60, -1, -1):
        lots = 40 if back == 0 else 1 + back % 3 / 4
        AccountResult.objects.create(
            account=account,
            period="d",
            start=last - back * DAY,
            trades=4,
            wins=2,
            lots=lots,
            net=0,
            net_base=0,
            hours=[9],
        )
    link = ReferralLink.objects.create(partner=make_partner(cast.brand), code="falls")
    ReferralDay.objects.bulk_create(
        ReferralDay(link=link, day=last - back * DAY, clicks=80 + back % 7, registrations=4) for back in range(5, 60)
    )
    return last


@pytest.mark.django_db
def test_what_stands_out_is_a_work_item_and_is_decided(cast, yesterday, browse, django_assert_max_num_queries):
    made = {row.signal: row for row in watch_day(yesterday)}
    assert set(made) == {"stakes", "clicks_fall"}
    assert not watch_day(yesterday), "an open one is extended, not doubled"
    row = made["stakes"]
    item = WorkItem.objects.get(kind="monitoring.anomaly", client_id=cast.client.pk)
    assert (row.work, row.client, row.brand, item.state) == (item, cast.client, cast.brand, "open")
    assert Notification.objects.filter(kind="monitoring.anomaly", user=cast.desk_head).count() == 1
    head = browse(cast.desk_head)
    head.get(reverse("monitoring_anomalies"))
    with django_assert_max_num_queries(16):
        listed = head.get(reverse("monitoring_anomalies")).content.decode()
    assert str(cast.client) in listed and "40 lots in one day" in listed
    page = head.get(row.get_absolute_url()).content.decode()
    assert "at most 1 in" in page and "40 lots" in page
    assert AccessEvent.objects.filter(user=cast.desk_head, client_id=cast.client.pk).exists()
    head.post(row.get_absolute_url(), {"outcome": "explained", "reason": "Talked to them: a hedge."})
    row.refresh_from_db(), item.refresh_from_db()
    assert (row.state, row.decided_by, item.state) == ("explained", cast.desk_head, "final")
    assert AuditEvent.objects.filter(action="monitoring.anomaly_decided", client_id=cast.client.pk).count() == 1
    assert not watch_day(yesterday), "what was decided lately isn't raised again"


@pytest.mark.django_db
def test_who_sees_and_decides_what(cast, yesterday, browse):
    made = {row.signal: row for row in watch_day(yesterday)}
    seen = {
        user: set(anomalies_visible_to(user).values_list("signal", flat=True))
        for user in (cast.desk_head, cast.mlro, cast.ib_manager, cast.auditor, cast.agent, cast.client_user)
    }
    assert seen[cast.desk_head] == {"stakes"} and seen[cast.auditor] == {"stakes", "clicks_fall"}
    assert "clicks_fall" in seen[cast.ib_manager] and seen[cast.agent] == seen[cast.client_user] == set()
    assert browse(cast.agent).get(made["stakes"].get_absolute_url()).status_code == 403
    assert browse(cast.desk_head).get(made["clicks_fall"].get_absolute_url()).status_code == 404
    for other in (cast.auditor, cast.agent):
        with pytest.raises(NotAllowed):
            decide_anomaly(anomaly_id=made["stakes"].pk, actor=other, outcome="acted", reason="x")
    with pytest.raises(DomainError, match="reason"):
        decide_anomaly(anomaly_id=made["stakes"].pk, actor=cast.mlro, outcome="acted", reason=" ")
    assert set(Anomaly.objects.values_list("state", flat=True)) == {"open"}


@pytest.mark.django_db
def test_days_are_judged_once_and_a_missed_one_later(cast, yesterday):
    assert watch_days() == 1 and watch_days() == 0
    DayMark.objects.filter(task="monitoring.anomalies").update(done_to=yesterday - 3 * DAY)
    assert watch_days() == 3 and Anomaly.objects.filter(state="open", signal="stakes").count() == 1


@pytest.mark.django_db
def test_a_psp_that_declines_and_a_queue_that_waits_are_raised_and_recover(cast):
    now = timezone.now()
    psp, at = make_psp(cast.brand), services.slot_before(now)
    random = np.random.default_rng(3)
    slots = []
    for back in range(1, 600):
        tried = int(random.integers(5, 15))
        moment = at - back * services.SLOT
        slots.append(ServiceSlot(signal="declines", subject=psp.pk, at=moment, count=tried // 5, trials=tried))
        slots.append(ServiceSlot(signal="queue_age", subject=Queue.JOBS, at=moment, count=back % 4, trials=1))
    slots.append(ServiceSlot(signal="declines", subject=psp.pk, at=at, count=18, trials=19))
    ServiceSlot.objects.bulk_create(slots)
    job = Job.objects.create(kind="x", title="x", owner=cast.agent)
    Job.objects.filter(pk=job.pk).update(created_at=now - dt.timedelta(hours=1))
    made = {row.signal: row for row in watch_services(now=now)}
    assert set(made) == {"declines", "queue_age"} and made["declines"].psp == psp
    assert made["declines"].observed == 18 and made["queue_age"].observed == pytest.approx(3600, abs=2)
    assert not watch_services(now=now), "the same ten minutes, and the same trouble"
    assert set(anomalies_visible_to(cast.finance).values_list("signal", flat=True)) == {"declines"}
    assert set(anomalies_visible_to(cast.administrator).values_list("signal", flat=True)) >= {"queue_age"}
    later = at + services.SLOT
    ServiceSlot.objects.create(signal="declines", subject=psp.pk, at=later, count=1, trials=12)
    judge_services(later, now=now + services.SLOT)
    made["declines"].refresh_from_db()
    assert made["declines"].recovered_at is not None and made["declines"].state == "open"
