"""From an empty installation to a brokerage whose landing page brings a lead to an agent, in the browser alone."""

import re

import pytest
from django.core import mail
from playwright.sync_api import Page, expect

from crm.staff import founding
from tests.cast import PASSWORD
from tests.crm.factors import code
from tests.sandbox.psp.running import wait_until

ADDRESS = re.compile(r"https?://[^/\s]+(/accounts/invitation/[^\s\"<]+)")


def invitation_of(email: str) -> str:
    """The link in the letter that this person received."""
    wait_until(lambda: any(email in letter.to for letter in mail.outbox))
    text = next(str(letter.body) for letter in reversed(mail.outbox) if email in letter.to)
    found = ADDRESS.search(text)
    assert found, text
    return found[1]


def accept(page: Page) -> None:
    """Choose a password and set up an authenticator app, as the invitation leads."""
    page.locator("input[name=password1]").fill(PASSWORD)
    page.locator("input[name=password2]").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("link", name=re.compile("Authenticator app")).click()
    page.locator("input[name=code]").fill(code(page.locator("[data-secret]").inner_text()))
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("I have saved my recovery codes").check()
    page.locator("[data-codes-continue]").click()
    page.wait_for_url("**/home/")


def step(page: Page, title: str) -> None:
    """Open a step from the set-up guide, which names it as not done."""
    page.goto("/setup-guide/")
    page.locator("#main li", has=page.get_by_text(title, exact=True)).get_by_role("link", name="Set up").click()


def fill(page: Page, **values: str) -> None:
    """Fill in fields of the page's form by their names, or of the dialog that is open; a choice by its value or label."""
    form = page.locator("dialog[open], #main:not(:has(~ dialog[open]))").last
    for name, value in values.items():
        field = form.locator(f"[name={name}]").first
        if field.evaluate("node => node.tagName") == "SELECT":
            field.evaluate(
                """(node, wanted) => { const fits = (one) => one.text.includes(wanted) || one.value === wanted;
                [...node.options].find(fits).selected = true; node.dispatchEvent(new Event("change", {bubbles: true})) }""",
                value,
            )
        elif field.get_attribute("type") in ("checkbox", "radio"):
            choice = page.locator(f"[name={name}][value='{value}']")
            picker = form.locator("details.k-several", has=choice)
            if picker.count():
                picker.locator("summary").click()
            choice.check()
            page.keyboard.press("Escape")
        else:
            field.fill(value)


def send(page: Page, name: str) -> None:
    before = page.url
    page.locator("#main").get_by_role("button", name=name, exact=True).click()
    page.wait_for_url(lambda url: url != before)


@pytest.mark.django_db(transaction=True)
def test_an_empty_installation_becomes_a_brokerage_whose_test_lead_reaches_an_agent(open_page, background):
    ada, ben, agent, visitor = (open_page() for _ in range(4))
    address = founding.set_up_address()
    ada.goto(address[address.index("/first-administrators/") :])
    for name, value in (("first_name", "Ada"), ("last_name", "Ito"), ("email", "ada@aurora.example")):
        ada.locator(f"[name={name}]").fill(value)
    for name, value in (("first_name", "Ben"), ("last_name", "Okafor"), ("email", "ben@aurora.example")):
        ada.locator(f"[name=second_{name}]").fill(value)
    ada.get_by_role("button", name="Continue").click()
    accept(ada)
    ben.goto(invitation_of("ben@aurora.example"))
    accept(ben)

    step(ada, "Legal entity")
    ada.locator("#main").get_by_role("link", name="Add legal entity").first.click()
    fill(ada, name="Aurora Markets Ltd", jurisdiction="CY", licence_number="123/45")
    send(ada, "Add legal entity")
    step(ada, "Brand")
    ada.locator("#main").get_by_role("link", name="Add brand").first.click()
    fill(ada, name="Aurora", code="aurora", legal_entity="Aurora Markets Ltd", support_email="help@aurora.example")
    fill(ada, loss_percentage="74")
    send(ada, "Add brand")
    step(ada, "Desk")
    ada.locator("#main").get_by_role("link", name="Add desk").first.click()
    fill(ada, name="London", languages="en")
    send(ada, "Add desk")
    step(ada, "Agent's book")
    ada.locator("#main").get_by_role("link", name="Add book").first.click()
    fill(ada, name="Cleo", desk="London")
    send(ada, "Add book")

    step(ada, "People")
    ada.locator("#main").get_by_role("link", name=re.compile("Invite")).first.click()
    fill(ada, email="cleo@aurora.example", first_name="Cleo", last_name="Marsh", roles="agent", languages="en")
    fill(ada, desk="London", reason="First sales agent")
    fill(ada, reach="desk")
    send(ada, "Send invitation")
    for _grant in range(2):
        ben.goto("/approvals/")
        ben.locator("#main tbody").get_by_role("link").first.click()
        ben.get_by_role("button", name="Approve").click()
        ben.wait_for_url(re.compile("/approvals/$"))
    agent.goto(invitation_of("cleo@aurora.example"))
    accept(agent)
    ada.goto("/books/")
    ada.get_by_role("link", name="Cleo").first.click()
    fill(ada, owner="Cleo Marsh")
    ada.locator("#main").get_by_role("button", name="Save", exact=True).click()

    step(ada, "Routing rule")
    ada.get_by_role("link", name="Routing rule", exact=True).click()
    fill(ada, name="Everybody", desk="London")
    ada.locator("dialog[open]").get_by_role("button", name="Save").click()
    expect(ada.locator("#main")).to_contain_text("Everybody")
    step(ada, "Landing page")
    ada.get_by_role("link", name="New landing page").first.click()
    fill(
        ada, slug="start", headline="Trade with Aurora", language="en", call_to_action="Call me", thanks_title="Thanks"
    )
    ada.locator("dialog[open]").get_by_role("button", name="Save").click()
    expect(ada.locator("#main")).to_contain_text("Trade with Aurora")

    visitor.goto("/l/aurora/start/")
    for name, value in (("first_name", "Dora"), ("last_name", "Lind"), ("email", "dora@x.example")):
        visitor.locator(f"input[name={name}]").fill(value)
    visitor.locator("select[name=country]").select_option("GB")
    visitor.locator("input[name=phone]").fill("+44 20 7946 0018")
    visitor.locator("input[name=contact]").check()
    visitor.wait_for_timeout(2_500)  # a person needs a moment; a form filled in an instant is a robot's
    visitor.locator("#enquiry button").click()
    visitor.wait_for_url(re.compile("/thanks/"))

    agent.goto("/leads/")
    expect(agent.locator("#main")).to_contain_text("Dora Lind")
    ada.goto("/setup-guide/")
    done = ada.locator("#main li", has=ada.get_by_text("Done", exact=True)).locator("strong")
    assert {*done.all_inner_texts()} >= {
        *("Legal entity", "Brand", "Desk", "People", "Agent's book", "Routing rule", "Landing page", "Test lead")
    }
