"""Partners without a client record are screened too: a possible match keeps them from being activated and paid."""

import pytest
from django.db import transaction

from clients.models import Client
from compliance.choices import RestrictionKind
from compliance.models import Hit
from crm.db.locking import lock
from crm.errors import WrongState
from crm.models import AuditEvent, Notification
from ib import partners, payouts
from ib.choices import PartnerState
from ib.models import Partner, PartnerScreening
from ib.partners import PartnerDetails
from tests.cast import signed_in
from tests.compliance.factories import load
from tests.compliance.test_rescreening import settle

pytestmark = pytest.mark.django_db
IVAN = {"first": "Ivan", "second": "Petrov"}
OTHER = {"first": "Somebody", "second": "Else"}


def apply(cast, name="Ivan Petrov") -> Partner:
    details = PartnerDetails(name=name, email=f"{name.split()[0].lower()}@partner.example", currency="EUR")
    partner = partners.register_applicant(brand=cast.brand, details=details)
    settle()
    return partner


def activate(partner, cast):
    with transaction.atomic():
        return partners.set_state(lock(Partner, partner.pk), PartnerState.ACTIVE, actor=cast.ib_manager, reason="Known")


def test_an_applicant_on_a_list_is_not_activated(cast, tmp_path):
    load(tmp_path, IVAN)
    partner = apply(cast)
    assert [match["listed"] for match in PartnerScreening.objects.get().matches] == ["Ivan Petrov"]
    for user in (cast.mlro, cast.ib_manager):
        assert Notification.objects.filter(kind="ib.partner_match", user=user).count() == 1
    assert AuditEvent.objects.filter(action="ib.partner_screened", target_id=str(partner.pk)).count() == 1
    with pytest.raises(WrongState, match="Possible watchlist match"):
        activate(partner, cast)
    page = signed_in(cast.mlro).get(partner.get_absolute_url()).content.decode()
    assert "Possible watchlist match" in page and "Ivan Petrov" in page
    assert activate(apply(cast, "Peter Ordinary"), cast).state == PartnerState.ACTIVE


def test_a_partner_newly_listed_is_found_by_the_list_and_the_night(cast, tmp_path):
    load(tmp_path, OTHER)
    settle()
    partner = apply(cast)
    assert PartnerScreening.objects.get().matches == []
    load(tmp_path, OTHER, IVAN)
    settle()
    assert len(PartnerScreening.objects.get(partner=partner).matches) == 1
    load(tmp_path, OTHER)
    settle()
    assert activate(partner, cast).state == PartnerState.ACTIVE
    Partner.objects.filter(pk=partner.pk).update(name="Somebody Else")
    from ib.tasks import screen_partners

    assert screen_partners() >= 1 and len(PartnerScreening.objects.get(partner=partner).matches) == 1


def test_the_match_is_reviewed_on_the_linked_client_record(cast, tmp_path):
    """Payouts wait for compliance: the business name's match holds withdrawals, and commissions stay where they are."""
    load(tmp_path, IVAN)
    partner = apply(cast)
    partners.link_wallet(partner_id=partner.pk, client_id=cast.client.pk, actor=cast.ib_manager, reason="Own account")
    settle()
    assert Hit.objects.get(part_of=None).party.name == "Ivan Petrov"
    assert Client.objects.get(pk=cast.client.pk).restrictions == [RestrictionKind.NO_WITHDRAWAL]
    assert activate(partner, cast).state == PartnerState.ACTIVE
    with pytest.raises(WrongState, match="on hold"):
        payouts.pay_out(partner_id=partner.pk, amount=10, currency="EUR", request_key="k", actor=partner.user)
