"""A month is signed by two people under the same figures, with everything that is open named; then it is closed. The pack
carries the same figures in each form."""

import datetime as dt
import io
import json
import zipfile
from decimal import Decimal

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from python_calamine import CalamineWorkbook

from crm import approvals
from crm.approvals.queries import count_to_decide, waiting_for
from crm.errors import DomainError, NotAllowed, WrongState
from crm.files import jobs
from crm.models import AuditEvent, Job, Notification
from crm.rates import fx
from tests.days import last_month, last_month_end, month_before_last
from tests.wallet.closing.test_periods import pay
from tests.wallet.conftest import load_rates
from tests.wallet.factories import fund, house, make_adyen, make_psp, raw, sign_month
from wallet.choices.documents import DocumentKind, Ending
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.choices.month_end import PeriodState, RunState, SourceKind
from wallet.choices.reconciliation import BreakKind
from wallet.closing import periods
from wallet.closing.client_money import keep_day
from wallet.closing.missing_sources import missing_sources
from wallet.closing.month_end import month_end_of
from wallet.closing.month_facts import client_money_state
from wallet.closing.month_pack import make_pack, month_report, write_archive
from wallet.closing.period_checks import checks_of
from wallet.closing.revaluation import propose_revaluation, revaluation_of
from wallet.closing.second_signature import add_second_signature
from wallet.closing.sign_offs import Signatures, signatures_of, withdraw_signature
from wallet.documents.store import content_of, with_hash
from wallet.ledger import fx_position, posting
from wallet.ledger.posting import Entry, Line
from wallet.ledger.verification import verify
from wallet.models import (
    Break,
    ClosingBalance,
    IssuedDocument,
    Journal,
    ManualJournal,
    MonthSignOff,
    Period,
    PeriodReopening,
    PspMovement,
    SettlementImport,
)
from wallet.reconciliation.source_runs import Source, run_source

pytestmark = pytest.mark.django_db


@pytest.fixture
def month(cast) -> Period:
    """Last month, with 100 of fees in it; the month before it is closed."""
    pay(cast.brand, 10_000, month_before_last() + dt.timedelta(days=9), "a")
    pay(cast.brand, 2_000, last_month() + dt.timedelta(days=9), "b")
    periods.open_months(cast.brand.pk)
    earlier = Period.objects.get(first_day=month_before_last())
    sign_month(earlier, cast.finance, cast.second_finance)
    periods.close_period(period_id=earlier.pk, actor=cast.finance)
    return Period.objects.select_related("brand").get(first_day=last_month())


def at(day: dt.date, hour: int = 12) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour), tzinfo=dt.UTC)


def break_of(cast, psp, **fields) -> Break:
    values = {
        "brand": cast.brand,
        "psp": psp,
        "kind": BreakKind.MISSING_HERE,
        "subject": "row:1",
        "detail": "Line 7 is in no book",
        "currency": "EUR",
        "difference_minor": -1_250,
        "happened_at": at(last_month() + dt.timedelta(days=3)),
        "opened_at": at(last_month() + dt.timedelta(days=4)),
        **fields,
    }
    return Break.objects.create(**values)


# ── signatures ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_signature_does_not_close_a_month_and_two_do(cast, month):
    sign_month(month, cast.finance)
    with pytest.raises(DomainError, match=r"needs two signatures .* so far: 1"):
        periods.close_period(period_id=month.pk, actor=cast.finance)
    told = Notification.objects.filter(kind="wallet.month_to_sign", url__endswith=f"{month}/")
    assert list(told.values_list("user", flat=True)) == [cast.second_finance.pk]
    with pytest.raises(WrongState, match="someone else"):
        sign_month(month, cast.finance)
    sign_month(month, cast.second_finance)
    assert periods.close_period(period_id=month.pk, actor=cast.second_finance).state == PeriodState.CLOSED
    assert AuditEvent.objects.filter(action="wallet.month_signed", target_id=str(month.pk)).count() == 2


def test_the_database_closes_no_month_that_two_have_not_signed(cast, month):
    sign_month(month, cast.finance)
    with pytest.raises(IntegrityError, match="signed by two people"), transaction.atomic():
        Period.objects.filter(pk=month.pk).update(state="closing")
    signed = MonthSignOff.objects.get(period=month)
    with pytest.raises(Exception, match="withdrawn, never changed"), transaction.atomic():
        MonthSignOff.objects.filter(pk=signed.pk).update(figures_hash="0" * 64)


