"""A month from six uploaded reports to the signed pack, as two people of finance do it."""

import datetime as dt
import json
import os
import zipfile
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.browser.people import enter
from tests.browser.test_money_in import look
from tests.days import last_month, last_month_end
from tests.sandbox.psp.running import running_psp
from tests.wallet.conftest import load_rates
from tests.wallet.factories import make_psp
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.closing import periods
from wallet.closing.client_money import keep_day
from wallet.ledger import posting
from wallet.ledger.posting import Entry, Line
from wallet.models import ClosingBalance, Journal, Period, PspMovement
from wallet.reconciliation.source_runs import run_source, sources_of

SIX = ("northpay", "sepalink", "kassa", "cardinal", "quickpurse", "coinharbor")
PER_PSP = 4
FEE = 35


def pays_in(cast, psp, number: int) -> dict:
    """A deposit of last month in our books; returns it as the PSP knows it."""
    day = last_month() + dt.timedelta(days=3 + 5 * number)
    at = dt.datetime.combine(day, dt.time(9, number), tzinfo=dt.UTC)
    minor, reference = 10_000 + 100 * number + psp.pk, f"D-{psp.code.upper()}-{number}"
    client = (cast.client, cast.other_client)[number % 2]
    entry = Entry(
        key=f"deposit:{reference}:settle",
        kind=JournalKind.DEPOSIT,
        brand_id=cast.brand.pk,
        business_on=day,
        lines=(Line(posting.psp_clearing(psp, "EUR"), -minor), Line(posting.wallet_of(client, "EUR"), minor)),
    )
    with transaction.atomic():
        (posted,) = posting.post_many([entry], posted_at=[at])
        PspMovement.objects.create(
            psp=psp,
            kind="payment",
            reference=reference,
            psp_reference=f"pay_{psp.code}_{number}",
            client=client,
            journal=Journal.objects.get(pk=posted.journal_id),
            amount_minor=minor,
            currency="EUR",
            occurred_at=at,
        )
    return {
        "type": "payment",
        "psp_reference": f"pay_{psp.code}_{number}",
        "merchant_reference": reference,
        "gross_minor": minor,
        "fee_minor": FEE,
        "currency": "EUR",
        "created_at": at.isoformat(),
    }


@pytest.fixture
def six(cast, tmp_path: Path) -> dict[str, bytes]:
    """Six PSPs with a month behind them; their reports, as the sandbox writes them. One of them knows a payment that we don't."""
    load_rates()
    reports = {}
    # Clients' wallets take postings in order of time only.
    psps = [make_psp(cast.brand, code, position=place) for place, code in enumerate(SIX)]
    known: dict[str, list[dict]] = {psp.code: [] for psp in psps}
    for number in range(PER_PSP):
        for psp in psps:
            known[psp.code].append(pays_in(cast, psp, number))
    stranger = dict(
        known["kassa"][-1], psp_reference="pay_stranger", merchant_reference="D-STRANGER", gross_minor=7_777
    )
    known["kassa"].append(stranger)
    with running_psp(tmp_path / "psp.sqlite") as running:
        for code, movements in known.items():
            running.control(f"{code}/history", {"movements": movements})
            reports[code] = running.call(code, "GET", f"/settlements?from={last_month()}&to={last_month_end()}").content
    periods.open_months(cast.brand.pk)
    return reports


def upload(page: Page, code: str, content: bytes) -> None:
    page.goto("/money/reconciliation/")
    form = page.locator("form:has(input[name=file])")
    form.locator("[name=psp]").select_option(label=code.title())
    file = {"name": f"{code}-{last_month():%Y-%m}.csv", "mimeType": "text/csv", "buffer": content}
    form.locator("input[type=file]").set_input_files(file)
    form.get_by_role("button", name="Import and match").click()
    expect(page.locator(".k-head")).to_contain_text(code.title(), timeout=20_000)


def another(page: Page, person) -> None:
    page.context.clear_cookies()
    enter(page, person)


def picture(page: Page, name: str) -> None:
    if os.environ.get("PICTURES"):
        look(page, name)


