"""A brand's levels: what clients reach, who may change them, the preview, and what each level allows."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from clients import proofs
from clients.facts import FACTS, differences, rebuild
from clients.models import Client
from crm import approvals, due
from crm.brand_policies.registry import today
from crm.choices import Role
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, Brand, OutboxEvent
from kyc.levels import changes
from kyc.levels.changes import propose_levels
from kyc.levels.ladder import Level, allowance_of, ladder_of
from kyc.levels.reaching import IN_FORCE
from kyc.levels.standing import standing_of
from kyc.models import Document, LevelProposal, LevelReached, LevelTable
from tests.cast import make_client, make_staff, signed_in
from tests.kyc.questionnaires import factories
from tests.outbox import published
from tests.wallet.conftest import load_rates
from tests.wallet.factories import fund, make_psp
from trading.policies import can_open_account
from wallet.deposits import unverified
from wallet.withdrawals.level_limits import left_to_withdraw

IDENTITY = ("passport", "id_card", "residence_permit", "driving_licence")
ONE_LEVEL = (
    Level(0, deposits_max_minor=50_000, trades=False, withdraws=False),
    Level(
        1,
        names={"en": "Full", "de": "Voll"},
        requires=(IDENTITY, ("proof_of_address",)),
        company_requires=(("register_extract",),),
        deposits_max_minor=1_000_000,
        withdrawals_30_days_max_minor=20_000,
        methods=("bank",),
    ),
)


def approved(client: Client, kind: str, side: str = "front") -> Document:
    """A document whose approval took effect, without its file."""
    now = timezone.now()
    return Document.objects.create(
        client=client,
        kind=kind,
        side=side,
        state="approved",
        store_key=f"{client.pk}-{kind}-{side}",
        file_name="scan.jpg",
        content_type="image/jpeg",
        size_bytes=1,
        sha256=f"{client.pk}{kind}{side}".ljust(64, "0")[:64],
        stored_sha256="0" * 64,
        uploaded_at=now,
        reviewed_at=now,
        reviewed_by=make_or_get_reviewer(client.brand),
        settled_at=now,
    )


def make_or_get_reviewer(brand: Brand):
    from crm.models import User

    email = f"reviewer.{brand.code}@keelson.example"
    return User.objects.filter(email=email).first() or make_staff(email, Role.KYC_OFFICER, brand=brand)


def second_mlro(cast):
    return factories.second_mlro(cast.brand)


def put_in_force(cast, levels=ONE_LEVEL, *, day: dt.date | None = None) -> LevelTable:
    proposal = propose_levels(
        brand_id=cast.brand.pk, levels=levels, effective_on=day or today(cast.brand), actor=cast.mlro, reason="Ours"
    )
    approvals.approve(LevelProposal, proposal.pk, actor=second_mlro(cast), note="")
    due.sweep(kinds=[IN_FORCE])
    cast.brand.refresh_from_db()
    cast.client.refresh_from_db()
    cast.client.brand = cast.brand
    return LevelTable.objects.latest("pk")


def level_of(client: Client) -> int:
    return Client.objects.values_list("kyc_level", flat=True).get(pk=client.pk)


@pytest.mark.parametrize(
    ("documents", "level"),
    [
        ([], 0),
        ([("proof_of_address", "front")], 0),
        ([("id_card", "front")], 0),
        ([("id_card", "front"), ("driving_licence", "back")], 0),
        ([("id_card", "front"), ("id_card", "back")], 1),
        ([("passport", "front")], 1),
        ([("passport", "front"), ("proof_of_address", "front")], 2),
        ([("passport", "front"), ("register_extract", "front")], 1),
    ],
)
def test_the_default_levels_are_identity_then_address(cast, documents, level):
    for kind, side in documents:
        approved(cast.client, kind, side)
    rebuild(FACTS["kyc_level"])
    assert (level_of(cast.client), level_of(cast.other_client)) == (level, 0)


def test_a_company_proves_other_things_than_a_person(cast):
    Client.objects.filter(pk=cast.client.pk).update(kind="company", first_name="")
    approved(cast.client, "passport")
    rebuild(FACTS["kyc_level"])
    assert level_of(cast.client) == 0


def test_default_limits_come_from_the_brands_policies(cast):
    zero, one, _two = ladder_of(cast.brand)
    assert (zero.deposits_max_minor, zero.withdraws, one.deposits_max_minor, one.withdraws) == (
        200_000,
        False,
        None,
        True,
    )
    assert all(level.trades for level in ladder_of(cast.brand))


def test_new_levels_move_all_clients_on_their_day_once(cast):
    approved(cast.client, "passport")
    full = make_client(brand=cast.brand, book=cast.book, email="full@example.com")
    approved(full, "passport")
    approved(full, "proof_of_address")
    approved(cast.other_client, "passport")
    rebuild(FACTS["kyc_level"])
    day = today(cast.brand) + dt.timedelta(days=3)
    assert [(move.before, move.after, move.clients) for move in changes.preview(cast.brand, ONE_LEVEL)] == [
        (1, 0, 2),
        (2, 1, 1),
    ]
    table = put_in_force(cast, day=day)
    assert (level_of(cast.client), level_of(full)) == (1, 2) and not cast.brand.kyc_level_table
    with time_machine.travel(dt.datetime.combine(day, dt.time(12), dt.UTC), tick=False):
        assert due.sweep(kinds=[IN_FORCE]) == 1
    assert (level_of(cast.client), level_of(full)) == (0, 1)
    lost = {envelope.client: envelope.data for envelope in published("kyc.level_lost")}
    assert lost == {
        cast.client.pk: {"level": 0, "level_before": 1, "reason": "levels_changed"},
        cast.other_client.pk: {"level": 0, "level_before": 1, "reason": "levels_changed"},
        full.pk: {"level": 1, "level_before": 2, "reason": "levels_changed"},
    }
    assert list(differences(FACTS["kyc_level"])) == []
    assert Brand.objects.get(pk=cast.brand.pk).kyc_level_table == table.pk
    assert AuditEvent.objects.filter(action="kyc.levels_in_force").count() == 1


def test_a_level_reached_by_new_rules_is_published_once(cast):
    approved(cast.client, "proof_of_address")
    only_address = (ONE_LEVEL[0], replace(ONE_LEVEL[1], requires=(("proof_of_address",),)))
    put_in_force(cast, only_address)
    assert level_of(cast.client) == 1
    assert OutboxEvent.objects.filter(name="kyc.client_verified", client_id=cast.client.pk).count() == 1
    assert LevelReached.objects.get(client=cast.client).level == 1


def test_email_and_screening_can_be_required(cast):
    assert {"email_confirmed", "screening_clear"} <= set(proofs.PROOFS)
    put_in_force(cast, (ONE_LEVEL[0], replace(ONE_LEVEL[1], requires=(("email_confirmed",),))))
    assert level_of(cast.client) == 1
    standing = standing_of(cast.client)
    assert standing.next_level is None and standing.level.name == "Full"


def test_the_card_names_what_the_next_level_needs(cast):
    approved(cast.client, "passport")
    put_in_force(cast)
    standing = standing_of(cast.client)
    assert (standing.level.number, standing.top, standing.next_level.name) == (0, 1, "Full")
    assert [(need.label, need.is_met, need.step) for need in standing.needs] == [
        ("Passport, Identity card, Residence permit or Driving licence", True, "portal_documents"),
        ("Proof of address", False, "portal_documents"),
    ]


# ── who may, and what can't be ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("who", ["kyc_officer", "agent", "finance"])
def test_only_who_sets_identity_policies_proposes(cast, who):
    with pytest.raises(NotAllowed):
        propose_levels(
            brand_id=cast.brand.pk,
            levels=ONE_LEVEL,
            effective_on=today(cast.brand),
            actor=getattr(cast, who),
            reason="x",
        )
    assert not LevelProposal.objects.exists()


@pytest.mark.parametrize(
    ("levels", "words"),
    [
        (ONE_LEVEL[:1], "numbered from 0"),
        ((ONE_LEVEL[0], replace(ONE_LEVEL[1], number=2)), "numbered from 0"),
        ((ONE_LEVEL[0], replace(ONE_LEVEL[1], requires=())), "must require something"),
        ((ONE_LEVEL[0], replace(ONE_LEVEL[1], requires=(("nothing_known",),))), "Unknown requirement"),
        ((ONE_LEVEL[0], replace(ONE_LEVEL[1], requires=(("register_extract",),))), "Unknown requirement"),
        ((ONE_LEVEL[0], replace(ONE_LEVEL[1], deposits_max_minor=49_999)), "lower limit"),
    ],
)
def test_levels_that_make_no_sense_are_refused(cast, levels, words):
    with pytest.raises(DomainError, match=words):
        propose_levels(
            brand_id=cast.brand.pk, levels=levels, effective_on=today(cast.brand), actor=cast.mlro, reason="x"
        )


def test_a_change_based_on_older_levels_is_refused(cast):
    proposal = propose_levels(
        brand_id=cast.brand.pk, levels=ONE_LEVEL, effective_on=today(cast.brand), actor=cast.mlro, reason="x"
    )
    LevelTable.objects.create(
        brand=cast.brand,
        levels=proposal.levels,
        effective_on=today(cast.brand),
        set_by=cast.mlro,
        set_at=timezone.now(),
        reason="x",
    )
    with pytest.raises(WrongState, match="changed meanwhile"):
        approvals.approve(LevelProposal, proposal.pk, actor=second_mlro(cast), note="")


# ── what a level allows ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_levels_limits_bind_deposits_and_methods(cast):
    load_rates()
    put_in_force(cast)
    client, card, bank = cast.client, make_psp(cast.brand, "northpay"), make_psp(cast.brand, "rhinebank", kind="bank")
    assert unverified.most_for(client, None) == Decimal(500) and unverified.still_allowed(client).amount == 500
    Client.objects.filter(pk=client.pk).update(kyc_level=1)
    client.refresh_from_db()
    client.brand = cast.brand
    assert unverified.allows_method(client, bank.kind) and not unverified.allows_method(client, card.kind)
    fund(client, 990_000)
    assert unverified.most_for(client, None) == Decimal(10_000)


def test_withdrawals_are_limited_in_thirty_days(cast):
    put_in_force(cast)
    client = cast.client
    assert not allowance_of(client).withdraws
    client.kyc_level = 1
    assert allowance_of(client).withdraws and left_to_withdraw(client).amount == Decimal(200)


def test_a_level_without_trading_opens_no_real_account(cast):
    from tests.trading.factories import make_server, make_type

    put_in_force(cast)
    account_type = make_type(cast.brand, make_server(), kyc_level=0)
    assert "verification level" in can_open_account(cast.client.user, cast.client, account_type).reason
    cast.client.kyc_level = 1
    assert can_open_account(cast.client.user, cast.client, account_type)


# ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def form_of(**changes: object) -> dict[str, object]:
    return {
        "name_en": "Address",
        "requires_0": ["proof_of_address"],
        "company_requires_0": ["register_extract"],
        "withdraws": "on",
        "effective_on": timezone.now().date().isoformat(),
        "reason": "Address first",
        **changes,
    }


def test_the_page_previews_then_proposes(cast):
    approved(cast.client, "proof_of_address")
    browser = signed_in(cast.mlro)
    assert browser.get(reverse("kyc:levels")).status_code == 302
    page = browser.get(reverse("kyc:brand_levels", args=[cast.brand.pk])).content.decode()
    assert "Identity and address verified" in page and "default levels" in page
    url = reverse("kyc:level_change", args=[cast.brand.pk, 1])
    page = browser.post(url, form_of(preview="1")).content.decode()
    assert "Level after" in page and not LevelProposal.objects.exists()
    assert browser.post(url, form_of(requires_0=[])).status_code == 422
    assert browser.post(url, form_of()).status_code == 302
    proposal = LevelProposal.objects.get()
    assert proposal.levels[1]["requires"] == [["proof_of_address"]] and proposal.levels[1]["trades"] is False
    page = browser.get(reverse("approval", args=["kyc-levels", proposal.pk])).content.decode()
    assert "Level 1: Persons provide" in page
    assert signed_in(cast.kyc_officer).get(url).status_code == 403