def test_a_month_that_was_opened_again_is_signed_again_though_its_figures_are_the_same(cast, month):
    sign_month(month, cast.finance, cast.second_finance)
    periods.close_period(period_id=month.pk, actor=cast.finance)
    wish = periods.request_reopening(period_id=month.pk, actor=cast.finance, reason="A fee is missing")
    approvals.approve(PeriodReopening, wish.pk, actor=cast.mlro)
    opened = Period.objects.get(pk=month.pk)
    assert signatures_of(opened) == Signatures((), (), "")
    with pytest.raises(DomainError, match="needs two signatures"):
        periods.close_period(period_id=month.pk, actor=cast.finance)
    sign_month(opened, cast.finance, cast.second_finance)
    assert periods.close_period(period_id=month.pk, actor=cast.finance).closings == 2


def test_a_signature_under_figures_that_changed_is_worth_nothing(cast, month):
    sign_month(month, cast.finance)
    pay(cast.brand, 1, last_month_end(), "late fact")
    found = signatures_of(month)
    assert (len(found.valid), len(found.outdated)) == (0, 1)
    sign_month(month, cast.second_finance)
    with pytest.raises(DomainError, match="have changed since"):
        periods.close_period(period_id=month.pk, actor=cast.finance)
    sign_month(month, cast.finance)
    assert signatures_of(month).are_enough
    assert periods.close_period(period_id=month.pk, actor=cast.finance).closings == 1


def test_a_signature_is_withdrawn_by_its_owner_while_the_month_is_open(cast, month):
    sign_month(month, cast.finance)
    signed = MonthSignOff.objects.get(period=month)
    with pytest.raises(NotAllowed):
        withdraw_signature(sign_off_id=signed.pk, actor=cast.second_finance)
    withdraw_signature(sign_off_id=signed.pk, actor=cast.finance)
    assert signatures_of(month).valid == ()
    sign_month(month, cast.finance, cast.second_finance)
    periods.close_period(period_id=month.pk, actor=cast.finance)
    with pytest.raises(WrongState):
        withdraw_signature(sign_off_id=MonthSignOff.objects.latest("pk").pk, actor=cast.second_finance)


def test_the_list_has_the_newest_signature_until_two_have_signed(cast, month):
    def listed(user) -> list[MonthSignOff]:
        return [one.item for one in waiting_for(user, "month-sign-off")]

    sign_month(month, cast.finance)
    first = MonthSignOff.objects.get(period=month)
    assert listed(cast.second_finance) == listed(cast.finance) == [first] and listed(cast.support) == []
    assert (count_to_decide(cast.second_finance), count_to_decide(cast.finance)) == (1, None)
    pay(cast.brand, 1, last_month_end(), "late fact")
    with pytest.raises(WrongState, match="figures have changed"):
        add_second_signature(sign_off_id=first.pk, actor=cast.second_finance)
    sign_month(month, cast.second_finance)
    assert listed(cast.finance) == [MonthSignOff.objects.latest("pk")], "what was signed before counts no more"
    add_second_signature(sign_off_id=MonthSignOff.objects.latest("pk").pk, actor=cast.finance)
    assert listed(cast.finance) == listed(cast.second_finance) == []
    assert Job.objects.filter(kind="wallet.close_period", owner=cast.finance).count() == 1


def test_who_may_sign_and_that_open_things_need_a_note(cast, month):
    for person in (cast.auditor, cast.mlro, cast.agent, cast.administrator):
        with pytest.raises(NotAllowed):
            sign_month(month, person)
    break_of(cast, make_psp(cast.brand))
    with pytest.raises(DomainError, match=r"Open breaks: 1"):
        sign_month(month, cast.finance)
    sign_month(month, cast.finance, note="The PSP looks into it")
    signed = MonthSignOff.objects.get(period=month)
    assert signed.checks == ["Open breaks: 1."]
    assert signed.note == "The PSP looks into it"


# ── what is missing ──────────────────────────────────────────────────────────────────────────────────────────────────