def test_from_six_uploads_to_the_signed_month_pack(page, cast, six, background, tmp_path):
    month = Period.objects.get(brand=cast.brand, first_day=last_month())
    enter(page, cast.finance)
    page.goto("/money/month-end/")
    page.wait_for_url(f"**/money/month-end/meridian/{month}/")
    main = page.locator("#main")
    expect(main.get_by_text("Missing", exact=True)).to_have_count(6)
    expect(main).to_contain_text("Days without a report or statement")
    picture(page, "month-before")

    for code, content in six.items():
        upload(page, code, content)
    page.goto(f"/money/month-end/meridian/{month}/")
    expect(main.get_by_text("Complete", exact=True)).to_have_count(6)
    expect(main).to_contain_text("Open breaks: 1.")
    expect(main).to_contain_text("77.77")

    page.get_by_role("button", name="missing days").click()
    page.get_by_role("link", name="Open result").click(timeout=30_000)
    expect(main).to_contain_text("Owed to clients")
    picture(page, "client-money")
    page.goto(f"/money/month-end/meridian/{month}/")
    expect(main).not_to_contain_text("Days without a client money calculation")
    picture(page, "month-open")

    page.get_by_role("button", name="Sign", exact=True).click()
    expect(main).to_contain_text("Add a note explaining why")
    page.get_by_label("Note").fill("Kassa looks for the payer of 77.77")
    page.get_by_role("button", name="Sign", exact=True).click()
    expect(main).to_contain_text("You've signed.")

    another(page, cast.second_finance)
    page.goto(f"/money/month-end/meridian/{month}/")
    expect(main).to_contain_text("Kassa looks for the payer")
    page.get_by_label("Note").fill("Seen; carried into the next month")
    page.get_by_role("button", name="Sign and close").click()
    page.locator("[data-yes]").click()
    page.get_by_role("link", name="Open result").click(timeout=30_000)
    page.goto(f"/money/month-end/meridian/{month}/")
    expect(page.locator(".k-head")).to_contain_text("Closed")
    expect(main).to_contain_text(str(cast.finance))
    expect(main).to_contain_text(str(cast.second_finance))
    picture(page, "month-closed")
    month.refresh_from_db()
    assert (month.state, month.closed_by) == ("closed", cast.second_finance)
    assert ClosingBalance.objects.filter(period=month, account__kind=AccountKind.PSP_CLEARING).count() == 6

    page.get_by_role("button", name="Month pack").click()
    with page.expect_download(timeout=60_000) as download:
        page.get_by_role("link", name="Download").click(timeout=60_000)
    pack = tmp_path / "pack.zip"
    download.value.save_as(pack)
    with zipfile.ZipFile(pack) as archive:
        names = set(archive.namelist())
        manifest = json.loads(archive.read("manifest.json"))
        assert archive.read(f"month-meridian-{month}.pdf").startswith(b"%PDF")
    assert {
        f"month-meridian-{month}.pdf",
        f"month-meridian-{month}.xlsx",
        f"trial-balance-meridian-{month}.csv",
    } <= names
    assert [one["by"] for one in manifest["signed"]] == [str(cast.finance), str(cast.second_finance)]
    assert len({one["sha256"] for one in manifest["evidence"]}) == 6


def test_a_phone_shows_sources_client_money_and_the_month(phone, page, cast, six):
    month = Period.objects.get(brand=cast.brand, first_day=last_month())
    day = last_month_end().isoformat()
    keep_day(brand=cast.brand, day=last_month_end())
    for source in sources_of([cast.brand]):
        run_source(source, timezone.now().astimezone(dt.UTC).date() - dt.timedelta(days=1))
    for screen, name in ((phone, "phone"), (page, "desk")):
        enter(screen, cast.finance)
        for what, address, words in (
            ("sources", "/money/sources/", "Northpay"),
            ("month", f"/money/month-end/meridian/{month}/", "Closing checklist"),
            ("client-money", f"/money/client-money/meridian/?month={month}", "Client money"),
            ("client-money-day", f"/money/client-money/meridian/{day}/", "Client money requirement"),
        ):
            screen.goto(address)
            expect(screen.locator("#main")).to_contain_text(words)
            look(screen, f"{name}-{what}")
