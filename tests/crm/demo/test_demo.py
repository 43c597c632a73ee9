"""The three proofs hold on a loaded demo, and each names the row that somebody changed by SQL behind the triggers."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from clients.models import Client
from crm import demo
from crm.models import AuditEvent, User, WebhookDelivery, WebhookEndpoint
from crm.security import audit
from ib import payouts
from ib.brand_policies import REFERRAL_SCORE
from ib.materials import banners
from ib.models import Partner, ReferralReview
from ib.news.publishing import news_for
from wallet.closing.period_checks import checks_of
from wallet.closing.sign_offs import sign_month, signatures_of
from wallet.models import LedgerSeal, Period, Posting

pytestmark = pytest.mark.django_db(transaction=True)
PROOFS = (("verify_ledger",), ("verify_audit",), ("rebuild_facts", "--check"))


def proved(*command: str) -> tuple[int, str]:
    """Exit code and what the command says is wrong."""
    wrong = StringIO()
    try:
        call_command(*command, stdout=StringIO(), stderr=wrong, no_color=True)
    except SystemExit as done:
        return int(done.code or 0), wrong.getvalue()
    return 0, wrong.getvalue()


def tamper(sql: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(sql, values)
        cursor.execute("SET session_replication_role = origin")


def two_people_can_close_a_month() -> None:
    """The logins that a demo lists are enough for four eyes, and a month that is over waits for them."""
    finance = [row.username for row in demo.logins() if row.label.startswith("Finance")]
    administrators = [row.username for row in demo.logins() if row.label.startswith("Administrator")]
    assert (len(finance), len(administrators)) == (2, 2)
    period = Period.objects.filter(brand__code="meridian", state="open").order_by("first_day").first()
    assert period is not None and period.last_day < timezone.now().date()
    assert [check.words for check in checks_of(period) if check.blocks and not check.is_fine] == []
    first, second = (User.objects.get(username=name) for name in finance)
    with transaction.atomic():
        sign_month(period_id=period.pk, actor=first, note="Seen")
        sign_month(period_id=period.pk, actor=second, note="Seen")
        assert signatures_of(period).are_enough
        transaction.set_rollback(True)


def a_partner_can_be_paid() -> None:
    """The partner that a demo lists has a wallet, and a balance where months were settled."""
    partner = Partner.objects.get(user__username__in=[row.username for row in partner_rows()], brand__code="meridian")
    assert partner.client is not None
    assert {one.destination.to for one in payouts.offers(partner, [partner.currency])} >= {"wallet", "account", "bank"}


def partners_have_news_banners_and_offers() -> None:
    """So have referral reviews, where a demo is large enough for a partner with clients to judge."""
    for partner in Partner.objects.filter(user__in=partner_rows()):
        assert len(news_for(partner)) == 2 and partner.offers.count() == 2
        assert banners.banners_for(partner).count() == 2
        assert sum(
            row["views"] for row in banners.figures(partner, timezone.now().date() - timedelta(days=20)).values()
        )
    for review in ReferralReview.objects.all():
        assert review.score >= REFERRAL_SCORE.of(review.partner.brand) and review.reasons[0]["code"] == "self"


def outside_systems_are_connected() -> None:
    """A dialler gets leads and may read them; each message can be opened, and what failed has all its attempts."""
    dialler = User.objects.get(kind="service")
    assert (dialler.groups.get().name, dialler.api_tokens.get().scopes[-1]) == ("agent", "leads:read")
    assert sorted(WebhookEndpoint.objects.values_list("state", flat=True)) == ["active", "active", "paused"]
    for delivery in WebhookDelivery.objects.select_related("event"):
        assert json.loads(bytes(delivery.body))["id"] == delivery.event_id
        log = list(delivery.attempt_log.values_list("failure", flat=True))
        assert len(log) == delivery.attempts == (10 if delivery.state == "failed" else len(log))
        assert all(log) == (delivery.state == "failed")


def partner_rows() -> list[User]:
    return list(User.objects.filter(kind="partner", preferences__demo_login=True))


def test_the_demo_holds_and_a_tampered_row_of_each_kind_is_named(demo_world):
    """`demo_world` is what `manage.py load_demo` left: tests/demo_template.py calls it."""
    assert {" ".join(command): proved(*command) for command in PROOFS} == {
        " ".join(command): (0, "") for command in PROOFS
    }
    assert LedgerSeal.objects.exists(), "the books are sealed from the start"
    two_people_can_close_a_month()
    a_partner_can_be_paid()
    outside_systems_are_connected()
    partners_have_news_banners_and_offers()
    assert audit.verify().unsealed == 0

    posting = Posting.objects.order_by("journal_id").first()
    tamper(
        "UPDATE wallet_posting SET amount_minor = amount_minor + 1 WHERE journal_id = %s AND line = %s",
        posting.journal_id,
        posting.line,
    )
    code, wrong = proved("verify_ledger")
    assert code == 1
    assert wrong.startswith(f"journal {posting.journal_id} ")

    row = AuditEvent.objects.order_by("id")[10]
    tamper("UPDATE crm_auditevent SET actor_label = 'Somebody else' WHERE id = %s", row.pk)
    code, wrong = proved("verify_audit")
    assert code == 1
    assert wrong.startswith(f"audit row {row.pk} of seal ")

    client = Client.objects.exclude(net_deposits=0).first()
    kept = client.net_deposits
    tamper("UPDATE clients_client SET net_deposits = net_deposits + 1 WHERE id = %s", client.pk)
    code, wrong = proved("rebuild_facts", "--check")
    assert code == 1
    assert wrong == f"client {client.pk}: net_deposits is {kept + 1}, its source gives {kept}\n"