def report(psp, first: dt.date, last: dt.date) -> SettlementImport:
    return SettlementImport.objects.create(
        psp=psp,
        file_name=f"{first}.csv",
        sha256=f"{first}{last}".ljust(64, "0"),
        first_day=first,
        stored_name=f"{psp.pk}-{first}-{last}",
        size_bytes=1,
        last_day=last,
        row_count=1,
        imported_at=at(last),
        totals={"EUR": {"opening": 0, "net": 500, "closing": 500, "rows": 1}},
    )


def moved(cast, psp, day: dt.date) -> PspMovement:
    fund(cast.client, 1)
    return PspMovement.objects.create(
        psp=psp,
        kind="payment",
        reference="D-1",
        psp_reference="p1",
        client_id=cast.client.pk,
        journal_id=Journal.objects.latest("pk").pk,
        amount_minor=500,
        currency="EUR",
        occurred_at=at(day),
    )


def test_a_psp_through_which_money_moved_owes_a_report_to_the_month_s_end(cast, month):
    psp, idle = make_psp(cast.brand), make_psp(cast.brand, "idle")
    moved(cast, psp, last_month() + dt.timedelta(days=4))
    assert [(one.source.psp, one.periods) for one in missing_sources(month)] == [
        (psp, ((last_month(), last_month_end()),))
    ]
    report(psp, last_month(), last_month_end() - dt.timedelta(days=2))
    (one,) = missing_sources(month)
    assert one.periods == ((last_month_end() - dt.timedelta(days=1), last_month_end()),)
    assert psp.name in one.words
    report(psp, last_month_end() - dt.timedelta(days=1), last_month_end() + dt.timedelta(days=3))
    assert missing_sources(month) == []
    lines = {line.source.psp: line for line in month_end_of(month).sources}
    assert (lines[psp].files, lines[psp].closing, lines[idle].is_idle) == (2, {"EUR": Decimal(5)}, True)


def through_adyen(cast, **keys):
    return make_adyen(
        cast.brand, "http://127.0.0.1:9", balance_account="BA1", transfer_key="k", transfer_webhook_secret="AB", **keys
    )


def pays_out(cast, psp, day: dt.date, reference: str) -> PspMovement:
    fund(cast.client, 2, key=reference)
    return PspMovement.objects.create(
        psp=psp,
        kind="payout",
        reference=reference,
        psp_reference=reference,
        client_id=cast.client.pk,
        journal_id=Journal.objects.latest("pk").pk,
        amount_minor=-500,
        currency="EUR",
        occurred_at=at(day),
    )


def test_a_psp_with_transfers_only_owes_the_report_that_tells_them_for_their_days_and_no_other(cast, month):
    psp, first = through_adyen(cast), last_month()
    for number, offset in enumerate((4, 5, 9)):
        pays_out(cast, psp, first + dt.timedelta(days=offset), f"W-{number}")
    (one,) = missing_sources(month)
    days = [first + dt.timedelta(days=offset) for offset in (4, 5, 9)]
    assert one.periods == ((days[0], days[1]), (days[2], days[2])) and not one.is_whole_month
    assert one.report == "Accounting report of the balance platform" and str(one.report) in one.words
    accounting = report(psp, days[0], days[1])
    SettlementImport.objects.filter(pk=accounting.pk).update(covers=["payout"])
    (one,) = missing_sources(month)
    assert one.periods == ((days[2], days[2]),)
    SettlementImport.objects.filter(pk=accounting.pk).update(last_day=days[2])
    assert missing_sources(month) == []
    (line,) = [line for line in month_end_of(month).sources if line.source.psp == psp]
    assert (line.files, line.gaps) == (1, [])


def test_a_psp_with_payments_and_transfers_owes_both_reports_and_neither_stands_for_the_other(cast, month, browse):
    psp, first = through_adyen(cast), last_month()
    pays_out(cast, psp, first + dt.timedelta(days=4), "W-1")
    moved(cast, psp, first + dt.timedelta(days=4))
    report(psp, first, last_month_end())
    (one,) = missing_sources(month)
    assert one.report == "Accounting report of the balance platform"
    SettlementImport.objects.update(covers=["payout"])
    (one,) = missing_sources(month)
    assert (one.report, one.is_whole_month) == ("Settlement details report", True)
    page = browse(cast.finance).get(reverse("wallet:month_end", args=[cast.brand.code, str(month)])).content.decode()
    assert "Settlement details report: the whole month" in page and "Accounting report of the balance" not in page


