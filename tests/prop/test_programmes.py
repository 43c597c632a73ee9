"""Programmes: written as YAML, published by four eyes, and never changed afterwards."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import DatabaseError, transaction
from django.utils import translation

from crm.errors import DomainError, NotAllowed
from prop.choices import VersionState
from prop.models import ProgrammePhase, ProgrammeSize, ProgrammeVersion
from prop.programmes.drafts import change_draft, create_programme, draft_version, retire_version
from prop.programmes.files import write_terms
from prop.programmes.templates import TEMPLATES
from prop.sentences import about_payouts, rules_of
from tests.cast import Cast
from tests.prop.factories import make_draft, make_version, text_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("code", TEMPLATES)
def test_what_is_written_is_what_was_read(cast: Cast, code: str) -> None:
    version = make_draft(cast, code)
    written = write_terms(version)
    again = draft_version(programme_id=version.programme_id, content=written.encode(), actor=cast.administrator)
    assert write_terms(again) == written.replace("version: 1", "version: 2")


def test_each_rule_is_a_sentence(cast: Cast) -> None:
    version = make_draft(cast)
    first, _second, funded = version.phases.all()
    assert rules_of(first) == [
        "Reach a profit of 8 % with all positions closed.",
        "Equity may not fall by 5 % of the starting balance below the balance at the start of the server day.",
        "Equity may never fall 10 % below the starting balance.",
        "Trade on at least 4 days.",
        "The account is closed after 30 days without a trade.",
        "No latency arbitrage: no trades at prices that the market has already left.",
        "No opposite positions in the same symbol on several accounts.",
        "No copied trades: not the same trades on several accounts.",
    ]
    assert rules_of(funded)[-2:] == [
        "You receive 80 % of the profit.",
        "With a profit of 10 % the account grows by 25 %.",
    ]
    assert about_payouts(version) == ["Payouts every 14 days.", "The fee is refunded with the first payout."]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("target: 8, ", "", "Phase 1: An evaluation phase has a target"),
        ("  split: 80", "  target: 5", "Phase 3: The last phase is the funded account"),
        ("daily_loss: 5, max_loss: 10, min", "daily_loss: 12, max_loss: 10, min", "can't be above the maximum loss"),
        ("min_days: 4", "min_days: 4, max_days: 3", "maximum days are fewer"),
        ("min_days: 4", "min_days: 4, locks_at_start: true", "Only a trailing maximum loss"),
        (
            "[latency, hedge",
            "[latency, poker",
            "“poker” isn't a style that can be forbidden. Those are: copy, gap, hedge",
        ),
        ("[latency, hedge", "[latency, latency", "Each style can be forbidden once"),
        ("balance: 25000", "balance: 10000", "Each account size can appear once"),
        ("fee: 99,", "fee: 99.001,", "fee"),
        ("account: Challenge", "account: Standard", "no account type “Standard”"),
        ("currency: EUR", "currency: EUR\nprize: 1", "Unknown key “prize”"),
    ],
)
def test_terms_that_contradict_themselves_are_refused(cast: Cast, old: str, new: str, said: str) -> None:
    version = make_draft(cast)
    content = text_of().decode()
    assert old in content
    with pytest.raises(DomainError, match=said):
        change_draft(version_id=version.pk, content=content.replace(old, new, 1).encode(), actor=cast.administrator)
    assert version.phases.count() == 3


def test_a_version_that_was_on_sale_never_changes(cast: Cast) -> None:
    version = make_version(cast)
    for rows, change in (
        (ProgrammeVersion.objects.filter(pk=version.pk), {"payout_days": 7}),
        (ProgrammePhase.objects.filter(version=version), {"max_loss": 11}),
        (ProgrammeSize.objects.filter(version=version), {"fee": 1}),
    ):
        with pytest.raises(DatabaseError, match="version"), transaction.atomic():
            rows.update(**change)
        with pytest.raises(DatabaseError, match="draft"), transaction.atomic():
            rows._raw_delete(rows.db)
    retire_version(version_id=version.pk, actor=cast.administrator)
    version.refresh_from_db()
    assert version.state == VersionState.RETIRED
    assert version.ends_at > version.published_at


def test_agents_write_no_programmes(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        create_programme(brand=cast.brand, name="Mine", description="", actor=cast.agent)
    version = make_draft(cast)
    with pytest.raises(NotAllowed):
        draft_version(programme_id=version.programme_id, content=text_of(), actor=cast.finance)


def test_each_rule_has_its_sentence_in_english_and_german() -> None:
    phase = ProgrammePhase(
        number=1,
        target=8,
        daily_loss=5,
        max_loss=10,
        max_loss_kind="trailing_equity",
        locks_at_start=True,
        min_days=4,
        max_days=30,
        inactive_days=1,
        consistency=Decimal("33.5"),
        news_minutes=2,
        holds_weekend=False,
        max_lots=Decimal("2.5"),
        leverage=30,
        forbidden_styles=["scalping"],
        split=80,
        scaling_profit=10,
        scaling_growth=25,
    )
    for name in ("target", "daily_loss", "max_loss", "split", "scaling_profit", "scaling_growth"):
        setattr(phase, name, Decimal(getattr(phase, name)))
    english = rules_of(phase)
    with translation.override("de"):
        german = rules_of(phase)
    assert len(english) == len(german) == 14
    assert not set(english) & set(german)
    assert "The account is closed after 1 day without a trade." in english
