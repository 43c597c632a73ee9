"""The news rule is judged from the brand's calendar; a release that is moved leads to a correction, never to a silent change."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone
from django.utils.html import strip_tags

from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import DueRow
from prop.choices import CorrectionKind, StageState
from prop.models import NewsRelease, PhaseAccount
from prop.news.calendar import enter_releases, remove_release
from prop.news.releases import coming_releases
from tests.cast import Cast, signed_in
from tests.prop.corrections.test_corrections import find, read
from tests.prop.judge.running import NOON, run_phase, trade
from trading.choices import DealEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(cast: Cast) -> PhaseAccount:
    return run_phase(cast, news_minutes=5)


def enter(cast: Cast, minute: int, currency: str = "USD") -> NewsRelease:
    text = f"{NOON:%Y-%m-%d} 12:{minute:02},{currency},Non-farm payrolls"
    assert enter_releases(brand=cast.brand, text=text, actor=cast.administrator) == 1
    return NewsRelease.objects.latest("pk")


def buy(row: PhaseAccount) -> None:
    read(row, 0, "10000")
    trade(row, 2, DealEntry.IN)
    read(row, 10, "10000")


def test_deal_near_a_release_of_its_currency_breaches(cast: Cast, row: PhaseAccount) -> None:
    enter(cast, 4)
    buy(row)
    assert (row.state, row.breach.rule, row.breach.threshold) == (StageState.BREACHED, "news", 5)
    page = strip_tags(signed_in(cast.client.user).get(f"/portal/challenges/{row.challenge_id}/").content.decode())
    assert "the limit was 5 minutes." in page


def test_trader_reads_the_releases_to_come(cast: Cast, row: PhaseAccount) -> None:
    """Of the next seven days, and those that aren't over yet; removed ones and those of a phase without the rule aren't shown."""
    now = timezone.now()
    times = {"Over": -30, "Not over": -2, "Soon": 60, "Moved": 90, "Later": 8 * 1440}
    lines = [f"{now + dt.timedelta(minutes=minutes):%Y-%m-%d %H:%M},USD,{title}" for title, minutes in times.items()]
    enter_releases(brand=cast.brand, text="\n".join(lines), actor=cast.administrator)
    remove_release(release_id=NewsRelease.objects.get(title="Moved").pk, actor=cast.administrator)
    assert [release.title for release in coming_releases(row, now)] == ["Not over", "Soon"]
    page = signed_in(cast.client.user).get(f"/portal/challenges/{row.challenge_id}/").content.decode()
    assert "Important news of the next seven days" in page and "Soon" in page
    row.phase.news_minutes = None
    assert coming_releases(row, now) == []


@pytest.mark.parametrize(("minute", "currency"), [(6, "USD"), (4, "JPY")])
def test_deal_apart_from_releases_breaches_nothing(cast: Cast, row: PhaseAccount, minute: int, currency: str) -> None:
    enter(cast, minute, currency)
    buy(row)
    assert row.state == StageState.RUNNING


def test_release_that_is_moved_corrects_what_it_breached(cast: Cast, row: PhaseAccount) -> None:
    release = enter(cast, 4)
    buy(row)
    remove_release(release_id=release.pk, actor=cast.administrator)
    enter(cast, 30)
    assert DueRow.objects.filter(kind="prop.judge_again", key=row.pk, state="pending").exists()
    correction = find(row)
    assert correction is not None and correction.kind == CorrectionKind.REVERSAL
    assert row.state == StageState.BREACHED
    enter(cast, 3)
    assert find(row) is None and row.corrections.get().state == "outdated"


def test_release_that_is_entered_late_finds_a_missed_breach(cast: Cast, row: PhaseAccount) -> None:
    buy(row)
    assert find(row) is None
    enter(cast, 1)
    correction = find(row)
    assert correction is not None and correction.kind == CorrectionKind.NEW_BREACH
    assert correction.now["rule"] == "news" and row.state == StageState.RUNNING
    page = strip_tags(signed_in(cast.finance).get(correction.get_absolute_url()).content.decode())
    assert "Breach: News" in page


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("2026-12-04 13:30,USD", "time, currency and title"),
        ("04.12.2026,USD,Payrolls", "time in UTC"),
        ("2026-12-04 13:30,Dollar,Payrolls", "currency such as"),
        ("1999-12-04 13:30,USD,Payrolls", "too far"),
        ("2026-12-04 13:30,USD,", "title"),
        ("", "between 1 and 500"),
    ],
)
def test_wrong_line_is_named_and_nothing_entered(cast: Cast, line: str, problem: str) -> None:
    text = f"{timezone.now():%Y-%m-%d %H:%M},USD,Rates\n{line}" if line else line
    with pytest.raises(DomainError, match=problem):
        enter_releases(brand=cast.brand, text=text, actor=cast.administrator)
    assert not NewsRelease.objects.exists()


def test_calendar_is_kept_by_those_who_write_programmes(cast: Cast) -> None:
    text = f'{timezone.now():%Y-%m-%d %H:%M},usd,"Payrolls, private"'
    with pytest.raises(NotAllowed):
        enter_releases(brand=cast.brand, text=text, actor=cast.agent)
    staff = signed_in(cast.administrator)
    assert staff.post("/prop/news/", {"brand": cast.brand.pk, "text": text}).status_code == 302
    assert enter_releases(brand=cast.brand, text=text, actor=cast.administrator) == 0
    release = NewsRelease.objects.get()
    assert "Payrolls, private" in staff.get("/prop/news/").content.decode()
    assert staff.post(f"/prop/news/{release.pk}/remove/").status_code == 302
    with pytest.raises(WrongState):
        remove_release(release_id=release.pk, actor=cast.administrator)
    assert "Payrolls, private" not in staff.get("/prop/news/").content.decode()
