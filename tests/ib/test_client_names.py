"""How a partner reads clients' names: as their agreements have it, the strictest first, else as the brand has it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from crm import approvals
from crm.api.resources import RESOURCES
from crm.errors import NotAllowed, WrongState
from crm.models import AuditEvent, Notification, OutgoingMail
from crm.security import audit
from ib import engine, plans, urls
from ib.agreements.choices import ClientNames
from ib.agreements.ratios import propose_ratio
from ib.agreements.scopes import USUAL, Scope
from ib.models import Accrual, Partner, PartnerPlan, RatioProposal, Settlement
from ib.news.monthly_figures import send_due
from ib.partner_pages.client_names import names_for
from ib.settlements.disputes import open_dispute
from tests.brand_policies import set_policies
from tests.ib.factories import make_trade
from tests.ib.test_pages import earned, settled, text_of
from tests.ib.test_partner_tokens import call, new
from tests.ib.test_statements import text_of_pdf

pytestmark = pytest.mark.django_db
__all__ = ["earned", "settled"]
# Where a client of one's own has a name. What isn't here has none, whatever is agreed.
NAMED = {
    "partner_home",
    "partner_clients",
    "partner_earnings",
    "partner_settlement",
    "partner_clients.csv",
    "partner_earnings.csv",
    "statement.pdf",
    "statement.csv",
    "open.pdf",
    "open.csv",
    "api/partner-clients",
    "api/partner-earnings",
}


def agree(cast, network, names, *, scope=USUAL, percent=100):
    """Have two people agree how the sub-partner's agreement shows names."""
    item = propose_ratio(
        partner_id=network.sub.pk,
        plan_id=network.version.plan_id,
        percent=Decimal(percent),
        client_names=names,
        scope=scope,
        reason="Data protection",
        actor=cast.ib_manager,
    )
    approvals.approve(RatioProposal, item.pk, actor=cast.finance)


def shown(network) -> ClientNames:
    return names_for(Partner.objects.get(pk=network.sub.pk))


def everything(network, browse, secret) -> dict[str, str]:
    """Read all that the partner can open, download, call, and was sent."""
    browser, user = browse(network.sub.user), network.sub.user
    row = Accrual.objects.filter(partner=network.sub).latest("pk")
    args = {
        "partner_trade": [row.pk],
        "partner_settlement": [Settlement.objects.get(partner=network.sub).pk],
        "partner_dispute_page": [network.sub.commission_disputes.get().pk],
    }
    read = {}
    for name in [path.name for path in urls.own]:
        try:
            address = reverse(name, args=args.get(name, []))
        except NoReverseMatch:
            continue
        read[name] = browser.get(address).content.decode("utf-8", "ignore")
        listed = browser.get(address, {"export": "csv"})
        if listed.streaming:
            read[f"{name}.csv"] = listed.getvalue().decode()
    for name, address in (
        ("statement", reverse("partner_statement", args=[args["partner_settlement"][0], "pdf"])),
        ("open", reverse("partner_open_statement", args=["pdf"])),
    ):
        read[f"{name}.pdf"] = text_of_pdf(browser.get(address).content)
        read[f"{name}.csv"] = browser.get(address.replace(".pdf", ".csv")).getvalue().decode()
    for name, resource in RESOURCES.items():
        if resource.partner_may is not None:
            read[f"api/{name}"] = call(name, secret).content.decode()
    notices = Notification.objects.filter(user=user).values_list("title", "body")
    mails = OutgoingMail.objects.filter(to=user.email).values_list("subject", "body")
    sent = [*notices, *((subject, bytes(body).decode("utf-8", "ignore")) for subject, body in mails)]
    assert sent, "the month's figures at least"
    return read | {"sent": str(sent)}


