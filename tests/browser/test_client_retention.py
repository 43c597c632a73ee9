"""From a deal to a decided call: a client loses three times in a row, the agent sees why, and decides without a mouse."""

import re

from django.db import transaction
from playwright.sync_api import expect

from crm import events
from crm.events import DealsSynced, publish
from risk.retention.models import RetentionCase
from tests.browser.people import enter
from tests.risk.retention.test_flags import leaver
from tests.risk.retention.world import Floor


def test_a_losing_client_is_called_and_decided(page, cast):
    floor = Floor(cast)
    client = leaver(floor)
    with transaction.atomic():
        publish(DealsSynced(server_id=floor.server.pk, deal_ids=(), client_ids=(client.pk,)))
    events.drain()
    case = RetentionCase.objects.get(client=client)
    enter(page, cast.retention)
    page.goto("/risk/retention/")
    expect(page.get_by_role("cell", name="Losing streak")).to_be_visible()
    page.keyboard.press("t")
    page.wait_for_url(re.compile(case.get_absolute_url()))
    expect(page.get_by_text("No sign-in, trade or deposit for 12 days")).to_be_visible()
    expect(page.get_by_text("Lost the last 3 trades")).to_be_visible()
    page.get_by_label("Help offered").check()
    page.get_by_label("Note").fill("Review of the last trades on Friday")
    page.get_by_label("Note").blur()
    page.keyboard.press("d")
    expect(page.get_by_text("Decision recorded.")).to_be_visible()
    case.refresh_from_db()
    assert case.state == "helped"
