"""The leaderboard shows who agreed, under the name that they chose, and nobody from the next request after a withdrawal on."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone
from django.utils.html import strip_tags

from clients.models import Client
from crm.errors import DomainError, NotAllowed
from crm.models import AuditEvent
from prop.choices import BoardPeriod, ChallengeState, StageState
from prop.leaderboard.board import board_of, chosen_board
from prop.leaderboard.consent import set_consent
from prop.models import Challenge, ChallengeDay, LeaderboardConsent, PhaseAccount
from tests.cast import Cast, signed_in
from tests.prop.payouts.world import run_funded
from tests.trading.factories import make_account
from tests.wallet.factories import fund
from wallet.models import Journal

pytestmark = pytest.mark.django_db

PAGE = "/portal/leaderboard/"


def day(row: PhaseAccount, days_ago: int, profit: str, *, opening: str = "10000") -> None:
    closing = Decimal(opening) + Decimal(profit)
    ChallengeDay.objects.create(
        phase_account=row,
        day=timezone.localdate() - dt.timedelta(days=days_ago),
        opening_balance=opening,
        opening_equity=opening,
        closing_balance=closing,
        closing_equity=closing,
        lowest_equity=min(closing, Decimal(opening)),
        highest_equity=max(closing, Decimal(opening)),
        trades=2,
    )


def second_of(cast: Cast, row: PhaseAccount) -> PhaseAccount:
    """Another client's account of the same programme."""
    challenge, kind = row.challenge, row.account
    fund(cast.other_client, 10_000)
    other = Challenge.objects.create(
        brand=cast.brand,
        client=cast.other_client,
        version=challenge.version,
        size=challenge.size,
        currency="EUR",
        balance=10_000,
        price=100,
        request_key="two",
        payment=Journal.objects.exclude(pk=challenge.payment_id).last(),
        bought_at=timezone.now(),
        state=ChallengeState.FUNDED,
    )
    return PhaseAccount.objects.create(
        challenge=other,
        phase=row.phase,
        account=make_account(cast.other_client, kind.server, login="777001"),
        state=StageState.RUNNING,
        started_at=timezone.now(),
    )


@pytest.fixture
def row(cast: Cast) -> PhaseAccount:
    """A funded account that earned 2 % today and 3 % forty days ago, and paid some of it out in between."""
    made = run_funded(cast)
    day(made, 40, "300")
    day(made, 0, "200")
    return made


def agree(cast: Cast, nickname: str = "Night Owl") -> None:
    set_consent(client_id=cast.client.pk, shown_as="nickname", nickname=nickname, actor=cast.client.user)


def test_only_who_agreed_is_shown_and_under_the_chosen_name(cast: Cast, row: PhaseAccount) -> None:
    programme = row.challenge.version.programme
    assert board_of(programme, BoardPeriod.ALL) == []
    agree(cast)
    (month,), (whole,) = board_of(programme, BoardPeriod.MONTH), board_of(programme, BoardPeriod.ALL)
    assert (month.name, month.share, month.days, month.payouts) == ("Night Owl", 2, 1, 0)
    assert (whole.share, whole.days) == (5, 2)
    page = strip_tags(signed_in(cast.client.user).get(f"{PAGE}?period=all").content.decode())
    assert "Night Owl" in page and "5.00 %" in page and "You" in page
    set_consent(client_id=cast.client.pk, shown_as="name", actor=cast.client.user)
    assert board_of(programme, BoardPeriod.MONTH)[0].name == cast.client.full_name


def test_a_withdrawn_consent_counts_from_the_next_request_on(cast: Cast, row: PhaseAccount) -> None:
    agree(cast)
    browser = signed_in(cast.client.user)
    assert "Night Owl" in browser.get(PAGE).content.decode()
    assert browser.post(PAGE, {"shown_as": "", "nickname": ""}).status_code == 302
    assert "Night Owl" not in browser.get(PAGE).content.decode()
    assert not LeaderboardConsent.objects.exists()
    assert AuditEvent.objects.filter(action="prop.leaderboard_consent", client_id=cast.client.pk).count() == 2


def test_places_follow_the_profit_and_a_trader_has_one(cast: Cast, row: PhaseAccount) -> None:
    day(second_of(cast, row), 0, "250")
    agree(cast)
    set_consent(client_id=cast.other_client.pk, shown_as="name", actor=cast.other_client.user)
    places = board_of(row.challenge.version.programme, BoardPeriod.MONTH, own_client_id=cast.client.pk)
    assert [(place.number, place.share, place.is_own) for place in places] == [
        (1, Decimal("2.50"), False),
        (2, Decimal("2.00"), True),
    ]
    cast.other_client.stage = "closed"
    cast.other_client.save(update_fields=["stage"])
    assert len(board_of(row.challenge.version.programme, BoardPeriod.MONTH)) == 1


def test_nobody_consents_for_another_and_nicknames_are_unique(cast: Cast, row: PhaseAccount) -> None:
    agree(cast)
    for actor in (cast.other_client.user, cast.administrator):
        with pytest.raises(NotAllowed):
            set_consent(client_id=cast.client.pk, shown_as="name", actor=actor)
    for nickname in ("night  OWL", "ab", "<b>me</b>", "x" * 25):
        with pytest.raises(DomainError):
            set_consent(
                client_id=cast.other_client.pk, shown_as="nickname", nickname=nickname, actor=cast.other_client.user
            )
    assert LeaderboardConsent.objects.get().client_id == cast.client.pk
    refused = signed_in(cast.other_client.user).post(PAGE, {"shown_as": "nickname", "nickname": "night owl"})
    assert refused.status_code == 422 and "taken" in refused.content.decode()


def test_a_board_is_of_the_own_brand(cast: Cast, row: PhaseAccount) -> None:
    agree(cast)
    Client.objects.filter(pk=cast.other_client.pk).update(brand=cast.other_brand)
    assert chosen_board(cast.other_client.user, {"programme": str(row.challenge.version.programme_id)}).programmes == []
    page = strip_tags(signed_in(cast.finance).get("/prop/leaderboard/").content.decode())
    assert "Night Owl" in page and cast.client.full_name not in page
