"""What may say that a client is about to leave: raised with what was usual and what is, kept, and ended."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.utils import translation

from clients.models import SignInCountry
from crm import events
from crm.events import DealsSynced, publish
from crm.models import OutboxEvent, WorkItem
from risk.retention import complaints
from risk.retention.cases import held_back, judge_all, judge_clients
from risk.retention.choices import CaseState, FlagKind
from risk.retention.flags.judging import judge
from risk.retention.models import RetentionCase, RetentionFlag
from risk.retention.queries import open_flags
from tests.brand_policies import set_policies
from tests.risk.retention.world import DAY, Floor
from tests.support.conftest import make_ticket
from tests.wallet.factories import make_psp
from tests.wallet.intents import captured, make_intent
from trading.models import MarginAlert, TradingAccount
from wallet.deposits.verbs import apply_payment
from wallet.models import Deposit

pytestmark = pytest.mark.django_db


def kinds(client) -> set[str]:
    return set(RetentionFlag.objects.filter(client=client, ended_at=None).values_list("kind", flat=True))


def words(client, language: str = "en") -> dict[str, tuple[str, str]]:
    with translation.override(language):
        return {shown.flag.kind: (shown.usual, shown.current) for shown in open_flags(client)}


def leaver(floor: Floor, name: str = "leaver"):
    """The signature example: traded daily, gone for twelve days, lost the last three trades and 40 % of the money."""
    client = floor.trader(name, every=1, until=12, times=60, equity=600, first_name="Lena", last_name="Vogt")
    floor.closes(client, -100, -150, -150, days_ago=12)
    return client


def test_who_traded_daily_lost_and_is_gone_is_seen_with_the_context(floor, cast):
    client, calm = leaver(floor), floor.trader("calm", every=1, until=1, times=60, equity=1000)
    judge_all(now=floor.now)
    assert kinds(client) == {FlagKind.INACTIVE, FlagKind.LOSSES, FlagKind.DROP} and not kinds(calm)
    said = words(client)
    assert said["inactive"] == ("Active every day", "No sign-in, trade or deposit for 12 days")
    assert said["losses"][1].startswith("Lost the last 3 trades") and "400" in said["losses"][1]
    assert said["drop"][1].startswith("Lost 40 % in 30 days") and "1,000" in said["drop"][0]
    assert words(client, "de")["inactive"][0] != said["inactive"][0]
    case = RetentionCase.objects.get()
    assert (case.client, case.state, case.weight) == (client, CaseState.OPEN, 4)
    assert WorkItem.objects.get(pk=case.work_id).client_id == client.pk
    published = OutboxEvent.objects.filter(name="risk.client_flagged", client_id=client.pk)
    assert {event.payload["kind"] for event in published} == {"inactive", "losses", "drop"}
    # The next night nothing is raised a second time, and nothing is a second case.
    assert judge_all(now=floor.now + DAY) == 0 and RetentionCase.objects.count() == 1
    # They come back and win: the flags end, and so does the case.
    client.last_trade_at = floor.now + DAY
    client.save()
    TradingAccount.objects.filter(client=client).update(equity=2000, equity_base=2000)
    floor.closes(client, 500, days_ago=-1)
    judge_all(now=floor.now + 2 * DAY)
    case.refresh_from_db()
    assert not kinds(client) and case.state == CaseState.ENDED and case.work.state == "closed"


def test_each_kind_is_found_and_its_near_miss_is_not(floor, cast):
    """One world for all kinds; every client is beside one who is just not meant."""
    now = floor.now
    logs_in, trades = floor.trader("in", every=2, until=20, equity=50), floor.trader("tr", every=2, until=3, equity=50)
    for client in (logs_in, trades):
        SignInCountry.objects.bulk_create(
            SignInCountry(client=client, country="DE", day=(now - n * DAY).date(), first_at=now) for n in range(5)
        )
        type(client.user).objects.filter(pk=client.user_id).update(last_login=now)
    called = floor.trader("margin", every=1, until=1)
    MarginAlert.objects.create(
        account=called.trading_accounts.get(), severity="stop", limit=50, level=42, equity=10, margin=20, at=now - DAY
    )
    psp = make_psp(cast.brand)
    payer, steady, declined, retried = (
        floor.trader(name, every=1, until=1) for name in ("payer", "steady", "declined", "retried")
    )

    def deposit(client, days_ago: float, *, is_declined: bool = False) -> None:
        made, at = make_intent(client, psp, 1_000), now - days_ago * DAY
        changes = {"updated_at": at, "base_amount": 50}
        if is_declined:
            changes |= {"state": "failed", "failure": "declined"}
        else:
            apply_payment(psp_id=psp.pk, view=captured(made))
            changes["settled_at"] = at
        Deposit.objects.filter(pk=made.pk).update(**changes)

    for days_ago in (50, 90, 130, 170):
        deposit(payer, days_ago)
        deposit(steady, days_ago)
    deposit(steady, 5)
    deposit(declined, 1, is_declined=True)
    deposit(retried, 2, is_declined=True)
    deposit(retried, 1)
    winner = floor.trader("winner", every=1, until=0, equity=1000)
    floor.closes(winner, -10, -10, 1)
    judge_all(now=now)
    assert kinds(logs_in) == {FlagKind.LOGINS} and not kinds(trades)
    assert kinds(called) == {FlagKind.MARGIN}
    assert kinds(payer) == {FlagKind.DEPOSITS} and not kinds(steady)
    assert kinds(declined) == {FlagKind.DECLINED} and not kinds(retried)
    assert not kinds(winner)
    said = {**words(logs_in), **words(called), **words(payer), **words(declined)}
    assert said["logins"] == (
        "Traded on 12 days in three months",
        "Signed in on 5 days of the last 14, without a trade",
    )
    assert "lowest level 42 %" in said["margin"][1] and said["margin"][0].startswith("None")
    assert said["declined"][1] == "Deposit of €10.00 declined"
    # One flag of weight 1 opens no case; the brand may say otherwise.
    assert not RetentionCase.objects.exists()
    set_policies(cast.brand, retention_weight=1)
    judge_all(now=now)
    assert RetentionCase.objects.count() == 4


def test_a_deal_and_a_complaint_are_seen_right_after_their_event(floor, cast):
    client = floor.trader("loser", every=1, until=0, times=40, equity=800)
    floor.closes(client, -50, -50, -50)
    with transaction.atomic():
        publish(DealsSynced(server_id=floor.server.pk, deal_ids=(), client_ids=(client.pk,)))
    events.drain()
    assert kinds(client) == {FlagKind.LOSSES}
    ticket = make_ticket(cast, client=client, text="This is a SCAM, I will talk to my lawyer!")
    events.drain()
    assert kinds(client) == {FlagKind.LOSSES, FlagKind.COMPLAINT}
    assert words(client)["complaint"][1] == "Wrote “scam, lawyer”"
    assert RetentionCase.objects.get().weight == 3
    later = floor.now + dt.timedelta(hours=30)
    judge_clients([client.pk], now=later)
    assert FlagKind.TICKET in kinds(client)
    assert f"#{ticket.number}" in words(client)["ticket"][1]
    judge_clients([client.pk], now=floor.now + 20 * DAY)
    assert FlagKind.COMPLAINT not in kinds(client)
    assert complaints.complaint_words("the scampi were good", ["scam "]) == []


def test_a_control_group_is_flagged_and_left_alone(floor, cast):
    client = leaver(floor)
    set_policies(cast.brand, retention_held_back=5000)
    chosen = [leaver(floor, f"c{n}") for n in range(6)]
    everyone = [client, *chosen]
    held = held_back({one.pk: cast.brand.pk for one in everyone})
    assert held == held_back({one.pk: cast.brand.pk for one in everyone})
    judge_all(now=floor.now)
    cases = {case.client_id: case for case in RetentionCase.objects.all()}
    assert len(cases) == 7
    assert {pk for pk, case in cases.items() if case.state == CaseState.HELD_BACK} == held
    published = set(OutboxEvent.objects.filter(name="risk.client_flagged").values_list("client_id", flat=True))
    assert published == set(cases) - held


def test_one_open_flag_per_client_and_kind(floor):
    client = leaver(floor)
    judge([client.pk], now=floor.now)
    flag = RetentionFlag.objects.filter(client=client).first()
    flag.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        flag.save()
