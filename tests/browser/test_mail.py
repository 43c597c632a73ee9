"""An e-mail that comes in: from the mailbox to the agent's thread, and the reply back in it."""

from __future__ import annotations

import os
from typing import Any

from django.core import mail as outbox
from playwright.sync_api import Page, expect

from clients.mail import write_to_client
from clients.models import Message
from tests.browser.people import enter
from tests.cast import Cast
from tests.clients.messages.running import make_mailbox, read_again, running_inbox, write
from tests.outbox import send_now

SHOTS = os.environ.get("SHOTS", "")


def shot(page: Page, name: str) -> None:
    """Keep a picture where somebody asked for them."""
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def test_inbound_mail_is_threaded_and_answered(cast: Cast, open_page: Any) -> None:
    with running_inbox() as (inbox, url):
        mailbox = make_mailbox(cast.brand, url)
        write_to_client(
            client_id=cast.client.pk, actor=cast.agent, template="clients.free_text", subject="Offer", message="Hi"
        )
        send_now()
        sent = outbox.outbox[-1]
        html = '<p>Yes, <b>please</b></p><img src="https://tracker.example/p.gif">'
        files = (("statement.pdf", b"%PDF-1.7 x"),)
        reference = sent.extra_headers["Message-ID"]
        inbox.put(write("Yes, please", subject="Re: Offer", references=reference, html=html, files=files))
        inbox.put(write("Who am I?", sender="eve@evil.example", subject="Urgent"))
        assert read_again(mailbox)
    page: Page = open_page()
    enter(page, cast.agent)
    page.goto(cast.client.get_absolute_url())
    page.get_by_role("link", name="From the client: Re: Offer").click()
    main = page.locator("main")
    expect(main).to_contain_text("Yes, please")
    expect(main).to_contain_text("Sender not proved")
    expect(main.get_by_role("link", name="statement.pdf")).to_be_visible()
    main.get_by_text("Formatted view").click()
    expect(page.frame_locator("iframe").locator("b")).to_have_text("please")
    shot(page, "mail-thread")
    page.get_by_role("link", name="Reply").click()
    dialog = page.locator("#k-fill")
    expect(dialog.get_by_label("Subject")).to_have_value("Re: Offer")
    dialog.get_by_label("Text").fill("I'll call you tomorrow.")
    offer = {"name": "offer.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 offer"}
    dialog.get_by_label("Attachments").set_input_files([offer])  # type: ignore[list-item]
    shot(page, "mail-compose")
    dialog.get_by_role("button", name="Send e-mail").click()
    expect(main).to_contain_text("I'll call you tomorrow.")
    expect(main.get_by_role("link", name="offer.pdf")).to_be_visible()
    assert Message.objects.filter(thread__isnull=False).values("thread").distinct().count() == 1
    enter(page, cast.support)
    page.goto("/mail/unassigned/")
    page.get_by_role("link", name="Urgent").click()
    expect(main).to_contain_text("Who am I?")
    shot(page, "mail-unassigned")
