"""A routing rule is tried over last week from its dialog, and saved after that."""

import datetime as dt

import pytest
from django.utils import timezone

from leads.models import Lead
from tests.browser.conftest import enter
from tests.cast import make_client
from tests.leads.conftest import german_rule, second_agent  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_rule_is_tried_before_it_is_saved(page, cast, german_rule, second_agent):
    for number in range(8):
        client = make_client(brand=cast.brand, book=cast.book, email=f"w{number}@example.com", login=False)
        Lead.objects.create(
            client=client,
            brand=cast.brand,
            channel="landing",
            language="de",
            country_guess="DE",
            score=40,
            captured_at=timezone.now() - dt.timedelta(days=3, minutes=number),
        )
    enter(page, cast.desk_head)
    page.goto("/lead-rules/")
    page.get_by_role("link", name="German speakers").click()
    page.get_by_role("button", name="Dry run over last week").click()
    page.get_by_text("With this rule").first.wait_for()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Rule saved").wait_for()
