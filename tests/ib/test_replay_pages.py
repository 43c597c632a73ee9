"""The pages of replays: asked for, looked at by cause, partner and line, exported, proposed, discarded."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from crm.files.jobs import run_job
from crm.models import Job
from ib import engine
from ib.models import Accrual, Replay, ReplayProposal
from ib.replay.replays import request_replay, run_replay
from tests.cast import Cast
from tests.ib.factories import NOON, make_trade
from tests.ib.test_pages import text_of
from tests.ib.test_replay import DAY, edit, replayed, waiting

pytestmark = pytest.mark.django_db
FORM = {"first": "2026-09-09", "last": "2026-09-11", "reason": "A missing trade"}


@pytest.fixture
def differing(cast: Cast, network: Any) -> Replay:
    """One deal that was edited and one that was never calculated: six lines."""
    known = make_trade(network.account)
    engine.run_for_deals(deal_ids=[known])
    edit(known, closed_lots="0.5")
    make_trade(network.account, lots="2")
    return replayed(cast)


def test_a_manager_asks_for_a_replay_and_finance_applies_it(cast: Cast, network: Any, browse: Any) -> None:
    make_trade(network.account, lots="0.5")
    manager = browse(cast.ib_manager)
    answer = manager.post(reverse("ib_replay_new"), {**FORM, "brand": cast.brand.pk}, follow=True)
    replay = Replay.objects.get()
    assert "Waiting to start" in text_of(answer)
    job = Job.objects.get(kind="ib.replay")
    run_job(job.pk)
    text = text_of(manager.get(replay.get_absolute_url()))
    assert network.sub.name in text and "Deal not calculated before" in text and "+€3.00" in text
    manager.post(reverse("ib_replay_propose", args=[replay.pk]), {"reason": "A missing trade"})
    item = ReplayProposal.objects.get()
    assert "Awaiting second approval" in text_of(manager.get(replay.get_absolute_url()))
    url = f"/approvals/commission-replay/{item.pk}/"
    finance = browse(cast.finance)
    assert "Deal not calculated before" in text_of(finance.get(url))
    finance.post(f"{url}approve/", follow=True)
    assert Accrual.objects.count() == 3
    row = Accrual.objects.first()
    assert row is not None
    assert f"replay #{replay.pk}" in text_of(finance.get(reverse("ib_accrual", args=[row.pk])))
    assert "Applied by" in text_of(finance.get(replay.get_absolute_url()))


def test_lines_are_filtered_by_cause_and_exported(cast: Cast, differing: Replay, browse: Any) -> None:
    finance = browse(cast.finance)
    url = differing.get_absolute_url()
    rows = finance.get(url, {"cause": "deal_edited"}, HTTP_HX_REQUEST="true")
    assert "3 rows" in text_of(rows) and "Total −€5.00" in text_of(rows)
    export = finance.get(url, {"export": "csv"})
    content = b"".join(export.streaming_content if export.streaming else [export.content]).decode()
    assert content.count("Deal not calculated before") == 3 and content.count("Deal changed on the platform") == 3


@pytest.mark.parametrize(("page", "limit"), [("ib_replays", 18), ("ib_replay", 26)])
def test_pages_of_replays_open_in_a_bounded_number_of_queries(
    cast: Cast, differing: Replay, browse: Any, page: str, limit: int, django_assert_max_num_queries: Any
) -> None:
    browser = browse(cast.finance)
    url = reverse(page, args=[differing.pk] if page == "ib_replay" else [])
    browser.get(url)
    with django_assert_max_num_queries(limit):
        assert browser.get(url).status_code == 200


def test_a_replay_is_discarded_on_its_page(cast: Cast, differing: Replay, browse: Any) -> None:
    count = Accrual.objects.count()
    browse(cast.finance).post(reverse("ib_replay_discard", args=[differing.pk]))
    differing.refresh_from_db()
    assert differing.state == "ready", "finance reads replays and approves them"
    answer = browse(cast.ib_manager).post(reverse("ib_replay_discard", args=[differing.pk]), follow=True)
    assert "Replay discarded" in text_of(answer) and "Discarded by" in text_of(answer)
    assert Accrual.objects.count() == count


def test_a_replay_is_asked_for_again_with_the_same_days(cast: Cast, differing: Replay, browse: Any) -> None:
    page = browse(cast.ib_manager).get(reverse("ib_replay_new"), {"again": differing.pk}).content.decode()
    assert 'value="The partner asked"' in page and 'value="2026-09-09"' in page


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"last": "2026-09-01"}, "before the first day"),
        ({"last": "2027-12-01"}, "400 days"),
        ({"partner": "stranger"}, "No partner of this brand"),
        ({"client": "99999999"}, "No client of this brand"),
        ({"reason": ""}, "required"),
    ],
)
def test_the_form_says_what_is_wrong(
    cast: Cast, network: Any, browse: Any, change: dict[str, str], message: str
) -> None:
    answer = browse(cast.ib_manager).post(reverse("ib_replay_new"), {**FORM, "brand": cast.brand.pk, **change})
    assert answer.status_code == 422 and message in text_of(answer) and not Replay.objects.exists()


def test_replays_of_another_brand_are_not_there(cast: Cast, network: Any, browse: Any) -> None:
    replay = Replay.objects.create(
        brand=cast.other_brand,
        from_at=NOON - DAY,
        to_at=NOON,
        reached_at=NOON - DAY,
        moved_at=NOON,
        asked_at=NOON,
        asked_by=cast.ib_manager,
        reason="x",
    )
    assert browse(cast.ib_manager).get(replay.get_absolute_url()).status_code == 404


def test_a_replay_without_differences_says_so(cast: Cast, network: Any, browse: Any) -> None:
    engine.run_for_deals(deal_ids=[make_trade(network.account)])
    replay = request_replay(
        brand=cast.brand, from_at=NOON - DAY, to_at=NOON + DAY, actor=cast.ib_manager, reason="Just to see"
    )
    browser = browse(cast.ib_manager)
    run_replay(replay_id=replay.pk)
    assert "All commissions are as calculated" in text_of(browser.get(replay.get_absolute_url()))


def test_proposals_wait_in_the_list_of_approvals(cast: Cast, network: Any, browse: Any) -> None:
    make_trade(network.account)
    item = waiting(cast)
    assert f"Commission replay #{item.replay_id}" in text_of(browse(cast.finance).get("/approvals/"))
