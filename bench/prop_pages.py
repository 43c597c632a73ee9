"""The pages of `bench prop`: dashboards of traders and staff over 20,000 challenges with sixty days each.

What the live part left is made older in a few statements: half of the accounts are funded, one out of ten is lost, one trader out
of ten agreed to be shown, and one has two funded accounts, which is the page with most to read.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import connection, transaction
from django.utils import timezone

from bench.harness import Figure, analyze, own_pages, say
from bench.ib_pages import pages
from clients.models import Client
from crm.choices import UserKind
from crm.models import User
from prop.models import Challenge, LeaderboardConsent, NewsRelease

DAYS: Final = 59
TIMES: Final = {"tiny": 3, "quick": 20, "full": 40}
OLDER: Final = (
    """UPDATE prop_programmeversion SET state = CASE number WHEN 4 THEN 'published' ELSE 'retired' END, published_at = now(),
    ends_at = CASE number WHEN 4 THEN NULL ELSE now() END""",
    """UPDATE prop_programmephase SET min_days = 5, news_minutes = 2, is_funded = number_of > 2, split = CASE WHEN number_of > 2
    THEN 80 END, target = CASE WHEN number_of > 2 THEN NULL ELSE 10 END, scaling_profit = CASE WHEN number_of > 2 THEN 10 END,
    scaling_growth = CASE WHEN number_of > 2 THEN 25 END
    FROM (SELECT id, number AS number_of FROM prop_programmeversion) v WHERE v.id = version_id""",
    """UPDATE prop_challenge c SET bought_at = now() - interval '60 days', state = CASE WHEN c.id %% 10 = 9 THEN 'breached'
    WHEN f.is_funded THEN 'funded' ELSE 'active' END FROM prop_programmephase f WHERE f.version_id = c.version_id""",
    """UPDATE prop_phaseaccount p SET started_at = now() - interval '60 days', state = CASE WHEN c.state = 'breached'
    THEN 'breached' ELSE 'running' END, ended_at = CASE WHEN c.state = 'breached' THEN now() END
    FROM prop_challenge c WHERE c.id = p.challenge_id""",
    """INSERT INTO prop_challengeday (phase_account_id, day, opening_balance, opening_equity, closing_balance, closing_equity,
    lowest_equity, highest_equity, trades) SELECT p.id, current_date - 1 - d, a, a, b, b, least(a, b) - 500, greatest(a, b) + 500,
    d %% 4 FROM prop_phaseaccount p, generate_series(1, %(days)s) d,
    LATERAL (SELECT 100000 + (p.id * 7919 + d * 48271) %% 6000 - 2000
    AS b, 100000 + (p.id * 7919 + (d + 1) * 48271) %% 6000 - 2000 AS a) x""",
    """INSERT INTO prop_challengepayout (challenge_id, phase_account_id, state, currency, profit, split, amount, refund,
    request_key, requested_at, requested_on, work_id, decided_by_id, decided_at, operation_id, journal_id, ended_at)
    SELECT c.id, p.id, 'paid', 'EUR', 1000, 80, 800, 0, 'bench', at, at::date, -p.id, 1, at, -p.id, -p.id, at
    FROM prop_challenge c JOIN prop_phaseaccount p ON p.challenge_id = c.id, LATERAL (SELECT now() - interval '20 days' AS at) x
    WHERE c.state = 'funded' AND c.id %% 2 = 0""",
    "UPDATE trading_tradingaccount SET synced_at = now()",
    # A second funded account of the same trader.
    """UPDATE prop_challenge SET client_id = %(trader)s WHERE id = %(second)s""",
    """UPDATE trading_tradingaccount SET client_id = %(trader)s FROM prop_phaseaccount p
    WHERE p.account_id = trading_tradingaccount.id AND p.challenge_id = %(second)s""",
)


def run(size: str) -> list[Figure]:
    active, funded, second = (
        Challenge.objects.filter(version__number=number).order_by("pk")[place]
        for number, place in ((1, 1), (3, 1), (3, 2))
    )
    age(funded, second)
    staff = User.objects.create_superuser("manager", "manager@example.com", "!")
    trader, other = (_signs_in(challenge, name) for challenge, name in ((funded, "funded"), (active, "active")))
    _consent_and_news(staff)
    analyze()
    month = f"{timezone.localdate() - dt.timedelta(days=32):%Y-%m}"
    mine, theirs = f"/portal/challenges/{funded.pk}/", f"/prop/challenges/{funded.pk}/"
    programme = f"/prop/programmes/{funded.version.programme_id}/"
    with own_pages():
        figures = pages(other, [f"/portal/challenges/{active.pk}/"], TIMES[size], goal=50)
        figures += pages(trader, ["/portal/challenges/", mine, f"{mine}?month={month}"], TIMES[size], goal=50)
        figures += pages(trader, ["/portal/leaderboard/"], TIMES[size], goal=50)
        lists = ["/prop/challenges/", "/prop/challenges/?state=breached", "/prop/payouts/"]
        shown = [*lists, theirs, "/prop/leaderboard/", "/prop/economics/", programme]
        return figures + pages(staff, shown, TIMES[size], goal=50)


def age(funded: Challenge, second: Challenge) -> None:
    """Let all challenges have run for sixty days. Keys into ledger, work and staff are made up: no page here reads them."""
    say("sixty days of each")
    given = {"days": DAYS, "trader": funded.client_id, "second": second.pk}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for statement in OLDER:
            cursor.execute(statement, given)


def _signs_in(challenge: Challenge, name: str) -> User:
    user = User.objects.create_user(name, f"{name}@example.com", kind=UserKind.CLIENT, brand=challenge.brand)
    Client.objects.filter(pk=challenge.client_id).update(user=user)
    return user


def _consent_and_news(staff: User) -> None:
    now, brand = timezone.now(), Challenge.objects.all()[0].brand
    clients = Client.objects.order_by("pk").values_list("pk", flat=True)
    LeaderboardConsent.objects.bulk_create(
        LeaderboardConsent(client_id=pk, shown_as="name", agreed_at=now) for pk in clients if pk % 10 == 0
    )
    NewsRelease.objects.bulk_create(
        NewsRelease(
            brand=brand, at=now + dt.timedelta(hours=12 * n), currency="USD", title=f"Release {n}", made_by=staff
        )
        for n in range(1, 11)
    )