def test_names_are_as_agreed_wherever_a_partner_reads(settled, cast, browse):
    """Every page and list of the partner portal, the statements, the API with the partner's token, and what was sent."""
    engine.run_for_deals(deal_ids=[make_trade(settled.account, at=timezone.now())])
    line = Accrual.objects.filter(partner=settled.sub).latest("pk")
    open_dispute(partner_id=settled.sub.pk, accrual_id=line.pk, reason="It was 2 lots", actor=settled.sub.user)
    assert send_due(cast.brand, now=dt.datetime(2026, 10, 2, 7, tzinfo=dt.UTC))
    _token, secret = new(settled.sub.user)
    for names, is_shown, is_hidden in (
        (ClientNames.FULL, "Clara Weber", ("clara@example.com",)),
        (ClientNames.NUMBER, f"#{cast.client.pk}", ("Clara", "Weber", "clara@example.com")),
    ):
        agree(cast, settled, names)
        read = everything(settled, browse, secret)
        assert len(read) > 35 and all(is_shown in read[name] for name in NAMED), names
        for text in is_hidden:
            assert not [name for name in read if text in read[name]], (names, text)
        if names == ClientNames.FULL:
            assert {name for name in read if "Weber" in read[name]} == NAMED
    # Others' agreements say nothing of this one's clients: the upline reads no name of them, however they are agreed.
    plan = {"partner_id": settled.top.pk, "plan_id": settled.version.plan_id, "percent": Decimal(100)}
    item = propose_ratio(**plan, client_names="full", reason="x", actor=cast.ib_manager)
    approvals.approve(RatioProposal, item.pk, actor=cast.finance)
    assert "Clara" not in browse(settled.top.user).get(reverse("partner_earnings")).content.decode()


def test_the_strictest_of_several_agreements_counts_and_without_any_the_brands_policy(network, cast):
    assert shown(network) == ClientNames.SHORT
    set_policies(cast.brand, partner_client_names="number")
    assert shown(network) == ClientNames.NUMBER
    agree(cast, network, ClientNames.FULL)
    assert shown(network) == ClientNames.FULL
    beside = Scope(priority=3, platforms=["mt5"])
    agree(cast, network, ClientNames.SHORT, scope=beside)
    assert shown(network) == ClientNames.SHORT
    # Another plan or ratio leaves what is agreed of names as it was; the end of an agreement ends it.
    about = {"partner_id": network.sub.pk, "actor": cast.ib_manager}
    agree(cast, network, None, percent=90)
    plans.assign_plan(**about, plan_id=network.version.plan_id)
    assert PartnerPlan.usual.get(partner=network.sub, ends_at=None).client_names == "full"
    plans.assign_plan(**about, plan_id=None, scope=beside)
    assert shown(network) == ClientNames.FULL
    plans.assign_plan(**about, plan_id=None)
    assert shown(network) == ClientNames.NUMBER


def test_a_change_of_names_takes_two_people_and_is_audited(network, cast, browse):
    address = reverse("ib_partner_plan", args=[network.sub.pk])
    sent = {"plan": network.version.plan_id, "percent": "100", "client_names": "full", "reason": "Contract of May"}
    assert "Agreement proposed" in text_of(browse(cast.ib_manager).post(address, sent, follow=True))
    item = RatioProposal.objects.get()
    assert shown(network) == ClientNames.SHORT and "Full name" in text_of(
        browse(cast.finance).get(f"/approvals/personal-ratio/{item.pk}/")
    )
    with pytest.raises(NotAllowed):
        approvals.approve(RatioProposal, item.pk, actor=cast.ib_manager)
    approvals.approve(RatioProposal, item.pk, actor=cast.finance)
    assert shown(network) == ClientNames.FULL
    changed = AuditEvent.objects.filter(action="ib.plan_assigned", target_id=str(network.sub.pk)).latest("pk")
    body = audit.body_of(changed)
    assert (body["before"]["client_names"], body["after"]["client_names"]) == ("", "full")
    assert (changed.actor, body["reason"]) == (cast.finance, "Contract of May")
    page = browse(cast.ib_manager).get(network.sub.get_absolute_url())
    assert "Full name" in text_of(page)
    assert browse(cast.ib_manager).get(address).context["form"].initial["client_names"] == "full"
    with pytest.raises(WrongState, match="already set"):
        agree(cast, network, ClientNames.FULL)
    with pytest.raises(IntegrityError, match="agreement_shows_names_in_a_known_way"), transaction.atomic():
        PartnerPlan.objects.create(
            partner=network.top, plan=item.plan, client=cast.client, client_names="all", starts_at=timezone.now()
        )
