"""What a partner's team is notified of, and all of their disputes as a list."""

import pytest
from django.urls import reverse
from django.utils import timezone

from crm import approvals
from crm.events.delivery import deliver_due
from crm.models import Notification
from ib import partners, plans, tree
from ib.choices import PartnerState
from ib.models import Accrual, SettlementTerms
from ib.settlements.disputes import open_dispute, resolve_dispute
from ib.settlements.terms import FIELDS, propose_terms, terms_of
from tests.ib.factories import make_partner, make_version
from tests.ib.test_settlement import accrue

pytestmark = pytest.mark.django_db


def titles(partner):
    deliver_due()
    found = list(Notification.objects.filter(user=partner.user).order_by("pk").values_list("title", flat=True))
    Notification.objects.filter(user=partner.user).delete()
    return found


def test_status_agreement_terms_and_new_sub_partners_are_notified(network, cast):
    for each in (network.top, network.master, network.sub):
        each.user.last_login = timezone.now()
        each.user.save(update_fields=["last_login"])
        titles(each)
    for to in (PartnerState.BLOCKED, PartnerState.ACTIVE):
        partners.change_state(partner_id=network.sub.pk, to=to, actor=cast.ib_manager, reason="Complaints")
    # What no longer holds isn't notified late.
    assert titles(network.sub) == ["Your partner account is active again"]

    another = make_version(cast.brand, cast.ib_manager, cast.finance)
    plans.assign_plan(partner_id=network.sub.pk, plan_id=another.plan_id, actor=cast.ib_manager)
    make_version(
        cast.brand, cast.ib_manager, cast.finance, plan=another.plan, starts_at=another.starts_at.replace(year=2027)
    )
    values = {name: getattr(terms_of(network.sub), name) for name in FIELDS}
    item = propose_terms(
        partner_id=network.sub.pk, values={**values, "hold_days": 3}, reason="Agreed", actor=cast.ib_manager
    )
    approvals.approve(SettlementTerms, item.pk, actor=cast.finance)
    assert titles(network.sub) == [
        "Your agreement has changed",
        "The rates of your plan change",
        "Your settlement terms have changed",
    ]
    joined = make_partner(cast.brand)
    tree.move_partner(partner_id=joined.pk, parent_id=network.master.pk, actor=cast.ib_manager, reason="")
    assert titles(network.master) == [f"{joined.name} joined your network"]
    assert titles(network.top) == [] and titles(joined) == []


def test_who_never_signed_in_and_what_was_imported_is_no_news(network, cast):
    titles(network.master)
    joined = make_partner(cast.brand)
    tree.move_partner(partner_id=joined.pk, parent_id=network.master.pk, actor=cast.ib_manager, reason="")
    partners.change_state(partner_id=joined.pk, to=PartnerState.BLOCKED, actor=cast.ib_manager, reason="Import")
    assert titles(network.master) == [] and titles(joined) == []
    network.master.user.last_login = timezone.now()
    network.master.user.save(update_fields=["last_login"])
    make_partner(cast.brand, parent=network.master)
    assert titles(network.master) == [], "dated back, as an import does"


def test_all_disputes_are_listed_and_downloaded(network, cast, browse, django_assert_max_num_queries):
    accrue(network)
    line = Accrual.objects.get(partner=network.sub)
    for number in range(2):
        made = open_dispute(
            partner_id=network.sub.pk, accrual_id=line.pk, reason=f"Too little {number}", actor=network.sub.user
        )
        if number == 0:
            resolve_dispute(dispute_id=made.pk, answer="It is right.", actor=cast.finance)
    own, page = browse(network.sub.user), reverse("partner_disputes")
    with django_assert_max_num_queries(14):
        shown = own.get(page).content.decode()
    assert "Too little 0" in shown and "Too little 1" in shown and f"#{line.ticket}" in shown
    assert "Too little 1" not in own.get(page, {"state": "resolved"}).content.decode()
    lines = b"".join(own.get(page, {"export": "csv"}).streaming_content).decode()
    assert "It is right." in lines and len(lines.strip().splitlines()) == 3
    assert "Too little" not in browse(network.master.user).get(page).content.decode()
