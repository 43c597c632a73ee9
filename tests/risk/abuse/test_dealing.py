"""The dealer's view: flagged clients by exposure, with their markout and cases; in reach, bounded, for those who see trading."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from crm.models import AccessEvent, User
from risk.abuse import scoring
from risk.abuse.dealing import flagged_clients
from risk.abuse.models import AbuseEpisode
from risk.abuse.queue import decide_episode
from tests.risk.abuse.test_episodes import hedged_accounts
from tests.trading.risk.test_dealing import hold
from trading.models import AccountResult, SymbolInfo

pytestmark = pytest.mark.django_db


@pytest.fixture
def episode(cast) -> AbuseEpisode:
    first, second = hedged_accounts(cast)
    SymbolInfo.objects.create(
        server=first.server,
        name="DE40",
        canonical="DE40",
        contract_size=100_000,
        currency_profit="EUR",
        read_at=timezone.now(),
    )
    hold(second, 1, "DE40", 0, "2.00")
    hold(second, 2, "DE40", 1, "1.00")
    month = timezone.now().astimezone(dt.UTC).date().replace(day=1)
    AccountResult.objects.create(account=first, period="m", start=month, trades=1, wins=1, lots=1, net=75, net_base=75)
    return scoring.score_next()[1][0]


def reader(user: User) -> User:
    return User.objects.get(pk=user.pk)


def test_flagged_clients_are_in_the_order_of_what_they_hold(cast, episode, django_assert_max_num_queries):
    with django_assert_max_num_queries(6):
        rows = flagged_clients(reader(cast.finance), cast.brand)
    assert [row.client for row in rows] == [cast.other_client, cast.client]
    holder, other = rows
    # Long and short added up: 300,000 units at 1.10.
    assert (holder.positions, holder.exposure, other.exposure) == (2, 330_000, 0)
    assert (other.month_net, other.stake) == (Decimal(75), Decimal(400))
    assert [row.pk for row in holder.open] == [episode.pk] and holder.markout is None
    assert [row.client for row in flagged_clients(reader(cast.agent), cast.brand)] == [cast.client]
    assert flagged_clients(reader(cast.finance), cast.other_brand) == []


def test_confirmed_ones_stay_for_half_a_year_and_others_leave(cast, episode):
    decide_episode(
        episode_id=episode.pk, actor=cast.finance, outcome="confirmed", reason="Same hands", handling="hedge_out"
    )
    (row, _other) = flagged_clients(reader(cast.finance), cast.brand)
    assert [found.pk for found in row.confirmed] == [episode.pk] and row.stake == 0
    later = timezone.now() + dt.timedelta(days=190)
    assert flagged_clients(reader(cast.finance), cast.brand, now=later) == []


def test_the_page_shows_the_markout_and_logs_the_view(cast, episode, browse, django_assert_max_num_queries):
    episode.kind, episode.facts = "toxic", {"judged": 40, "gained": 0.4, "curve": [-0.5, -0.2, 0, 0.2, 0.41, 0.5]}
    episode.save()
    finance = browse(cast.finance)
    address = reverse("risk_dealing")
    finance.get(address)
    with django_assert_max_num_queries(24):
        body = finance.get(address).content.decode()
    assert "Toxic flow" in body and "0.41" in body and episode.get_absolute_url() in body
    assert AccessEvent.objects.filter(user=cast.finance, target="risk.dealing", rows=2).exists()
    assert address in finance.get(reverse("risk_abuse")).content.decode()
    assert browse(cast.agent).get(address).status_code == 403
