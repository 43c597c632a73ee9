"""Steps 4, 9 and 10: compliance, month-end and the desk head."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.smoke.instance import ROOT
from tests.smoke.journey import TRADER, Journey, until
from tests.smoke.money import FINANCE, ask

# That many records in a day, and no less.
FAR_BEYOND = re.compile(r"[Oo]pened (1[5-9][0-9]|[2-9][0-9][0-9]) client records")
KYC_OFFICER, DESK_HEAD, AUDITOR = "kyc@keelson.example", "head.dach@meridian.example", "auditor@keelson.example"


def three_sides_agree(journey: Journey) -> str:
    """Before anybody does anything: platforms, PSPs and ledger of the demo agree, its months are signed, finance has work."""
    return journey.instance.manage("shell", "-v0", "-c", "from tests.smoke.sides import agree; agree()").stdout.strip()


def officer_approves(journey: Journey) -> str:
    """The officer claims each file, sees it beside the data, approves; screening, account and welcome follow."""
    client = journey.notes["client"]
    page = journey.staff(KYC_OFFICER)
    flagged = []
    for kind in ("Passport", "Proof of address"):
        page.goto("/kyc/queue/")
        page.locator("tr", has_text="Lukas Brandt").filter(has_text=kind).last.locator("a").first.click()
        approve = page.locator("form[data-approve]")
        claim = page.get_by_role("button", name=re.compile("Claim"))
        expect(approve.or_(claim)).to_be_visible()
        if claim.count():  # the one after an approval is claimed already
            claim.click()
        expect(approve).to_be_visible()
        expect(page.locator(".k-table", has_text="Registration").first).to_be_visible()
        found = page.locator("[data-issue]").all_inner_texts()
        flagged += [text.splitlines()[0] for text in found]
        if found:
            approve.locator("textarea[name=note]").fill("The client mixed up the house number; confirmed by telephone.")
        with page.expect_navigation():
            approve.locator("button").click()
    login = until(
        lambda: journey.value(
            "SELECT login FROM trading_tradingaccount WHERE client_id = %s AND state = 'open'", client
        ),
        "the MT5 account",
    )
    journey.notes["login"] = login
    until(
        lambda: journey.value("SELECT count(*) FROM compliance_screening WHERE client_id = %s", client), "the screening"
    )
    journey.mail(TRADER, login)
    return f"flagged: {', '.join(flagged)}; MT5 login {login}, screened, welcomed"


def month_ends(journey: Journey) -> str:
    """The PSP's report against our books, the client's statement, and the whole trail in a pack that proves itself."""
    told = finance_reconciles(journey)
    client_takes_statement(journey)
    return f"{told}; statement read; {auditor_takes_the_trail(journey)}"


def finance_reconciles(journey: Journey) -> str:
    """Today's report of the PSP, with one amount changed there: every other row matches, and that one is named."""
    ask(
        f"{journey.psp_url}/_control/faults",
        {"psp": "northpay", "name": "settlement_difference", "value": "amount", "times": 1},
    )
    page = journey.staff(FINANCE)
    page.goto("/money/reconciliation/")
    form = page.locator("form[action$='/reconciliation/fetch/']")
    northpay = form.locator("select[name=psp] option", has_text="Northpay").first.get_attribute("value")
    form.locator("select[name=psp]").select_option(northpay)
    today = dt.datetime.now(dt.UTC).date().isoformat()
    form.locator("input[name=first]").fill(today)
    form.locator("input[name=last]").fill(today)
    form.get_by_role("button").click()
    page.wait_for_url(re.compile(r"/money/reconciliation/\d+/"))
    found = re.search(r"/(\d+)/", page.url)
    assert found
    report = int(found[1])
    rows, matched, breaks = journey.look(
        "SELECT row_count, (SELECT count(*) FROM wallet_match m JOIN wallet_settlementrow r ON r.id = m.row_id"
        " WHERE r.report_id = i.id), breaks_found FROM wallet_settlementimport i WHERE id = %s",
        report,
    )[0]
    assert breaks == 1, f"{breaks} breaks, one was planted"
    expect(page.locator(".card", has_text="Breaks").last).to_contain_text("Amount")
    return f"{rows} rows, {matched} matched, 1 planted difference named"