def test_the_daily_run_misses_only_the_report_that_the_day_calls_for(cast):
    psp, day = through_adyen(cast), last_month()
    source = Source(cast.brand, SourceKind.PSP, psp=psp)
    assert (run_source(source, day).state, run_source(source, day).covered_to) == (RunState.AGREES, None)
    pays_out(cast, psp, day, "W-1")
    run = run_source(source, day)
    assert (run.state, run.covered_to) == (RunState.MISSING, day - dt.timedelta(days=1))
    SettlementImport.objects.filter(pk=report(psp, day, day).pk).update(covers=["payout"])
    run = run_source(source, day + dt.timedelta(days=1))
    assert (run.state, run.covered_to) == (RunState.AGREES, day + dt.timedelta(days=1))
    moved(cast, psp, day)
    run = run_source(source, day)
    assert (run.state, run.covered_to) == (RunState.MISSING, None)


def test_days_to_come_are_not_missing(cast, month, browse):
    """On the tenth, the first nine days are owed; the others are due when they are over."""
    psp, first = make_psp(cast.brand), last_month()
    tenth = first + dt.timedelta(days=9)
    wallet, clearing = posting.wallet_of(cast.client, "EUR"), posting.psp_clearing(psp, "EUR")
    with transaction.atomic():
        entry = Entry(
            key="in",
            kind=JournalKind.DEPOSIT,
            brand_id=cast.brand.pk,
            business_on=first,
            lines=(Line(clearing, -900), Line(wallet, 900)),
        )
        posting.post_many([entry], posted_at=[at(first)])
    moved(cast, psp, first)
    page = reverse("wallet:month_end", args=[cast.brand.code, str(month)])
    with time_machine.travel(at(tenth), tick=False):
        (one,) = missing_sources(month)
        assert one.periods == ((first, tenth - dt.timedelta(days=1)),) and not one.is_whole_month
        state = client_money_state(month)
        assert state.lacking == state.days <= 9
        text = browse(cast.finance).get(page).content.decode()
        assert "Due from" in text and f"Calculate {state.lacking} missing days" in text
        report(psp, first, tenth - dt.timedelta(days=1))
        assert missing_sources(month) == []
        assert "Complete so far" in browse(cast.finance).get(page).content.decode()
    with time_machine.travel(at(first, hour=9), tick=False):
        assert (missing_sources(month), client_money_state(month).lacking) == ([], 0)
    assert month_end_of(month).due_from is None and "Due from" not in browse(cast.finance).get(page).content.decode()


def test_breaks_stand_by_age_and_money(cast, month):
    psp = make_psp(cast.brand)
    break_of(cast, psp)
    break_of(cast, psp, subject="row:2", difference_minor=700)
    break_of(cast, psp, subject="row:3", happened_at=at(last_month_end() + dt.timedelta(days=1)))
    (row,) = month_end_of(month).ageing
    assert (row.count, row.total) == (2, Decimal("19.50"))
    assert month_end_of(month).open_breaks == 2


def test_client_money_is_owed_for_every_day_since_the_first_money(cast, month):
    assert client_money_state(month).days == 0
    wallet, clearing = posting.wallet_of(cast.client, "EUR"), posting.psp_clearing(make_psp(cast.brand), "EUR")
    day = last_month_end() - dt.timedelta(days=2)
    with transaction.atomic():
        entry = Entry(
            key="in",
            kind=JournalKind.DEPOSIT,
            brand_id=cast.brand.pk,
            business_on=day,
            lines=(Line(clearing, -900), Line(wallet, 900)),
        )
        posting.post_many([entry], posted_at=[at(day)])
    assert (client_money_state(month).days, client_money_state(month).lacking) == (3, 3)
    keep_day(brand=cast.brand, day=day)
    assert client_money_state(month).lacking == 2
    check = next(check for check in checks_of(month) if "Client money" in str(check.label))
    assert check.words == "Days without a client money calculation: 2."


# ── foreign currencies ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def position(cast, month):
    load_rates()
    fund(cast.client, 50_000)
    mid = fx.rate("EUR", "USD", on=last_month() + dt.timedelta(days=4))
    conversion = fx_position.convert_minor(10_000, mid, markup_basis_points=100)
    source, target = posting.wallet_of(cast.client, "EUR"), posting.wallet_of(cast.client, "USD")
    entry = Entry(
        key="fx",
        kind=JournalKind.FX,
        brand_id=cast.brand.pk,
        business_on=last_month() + dt.timedelta(days=4),
        lines=fx_position.lines_of(conversion, source=source, target=target),
        rate=conversion.rate,
        rate_on=conversion.rate_on,
    )
    with transaction.atomic():
        posting.post(entry)
    return conversion


