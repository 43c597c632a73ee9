"""The pages of sources and client money: what they show, who may do what, and that they ask the database no more than before."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from crm.files import jobs
from crm.models import Job
from tests.days import yesterday
from tests.trading.factories import make_server, make_type
from tests.wallet.closing.test_client_money import before, post
from tests.wallet.factories import make_psp
from wallet.choices.month_end import RunState, SourceKind
from wallet.closing.client_money import keep_day
from wallet.ledger import posting
from wallet.ledger.posting import Line
from wallet.models import Account, ClientMoneyDay, Psp, SourceRun
from wallet.reconciliation import source_runs
from wallet.reconciliation.source_runs import run_source, sources_of

pytestmark = pytest.mark.django_db
SOURCES = "wallet:money_sources"


@pytest.fixture
def psp(cast) -> Psp:
    psp = make_psp(cast.brand)
    wallet = posting.wallet_of(cast.client, "EUR")
    post(cast, "in", Line(posting.psp_clearing(psp, "EUR"), -50_000), Line(wallet, 50_000), at=before(40))
    return psp


def queries_of(browser, address: str) -> int:
    browser.get("/profile/")
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(address).status_code == 200
    return len(queries)


def test_sources_stand_with_their_last_run_and_freshness(cast, psp, browse):
    make_type(cast.brand, make_server(name="Live 1"))
    for source in sources_of([cast.brand]):
        run_source(source, yesterday())
    page = browse(cast.auditor).get(reverse(SOURCES)).content.decode()
    assert "Live 1" in page
    assert "read since" in page
    assert "Northpay" in page
    assert reverse("wallet:source_run") not in page
    assert browse(cast.agent).get(reverse(SOURCES)).status_code == 403


def test_the_sources_page_takes_a_fixed_number_of_queries(cast, psp, browse):
    few = queries_of(browse(cast.finance), reverse(SOURCES))
    for number in range(4):
        make_psp(cast.brand, f"psp{number}")
    for source in sources_of([cast.brand]):
        run_source(source, yesterday())
    assert queries_of(browse(cast.finance), reverse(SOURCES)) <= few <= 30


def test_a_source_is_run_from_the_page_by_finance_only(cast, psp, browse):
    (source,) = sources_of([cast.brand])
    address, body = reverse("wallet:source_run"), {"source": source.subject}
    assert browse(cast.auditor).post(address, body).status_code == 403
    assert browse(cast.finance).post(address, {"source": "psp:9:9:"}).status_code == 404
    assert browse(cast.finance).post(address, body).url == reverse(SOURCES)
    assert SourceRun.objects.get().day == yesterday()


def test_daily_fetching_is_switched_on_and_the_run_fetches_what_is_missing(cast, psp, browse, monkeypatch):
    address = reverse("wallet:daily_fetch", args=[psp.pk])
    assert browse(cast.auditor).post(address, {"on": "1"}).status_code == 403
    browse(cast.finance).post(address, {"on": "1"})
    psp.refresh_from_db()
    assert psp.is_fetched_daily
    asked = []
    monkeypatch.setattr(source_runs.settlement_import, "fetch_and_import", lambda **named: asked.append(named))
    (source,) = sources_of([cast.brand])
    run_source(source, yesterday())
    assert asked == [{"psp_id": psp.pk, "first": yesterday(), "last": yesterday(), "actor": None}]
    browse(cast.finance).post(address, {"on": "0"})
    psp.refresh_from_db()
    assert not psp.is_fetched_daily


def test_a_fetch_that_fails_is_a_failed_run_with_its_words(cast, psp):
    Psp.objects.filter(pk=psp.pk).update(is_fetched_daily=True, base_url="http://127.0.0.1:9")
    (source,) = sources_of([cast.brand])
    run = run_source(source, yesterday())
    assert (run.state, run.source) == (RunState.FAILED, SourceKind.PSP)
    assert run.words


def test_client_money_shows_the_month_the_day_and_its_versions(cast, psp, browse):
    keep_day(brand=cast.brand, day=yesterday())
    browser, month = browse(cast.auditor), f"{yesterday():%Y-%m}"
    address = reverse("wallet:client_money", args=["meridian"])
    page = browser.get(address, {"month": month}).content.decode()
    assert "€500.00" in page
    assert reverse("wallet:client_money_compute", args=["meridian"]) not in page
    day = reverse("wallet:client_money_day", args=["meridian", yesterday().isoformat()])
    page = browser.get(day).content.decode()
    assert "Client money requirement" in page
    assert ClientMoneyDay.objects.get().content_hash in page
    assert browser.get(address, {"month": "2026-99"}).status_code == 404
    assert browser.get(reverse("wallet:client_money", args=["southern"])).status_code == 404
    assert browser.get(reverse("wallet:client_money_day", args=["meridian", "soon"])).status_code == 404
    assert browser.get(reverse("wallet:client_money_start")).url == address
    assert queries_of(browse(cast.finance), f"{address}?month={month}") <= 20
    assert queries_of(browse(cast.finance), day) <= 16


def test_a_day_is_computed_again_with_a_reason(cast, psp, browse):
    day = reverse("wallet:client_money_again", args=["meridian", yesterday().isoformat()])
    assert browse(cast.finance).post(day, {"reason": ""}).status_code == 422
    assert browse(cast.auditor).post(day, {"reason": "x"}).status_code == 403
    assert browse(cast.finance).post(day, {"reason": "For the auditor"}).status_code == 302
    assert ClientMoneyDay.objects.get().reason == "For the auditor"
    today = dt.datetime.now(dt.UTC).date().isoformat()
    late = reverse("wallet:client_money_again", args=["meridian", today])
    assert "t over yet" in browse(cast.finance).post(late, {"reason": "x"}).content.decode()


def test_missing_days_are_computed_and_the_report_written_by_jobs(cast, psp, browse, monkeypatch):
    monkeypatch.setattr(jobs, "enqueue", jobs.run_job)
    month, browser = f"{yesterday():%Y-%m}", browse(cast.finance)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.db.transaction.on_commit", lambda work, *_a, **_k: work())
        browser.post(reverse("wallet:client_money_compute", args=["meridian"]), {"month": month})
        assert ClientMoneyDay.objects.filter(day=yesterday()).exists()
        for ending in ("csv", "pdf", "xlsx"):
            browser.post(reverse("wallet:client_money_report", args=["meridian"]), {"month": month, "ending": ending})
    done = list(Job.objects.order_by("pk"))
    assert [one.state for one in done] == ["done"] * 4
    made = [b"".join(jobs.result_of(one)) for one in done[1:]]
    assert made[0].startswith(b"day,currency,version")
    assert f"{yesterday()},EUR,1,transit,1,500.00".encode() in made[0]
    assert made[1].startswith(b"%PDF")
    assert made[2].startswith(b"PK")
    assert Account.objects.filter(kind="client_wallet").count() == 1