def client_takes_statement(journey: Journey) -> None:
    page = journey.page("trader")
    page.goto("/portal/wallet/history/")
    form = page.locator("form[action$='/statement/']")
    today = dt.datetime.now(dt.UTC).date()
    form.locator("input[name=first]").fill((today - dt.timedelta(days=7)).isoformat())
    form.locator("input[name=last]").fill(today.isoformat())
    form.get_by_role("button").click()
    pdf = download(page)
    assert pdf.startswith(b"%PDF-") and len(pdf) > 5000, "the statement is no PDF"


def auditor_takes_the_trail(journey: Journey) -> str:
    page = journey.staff(AUDITOR)
    page.goto(f"/compliance/clients/{journey.notes['client']}/trail/")
    expect(page.locator(".k-table tbody tr").first).to_be_visible()
    page.get_by_role("button", name=re.compile("sealed PDF")).click()
    pack = journey.instance.var.parent / "trail.pdf"
    pack.write_bytes(download(page))
    proved = subprocess.run(
        [sys.executable, "deploy/verify_pack.py", str(pack)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert proved.returncode == 0, proved.stderr
    changed = bytearray(pack.read_bytes())
    changed[len(changed) // 2] ^= 1
    pack.write_bytes(changed)
    refused = subprocess.run(
        [sys.executable, "deploy/verify_pack.py", str(pack)], cwd=ROOT, capture_output=True, check=False
    )
    assert refused.returncode == 1, "a pack with one changed bit still verifies"
    return f"trail pack: {proved.stdout.strip().splitlines()[-1]}"


def download(page: Page) -> bytes:
    """What the job on this page made, once it is done."""
    link = page.locator("a[download]", has_text="Download").or_(page.locator("a.btn-primary[download]"))
    link.first.wait_for()
    with page.expect_download() as started:
        link.first.click()
    return Path(started.value.path()).read_bytes()


def desk_head_decides(journey: Journey) -> str:
    """One agent opened 150 records in an afternoon; the desk head reviews the alert and records a decision."""
    page = journey.staff(DESK_HEAD)
    page.goto("/monitoring/alerts/?state=open")
    page.locator("tr", has_text=FAR_BEYOND).locator("a").first.click()
    page.wait_for_url(re.compile(r"/monitoring/alerts/\d+/"))
    reason = page.locator(".k-reasons li").first.inner_text()
    expect(page.locator(".k-reasons")).to_contain_text(FAR_BEYOND)
    page.get_by_role("button", name="Start review").click()
    form = page.locator("form[action$='/decide/']")
    form.locator("select[name=verdict]").select_option(index=1)
    form.locator("textarea[name=text]").fill("Looked through the records with the agent; the export was not agreed.")
    form.get_by_role("button").click()
    expect(page.locator(".card", has_text="Decision").first).to_contain_text("the export was not agreed")
    return reason


def books_prove_themselves(journey: Journey) -> str:
    """Ledger, audit log and facts hold; and each says which row does not after somebody changed one by SQL."""
    proofs = (["verify_ledger"], ["verify_audit"], ["rebuild_facts", "--check"])
    for proof, told in zip(proofs, journey.instance.manage_at_once(*proofs), strict=True):
        assert told.returncode == 0, f"{proof[0]} exited {told.returncode}:\n{told.stdout}\n{told.stderr}"
    client = journey.notes["client"]
    audited = journey.value("SELECT min(id) FROM crm_auditevent")
    account, version = journey.look("SELECT account_id, version FROM wallet_posting WHERE version IS NOT NULL LIMIT 1")[
        0
    ]
    tampering = (
        f"UPDATE wallet_posting SET amount_minor = amount_minor + 1 WHERE (account_id, version) = ({account}, {version})",
        f"UPDATE crm_auditevent SET action = 'nothing' WHERE id = {audited}",
        f"UPDATE clients_client SET net_deposits = 1 WHERE id = {client}",
    )
    names = (f"account {account}", f"audit row {audited}", f"client {client}: net_deposits is 1")
    for change in tampering:
        journey.look(f"SET session_replication_role = replica; {change}")
    named = []
    for proof, name, told in zip(proofs, names, journey.instance.manage_at_once(*proofs), strict=True):
        words = told.stdout + told.stderr
        assert told.returncode != 0, f"{proof[0]} did not see the changed row"
        assert re.search(rf"\b{name}\b", words), f"{proof[0]} did not name the changed row, {name}:\n{words}"
        line = next(line for line in words.splitlines() if re.search(rf"\b{name}\b", line))
        named.append(f"{proof[0]}: {line[:110]}")
    return "all three hold; tampered with, " + "; ".join(named)