def test_the_fx_position_is_revalued_at_the_last_day_s_rates_by_two_people(cast, month, position):
    found = revaluation_of(month)
    assert {one.currency for one in found.positions} == {"EUR", "USD"}
    assert found.result is not None
    assert found.result != 0
    with pytest.raises(NotAllowed):
        propose_revaluation(period_id=month.pk, actor=cast.auditor)
    manual = propose_revaluation(period_id=month.pk, actor=cast.finance)
    assert (manual.business_on, "USD" in manual.reason) == (last_month_end(), True)
    with pytest.raises(WrongState, match="already awaiting second approval"):
        propose_revaluation(period_id=month.pk, actor=cast.finance)
    with pytest.raises(NotAllowed):
        approvals.approve(ManualJournal, manual.pk, actor=cast.finance)
    approvals.approve(ManualJournal, manual.pk, actor=cast.second_finance)
    again = revaluation_of(month)
    assert (again.result, again.posted, again.is_fine) == (0, found.result, True)
    result = house(cast.brand, AccountKind.FX_RESULT)
    assert posting.balance(result) == int(found.result * 100)
    with pytest.raises(DomainError, match="Nothing to post"):
        propose_revaluation(period_id=month.pk, actor=cast.finance)
    assert verify().holds


def test_a_currency_without_a_rate_is_said(cast, month, position):
    raw("DELETE FROM crm_fxrate WHERE currency = 'USD'")
    assert revaluation_of(month).missing == ["USD"]
    with pytest.raises(DomainError, match="No reference rate for USD"):
        propose_revaluation(period_id=month.pk, actor=cast.finance)
    words = [check.words for check in checks_of(month) if not check.is_fine]
    assert "No reference rate for USD." in words


# ── the page and the pack ────────────────────────────────────────────────────────────────────────────────────────────


def url(name: str, month: Period) -> str:
    return reverse(f"wallet:{name}", args=[month.brand.code, str(month)])


def test_from_the_page_two_people_sign_and_the_second_signature_closes_the_month(cast, month, browse, monkeypatch):
    monkeypatch.setattr(jobs, "enqueue", jobs.run_job)
    first, second = browse(cast.finance), browse(cast.second_finance)
    assert first.post(url("month_sign", month), {"sign-reason": ""}).url == url("month_end", month)
    again = first.post(url("month_sign", month), {"sign-reason": ""})
    assert again.status_code == 422
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.db.transaction.on_commit", lambda work, *_a, **_k: work())
        answer = second.post(url("month_sign", month), {"sign-reason": "Seen"})
    job = Job.objects.get(kind="wallet.close_period")
    assert answer.url == reverse("job", args=[job.pk])
    month.refresh_from_db()
    assert (job.state, month.state, month.closed_by) == ("done", "closed", cast.second_finance)
    assert ClosingBalance.objects.filter(period=month).exists()
    page = first.get(url("month_end", month)).content.decode()
    assert str(cast.finance) in page
    assert MonthSignOff.objects.filter(period=month).first().figures_hash in page
    assert second.post(url("month_sign", month), {"sign-reason": ""}).status_code == 422


def test_a_signature_is_withdrawn_and_a_journal_written_from_the_page(cast, month, position, browse):
    browser = browse(cast.finance)
    browser.post(url("month_sign", month), {"sign-reason": "to be revalued"})
    signed = MonthSignOff.objects.get(period=month)
    address = reverse("wallet:signature_withdraw", args=[signed.pk])
    assert browse(cast.second_finance).post(address).status_code in (302, 403)
    assert browser.post(address).url == url("month_end", month)
    assert browser.post(url("month_revalue", month)).url.startswith("/money/journals/")
    assert "already awaiting second approval" in browser.post(url("month_revalue", month), follow=True).content.decode()


