"""Steps 1 to 3: from the landing page to a registered trader with documents."""

from __future__ import annotations

import datetime as dt
import re
import time
from pathlib import Path

from playwright.sync_api import Page, expect

from kyc import specimens
from tests.smoke.journey import AGENT, SUB_IB, TRADER, TRADER_PASSWORD, TRADER_PHONE, Journey, until
from tests.smoke.people import link_in


def lead_arrives(journey: Journey) -> str:
    """A trader in Germany fills in the German landing page; the lead is routed and the agent told, live."""
    # Only one agent takes leads today, so that we know on whose screen to look.
    journey.look("UPDATE crm_user SET is_accepting_leads = (username = %s) WHERE kind = 'staff'", AGENT)
    agent = journey.staff(AGENT)
    agent.wait_for_timeout(1500)  # the live connection opens after the page
    code = journey.value(
        "SELECT l.code FROM ib_referrallink l JOIN ib_partner p ON p.id = l.partner_id WHERE p.name = %s ORDER BY l.id",
        SUB_IB,
    )
    trader = journey.page("trader", locale="de-DE")
    trader.goto(
        f"/l/meridian/start/?utm_source=google&utm_medium=cpc&utm_campaign=de-search-cfd&utm_term=devisen&ref={code}"
    )
    expect(trader.locator("html")).to_have_attribute("lang", "de")
    trader.fill("input[name=first_name]", "Lukas")
    trader.fill("input[name=last_name]", "Brandt")
    trader.fill("input[name=email]", TRADER)
    trader.select_option("select[name=country]", "DE")
    trader.fill("input[name=phone]", TRADER_PHONE)
    trader.check("input[name=contact]")
    trader.wait_for_timeout(2500)  # a person needs a moment; a form filled at once is a robot's
    sent = time.monotonic()
    trader.locator("#enquiry button").click()
    agent.wait_for_selector("text=Lukas Brandt")
    told = time.monotonic() - sent
    trader.wait_for_url(re.compile("/thanks/"))
    (client, *lead), *_older = journey.look(
        "SELECT c.id, c.email, l.source, m.code, c.country, u.username, l.score_reasons <> '[]', l.routing_reasons <> '[]',"
        " l.ip IS NOT NULL FROM leads_lead l JOIN clients_client c ON c.id = l.client_id JOIN crm_user u ON u.id = c.owner_id"
        " JOIN leads_campaign m ON m.id = l.campaign_id ORDER BY l.id DESC LIMIT 1"
    )
    journey.notes["client"] = client
    assert lead == [TRADER, "google", "de-search-cfd", "DE", AGENT, True, True, True], lead
    return f"told live after {told:.2f} s, score and route with reasons"


def agent_works_the_lead(journey: Journey) -> str:
    """Reveal the number, log a call, New to Contacted, a follow-up in two days, and a registration link."""
    client = journey.notes["client"]
    page = journey.staff(AGENT)
    page.goto(f"/clients/{client}/")
    expect(page.locator("h1")).to_have_text("Lukas Brandt")
    expect(page.locator(f"#contact-{client}")).not_to_contain_text(TRADER_PHONE[-7:])
    page.get_by_role("button", name="Reveal").click()
    expect(page.locator(f"#contact-{client}")).to_contain_text(TRADER_PHONE[-7:])
    page.get_by_role("link", name="Log call").first.click()
    dialog = page.locator("#k-fill")
    dialog.get_by_label("Reached").check()
    dialog.locator("textarea[name=notes]").fill("Has traded DAX elsewhere, wants a call on Monday.")
    with page.expect_navigation():
        dialog.locator("button.btn-primary").click()
    expect(page.locator(".c-main")).to_contain_text("wants a call on Monday")
    page.locator(".c-actions").get_by_role("button", name="Create").click()
    page.locator(".c-actions").get_by_role("link", name="Follow-up", exact=True).click()
    dialog = page.locator("#k-fill")
    dialog.locator("input[name=title]").fill("Call about the first deposit")
    dialog.locator("input[name=due_at]").fill(time.strftime("%Y-%m-%dT10:00", time.gmtime(time.time() + 2 * 86400)))
    with page.expect_navigation():
        dialog.locator("button.btn-primary").click()
    expect(page.locator("body")).to_contain_text("Call about the first deposit")
    contacted = page.locator("#lead-card button[name=to][value=contacted]")
    if contacted.count():  # a call that reached the lead moves it by itself
        with page.expect_navigation():
            contacted.click()
    until(lambda: sales_status(journey) == "contacted", "the step to Contacted")
    page.goto(f"/clients/{client}/")
    page.get_by_role("button", name="registration link").click()
    until(lambda: sales_status(journey) == "registration_sent", "the registration link")
    return "number revealed, call logged, follow-up set, link sent"


