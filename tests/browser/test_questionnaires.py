"""What clients do on a phone: a questionnaire to its acknowledged warning, and a request to be professional to its decision."""

import os

from playwright.sync_api import Page, expect

from clients.models import Client
from kyc.categories.models import CategoryRequest
from kyc.questionnaires.models import AnswersDraft, Submission
from tests.browser.people import enter
from tests.kyc.factories import uploaded
from tests.kyc.questionnaires.factories import drafted, published
from tests.sandbox.psp.running import wait_until

SHOTS = os.environ.get("KEELSON_SHOTS", "")


def look(page: Page, name: str) -> None:
    """No page is wider than the screen; where pictures are wanted, take them."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url
    for scheme in ("light", "dark") if SHOTS else ():
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(300)
        page.screenshot(path=f"{SHOTS}/{name}-{scheme}.png", full_page=True)
        page.emulate_media(color_scheme="light")


def go_on(page: Page, *labels: str) -> None:
    for label in labels:
        page.get_by_label(label, exact=True).first.check()
    page.get_by_role("button", name="Continue").click()


def test_client_answers_on_a_phone_and_confirms_the_warning(cast, phone, page):
    made = published(cast)
    enter(phone, cast.client_user)
    phone.goto("/portal/")
    phone.get_by_role("link", name="Knowledge and experience").click()
    phone.get_by_role("button", name="Continue").click()
    expect(phone.locator("#main")).to_contain_text("Check the highlighted answers")
    look(phone, "questionnaire-phone")
    go_on(phone, "University degree", "No")
    phone.get_by_label("CFDs or margin forex").check()
    expect(phone.locator("#main")).to_contain_text("How many CFD or margin forex trades")
    wait_until(lambda: AnswersDraft.objects.get().answers.get("q3") == ["c3"])
    look(phone, "questionnaire-condition-phone")
    phone.get_by_role("button", name="Previous step").click()
    expect(phone.get_by_label("University degree", exact=True)).to_be_checked()
    phone.get_by_role("button", name="Continue").click()
    expect(phone.get_by_label("CFDs or margin forex")).to_be_checked()
    go_on(phone, "10 to 40", "EUR 5,000 to 50,000", "Yes")
    for question in ("q7", "q8", "q9"):
        phone.locator(f"input[name=q_{question}]").first.check()
    go_on(phone)
    for question, answer in (("q10", 1), ("q11", 1), ("q12", 1), ("q13", 0)):
        phone.locator(f"input[name=q_{question}]").nth(answer).check()
    go_on(phone)
    submit = phone.get_by_role("button", name="Submit answers")
    expect(submit).to_be_visible()
    look(phone, "questionnaire-check-phone")
    submit.click()
    expect(phone.locator("#main")).to_contain_text("may not be appropriate for you")
    look(phone, "questionnaire-warning-phone")
    phone.get_by_label("I have read and understood this warning.").check()
    phone.get_by_role("button", name="Confirm").click()
    expect(phone.locator("#main")).to_contain_text("You confirmed this warning")
    given = Submission.objects.get()
    assert (given.questionnaire, given.outcome, given.acknowledgement.language[:2]) == (made, "warning", "en")

    drafted(cast, "pep")
    enter(page, cast.mlro)
    for name, address in (
        ("questionnaires", "/kyc/questionnaires/"),
        ("builder", made.get_absolute_url()),
        ("builder-question", f"{made.get_absolute_url()}edit/question/q4/"),
        ("builder-outcome", f"{made.get_absolute_url()}edit/outcome/warning/"),
        ("builder-settings", f"{made.get_absolute_url()}edit/settings/all/"),
        ("preview", f"{made.get_absolute_url()}preview/?language=en&step=2"),
        ("answers", given.get_absolute_url()),
        ("client-tab", f"{cast.client.get_absolute_url()}?tab=kyc"),
    ):
        page.goto(address)
        expect(page.locator("h1")).to_be_visible()
        page.wait_for_load_state("networkidle")
        look(page, name)


def test_client_asks_to_be_professional_and_two_people_agree(cast, phone, page):
    Client.objects.filter(pk=cast.client.pk).update(kyc_level=2)
    uploaded(cast.client, kind="other")
    enter(phone, cast.client_user)
    phone.goto("/portal/profile/")
    phone.get_by_role("link", name="Client category").click()
    expect(phone.locator("#criterion-portfolio")).to_be_visible()
    look(phone, "category-phone")
    for code, words in (("portfolio", "Shares"), ("experience", "Trader at a bank")):
        phone.locator(f"#criterion-{code}").check()
        phone.locator(f"#words-{code}").fill(words)
        phone.locator(f"input[name=documents-{code}]").first.check()
    phone.get_by_role("button", name="Send request").click()
    expect(phone.locator("body")).to_contain_text("Tick the box to confirm")
    phone.locator("#read").check()
    look(phone, "category-filled-phone")
    phone.get_by_role("button", name="Send request").click()
    expect(phone.locator("#main")).to_contain_text("Your request is under review")

    request = CategoryRequest.objects.get()
    enter(page, cast.kyc_officer)
    page.goto("/kyc/categories/")
    look(page, "category-requests")
    page.goto(request.get_absolute_url())
    look(page, "category-request")
    page.get_by_label("Reason").fill("Both criteria are proved")
    page.get_by_role("button", name="Propose approval").click()
    expect(page.locator("#main")).to_contain_text("Someone else must decide")
    enter(page, cast.mlro)
    page.goto(request.get_absolute_url())
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("body")).to_contain_text("Client category changed.")
    page.goto(f"/kyc/clients/{cast.client.pk}/category/")
    look(page, "category-history")
    cast.client.refresh_from_db()
    assert cast.client.category == "professional"
    phone.reload()
    expect(phone.locator("#main")).to_contain_text("Professional")
