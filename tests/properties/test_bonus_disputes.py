"""Whatever disputes take and give back, in whatever order and however often: credit is whole again when all of them are won."""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from clients.choices import Category
from clients.models import Client
from crm import events
from crm.choices import Role
from tests.cast import make_staff
from tests.examples import examples
from tests.kyc.categories.factories import categorise
from tests.wallet import recon
from tests.wallet.intents import captured, dispute_event, make_intent
from wallet.bonuses import granting
from wallet.choices.bonuses import BonusTrigger
from wallet.deposits.verbs import apply_payment
from wallet.disputes.verbs import apply_dispute
from wallet.ledger.verification import verify
from wallet.models import BonusGrant, BonusLoss, BonusRestoration, Dispute
from wallet.psp.values import EventKind

RECEIVED = 50_000
STEPS = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(["taken", "again", "won"]), st.booleans()), max_size=12
)


class EveryOrder(TestCase):
    @settings(max_examples=examples(12), deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(first=st.integers(1, RECEIVED), percent=st.integers(1, 150), steps=STEPS)
    def test_credit_comes_back_to_the_cent_and_never_more(self, first, percent, steps):
        with transaction.atomic():
            self.check({"a": first, "b": RECEIVED - first}, percent, steps)
            transaction.set_rollback(True)

    def check(self, amounts, percent, steps) -> None:
        psp, client = recon.world("won")
        categorise(client.pk, Category.PROFESSIONAL)
        Client.objects.filter(pk=client.pk).update(kyc_level=2)
        actor = make_staff("plans@won.example", Role.FINANCE, brand=client.brand)
        plan = granting.create_plan(brand=client.brand, name="P", actor=actor)
        granting.write_rule(
            plan_id=plan.pk,
            actor=actor,
            valid_from=recon.FIRST,
            trigger=BonusTrigger.EVERY_DEPOSIT,
            percent=Decimal(percent),
            maximum_minor=10**6,
            four_eyes_minor=10**6,
            lots_per_hundred=Decimal(1),
        )
        deposit = make_intent(client, psp, RECEIVED)
        apply_payment(psp_id=psp.pk, view=captured(deposit))
        events.drain()
        given_minor = BonusGrant.objects.get().amount_minor
        for which, what, hear_now in steps:
            self.tell(deposit, which, what, amounts[which], hear_now)
            self.holds(given_minor)
        for which in amounts:
            self.tell(deposit, which, "won", amounts[which], True)
        events.drain()
        assert not Dispute.objects.filter(taken_minor__gt=0).exists()
        grant = BonusGrant.objects.get()
        assert (grant.held_minor, grant.burned_minor) == (given_minor, 0)
        self.holds(given_minor)
        assert verify().holds

    def tell(self, deposit, which, what, amount_minor, hear_now) -> None:
        """A message of the PSP; one that comes before its time is sent again later, as the inbox does it."""
        kind = EventKind.CHARGEBACK_REVERSED if what == "won" else EventKind.CHARGEBACK
        known = Dispute.objects.filter(psp_dispute_id=which).first()
        if not amount_minor or (what != "taken" and not (known and known.rounds)):
            return
        name = "SECOND_CHARGEBACK" if what == "again" else kind.value
        message = dispute_event(deposit, kind, amount_minor, psp_dispute_id=which, type=name)
        apply_dispute(psp_id=deposit.psp_id, event=message)
        if hear_now:
            events.drain()

    def holds(self, given_minor) -> None:
        grant = BonusGrant.objects.get()
        lost = sum(BonusLoss.objects.values_list("amount_minor", flat=True))
        back = sum(BonusRestoration.objects.values_list("amount_minor", flat=True))
        assert 0 <= back <= lost and grant.burned_minor == lost - back and grant.held_minor == given_minor - lost + back