def sales_status(journey: Journey) -> str:
    return str(journey.value("SELECT sales_status FROM clients_client WHERE id = %s", journey.notes["client"]))


def trader_registers(journey: Journey) -> str:
    """The link from the letter opens the room; a passport and a bill are taken in, encrypted and checked."""
    page = journey.page("trader", locale="de-DE")
    page.goto(link_in(journey.mail(TRADER, "/l/invitation/"), "/l/invitation/"))
    page.fill("input[name=date_of_birth]", "1988-03-14")
    page.fill("input[name=password]", TRADER_PASSWORD)
    for box in page.locator(".k-consents input[type=checkbox]").all():
        box.check()
    page.locator("form:has(input[name=password]) button[type=submit]").click()
    page.wait_for_url(re.compile("/registered/|/portal/"))
    page.goto("/portal/profile/details/")
    page.select_option("select[name=nationality]", "DE")
    page.fill("input[name=address_line]", "Lindenallee 12")
    page.fill("input[name=postal_code]", "10115")
    page.fill("input[name=city]", "Berlin")
    page.locator(".k-form-actions button").click()
    page.wait_for_load_state()
    passport, bill = papers_of_the_trader(journey.instance.var.parent)
    send(page, "identity", "passport", passport)
    send(page, "proof_of_address", "proof_of_address", bill)
    read: str = until(lambda: checked(journey), "the checks of both documents")
    return read


def send(page: Page, proof: str, kind: str, path: Path) -> None:
    page.goto(f"/portal/documents/upload/{proof}/")
    page.locator(f"label:has(input[name=kind][value={kind}])").click()
    page.locator("form.card button.btn-primary").click()
    page.locator("input[type=file][name=file]").set_input_files(path)
    page.locator("#upload-step a.btn-primary").click()  # there once the file is whole
    page.locator("#upload-step form button.btn-primary").click()
    page.wait_for_url("**/portal/documents/")


def checked(journey: Journey) -> str:
    """How the pipeline left the trader's documents, once it is through with both."""
    rows = journey.look(
        "SELECT kind, state FROM kyc_document WHERE client_id = %s ORDER BY id", journey.notes["client"]
    )
    is_through = len(rows) == 2 and all(state == "pending_review" for _kind, state in rows)
    return ", ".join(f"{kind} {state}" for kind, state in rows) if is_through else ""


def papers_of_the_trader(folder: Path) -> tuple[Path, Path]:
    """A specimen passport and bill, made by the project's own generator. The bill has another house number than the
    registration: compliance will see it flagged."""
    passport, bill = folder / "passport.jpg", folder / "bill.pdf"
    holder = specimens.Holder(
        "Lukas", "Brandt", dt.date(1988, 3, 14), sex="M", number=f"C{TRADER_PHONE[-7:]}9", nationality="D", country="D"
    )
    passport.write_bytes(specimens.jpeg(specimens.passport(holder)))
    bill.write_bytes(
        specimens.utility_bill(
            specimens.UtilityBill(
                name="Lukas Brandt",
                address_line="Lindenallee 21",
                postal_code="10115",
                city="Berlin",
                issued_on=dt.date.today() - dt.timedelta(days=20),
            )
        )
    )
    return passport, bill
