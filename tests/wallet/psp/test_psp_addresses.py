"""A PSP's API address: public in production, changed by two people, and the stored secrets don't go along."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from crm import approvals
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, Notification
from tests.wallet.factories import make_psp
from wallet.models import Psp, PspAddressChange
from wallet.psp.addresses import propose_address
from wallet.psp.setup import PspSetup, configure_psp, create_psp

pytestmark = pytest.mark.django_db
NEW = "https://1.1.1.1/api"
KEYS = {"api_key": "typed-again", "webhook_secret": "typed-too"}


@pytest.fixture
def psp(cast) -> Psp:
    return make_psp(cast.brand, "northpay", base_url="https://psp.example")


def propose(cast, psp, base_url=NEW, actor=None) -> PspAddressChange:
    return propose_address(psp_id=psp.pk, base_url=base_url, reason="They moved", actor=actor or cast.finance)


def test_stored_keys_are_not_taken_to_another_address(cast, psp):
    change = propose(cast, psp)
    psp.refresh_from_db()
    stored = psp.credentials
    assert psp.base_url == "https://psp.example" and stored["api_key"], "nothing changed yet"
    for given in ({}, {"api_key": "typed-again"}, {"webhook_secret": "typed-too", "api_key": ""}):
        with pytest.raises(DomainError, match="Re-enter"):
            approvals.approve(PspAddressChange, change.pk, keys=given, actor=cast.second_finance)
    approvals.approve(PspAddressChange, change.pk, keys=KEYS, actor=cast.second_finance)
    psp.refresh_from_db()
    assert psp.base_url == NEW and {name: psp.credentials[name] for name in KEYS} == KEYS
    changed = AuditEvent.objects.get(action="wallet.psp_address_changed")
    assert b"typed-again" not in bytes(changed.body)


def test_an_address_is_changed_by_two_people(cast, psp):
    with pytest.raises(NotAllowed):
        propose(cast, psp, actor=cast.agent)
    change = propose(cast, psp)
    assert Notification.objects.filter(user=cast.second_finance, kind="wallet.psp_address").exists()
    with pytest.raises(NotAllowed):
        approvals.approve(PspAddressChange, change.pk, keys=KEYS, actor=cast.finance)
    with pytest.raises(WrongState, match="already"):
        propose(cast, psp, "https://8.8.8.8")
    with pytest.raises(IntegrityError, match="psp_address_change_is_decided_by_somebody_else"), transaction.atomic():
        PspAddressChange.objects.update(state="approved", decided_by=cast.finance, decided_at=timezone.now())
    configure_psp(psp_id=psp.pk, values={"base_url": "https://8.8.8.8", "name": "New"}, keys={}, actor=cast.finance)
    psp.refresh_from_db()
    assert (psp.name, psp.base_url) == ("New", "https://psp.example"), "not by the way"


def test_a_proposed_address_is_refused_with_a_reason_or_withdrawn(cast, psp):
    change = propose(cast, psp)
    with pytest.raises(DomainError):
        approvals.reject(PspAddressChange, change.pk, actor=cast.second_finance, note=" ")
    approvals.reject(PspAddressChange, change.pk, actor=cast.second_finance, note="Their manual says otherwise")
    change = propose(cast, psp)
    with pytest.raises(NotAllowed):
        approvals.withdraw(PspAddressChange, change.pk, actor=cast.second_finance)
    approvals.withdraw(PspAddressChange, change.pk, actor=cast.finance)
    psp.refresh_from_db()
    assert psp.base_url == "https://psp.example"


@pytest.mark.parametrize(
    "address",
    [
        "http://1.1.1.1/",
        "https://127.0.0.1/",
        "https://169.254.169.254/latest/",
        "https://user@1.1.1.1/",
        "https://[::1]/",
    ],
)
def test_production_takes_public_https_addresses_only(cast, psp, settings, address):
    settings.OUTGOING_PRIVATE = []
    with pytest.raises(DomainError):
        propose(cast, psp, address)
    with pytest.raises(DomainError):
        create_psp(
            brand_id=cast.brand.pk,
            setup=PspSetup(
                adapter="sandbox",
                name="New",
                code="new",
                base_url=address,
                keys=KEYS,
                currencies=["EUR"],
                method_codes=[""],
            ),
            actor=cast.finance,
        )
    assert not PspAddressChange.objects.exists() and not Psp.objects.filter(code="new").exists()


def test_two_people_change_it_on_the_page(cast, psp, browse):
    page = reverse("wallet:psp", args=[psp.pk])
    address = reverse("wallet:psp_address_propose", args=[psp.pk])
    wrong = browse(cast.finance).post(address, {"address-base_url": "nonsense", "address-reason": "They moved"})
    assert wrong.status_code == 422 and "nonsense" in wrong.content.decode() and "They moved" in wrong.content.decode()
    assert (
        browse(cast.finance).post(address, {"address-base_url": NEW, "address-reason": "They moved"}).status_code == 302
    )
    assert "Withdraw proposal" in browse(cast.finance).get(page).content.decode()
    second, change = browse(cast.second_finance), PspAddressChange.objects.get()
    shown = second.get(page).content.decode()
    assert "Approve address" in shown and NEW in shown
    approve = reverse("wallet:psp_address_approve", args=[change.pk])
    half = second.post(approve, {"approve-api_key": "typed-again"})
    assert half.status_code == 422 and "typed-again" not in half.content.decode()
    assert second.post(approve, {f"approve-{name}": value for name, value in KEYS.items()}).status_code == 302
    psp.refresh_from_db()
    assert psp.base_url == NEW