def test_the_page_takes_a_fixed_number_of_queries(cast, month, browse):
    def count() -> int:
        browser = browse(cast.finance)
        browser.get("/profile/")
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(url("month_end", month)).status_code == 200
        return len(queries)

    psp = make_psp(cast.brand)
    moved(cast, psp, last_month() + dt.timedelta(days=4))
    few = count()
    for number in range(5):
        break_of(cast, psp, subject=f"row:{number}")
        report(psp, last_month() + dt.timedelta(days=number), last_month() + dt.timedelta(days=number))
    assert count() == few <= 30
    assert browse(cast.agent).get(url("month_end", month)).status_code == 403
    assert browse(cast.finance).get(reverse("wallet:month_end", args=["southern", str(month)])).status_code == 404
    assert browse(cast.finance).get(reverse("wallet:month_end", args=["meridian", "2026-13"])).status_code == 404
    assert browse(cast.finance).get(reverse("wallet:month_end_start")).url == url("month_end", month)


def test_the_pack_has_the_same_figures_in_each_form_and_the_evidence_s_hashes(cast, month, settings, tmp_path):
    psp = make_psp(cast.brand)
    break_of(cast, psp)
    came = report(psp, last_month(), last_month_end())
    sign_month(month, cast.finance, cast.second_finance, note="Known")
    month = periods.close_period(period_id=month.pk, actor=cast.finance, note="Known")
    month = Period.objects.select_related("brand", "closed_by").get(pk=month.pk)
    settings.PRIVATE_DIR = tmp_path / "private"
    named = {"language": "en", "made_by": cast.finance}
    made = [make_pack(month, ending, **named) for ending in (Ending.PDF, Ending.XLSX)]
    assert write_archive(month, tmp_path / "pack.zip", **named) == made, "the same figures are the same documents"
    assert {one.content_hash for one in made} == {month_report(month).content_hash()}
    pages, workbook = (b"".join(content_of(one)) for one in made)
    assert pages.startswith(b"%PDF")
    (tmp_path / "pack.xlsx").write_bytes(workbook)
    book = CalamineWorkbook.from_path(str(tmp_path / "pack.xlsx"))
    sheets = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
    cells = {str(value) for sheet in sheets for row in sheet for value in row}
    assert {came.sha256, "Line 7 is in no book", str(cast.second_finance)} <= cells
    with zipfile.ZipFile(io.BytesIO((tmp_path / "pack.zip").read_bytes())) as archive:
        names = set(archive.namelist())
        manifest = json.loads(archive.read("manifest.json"))
        stem = f"meridian-{month}"
        assert (archive.read(f"month-{stem}.pdf"), archive.read(f"month-{stem}.xlsx")) == (pages, workbook)
    proved = with_hash(cast.finance, made[0].sha256) + with_hash(cast.finance, made[1].sha256)
    assert proved == made and not with_hash(cast.agent, made[0].sha256)
    assert names == {
        f"month-{stem}.pdf",
        f"month-{stem}.xlsx",
        f"client-money-{stem}.csv",
        f"trial-balance-{stem}.csv",
        "manifest.json",
    }
    assert manifest["content_hash"] == made[0].content_hash
    assert [one["sha256"] for one in manifest["evidence"]] == [came.sha256]
    assert {one["by"] for one in manifest["signed"]} == {str(cast.finance), str(cast.second_finance)}


def test_the_pack_is_made_by_a_job_for_who_may_export(cast, month, browse, monkeypatch):
    monkeypatch.setattr(jobs, "enqueue", jobs.run_job)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.db.transaction.on_commit", lambda work, *_a, **_k: work())
        browse(cast.finance).post(url("month_pack", month), {"ending": "xlsx"})
    job = Job.objects.get(kind="wallet.month_pack")
    assert (job.state, job.error) == ("done", "")
    document = IssuedDocument.objects.get(kind=DocumentKind.MONTH_PACK)
    assert job.result_url == reverse("wallet:document", args=[document.pk])
    browser = browse(cast.finance)
    assert b"".join(browser.get(reverse("wallet:document_file", args=[document.pk]))).startswith(b"PK")
    listed = browser.get(reverse("wallet:documents") + f"?q={month}").content.decode()
    assert document.title in listed and document.content_hash[:12] in listed
    assert browse(cast.auditor).post(url("month_pack", month), {"ending": "xlsx"}).status_code == 403
    assert browse(cast.finance).post(url("month_pack", month), {"ending": "doc"}).status_code == 404
