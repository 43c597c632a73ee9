"""The playbook: shipped steps per reason, a brand's own in their place, on the page where the agent works."""

from __future__ import annotations

import pytest
from django.utils import translation

from crm.brand_policies import find
from crm.errors import DomainError
from risk.retention.cases import judge_all
from risk.retention.choices import FlagKind
from risk.retention.models import RetentionCase
from risk.retention.playbook import PLAYBOOK, SHIPPED, play_for
from tests.brand_policies import set_policies
from tests.risk.retention.test_flags import leaver

pytestmark = pytest.mark.django_db


def test_every_reason_has_shipped_steps_in_the_readers_language(cast):
    assert set(SHIPPED) == set(FlagKind) == set(PLAYBOOK)
    for reason in FlagKind:
        english = play_for(reason, cast.brand)
        with translation.override("de"):
            german = play_for(reason, cast.brand)
        assert len(english.steps) >= 2 and not english.is_own
        assert len(german.steps) == len(english.steps) and not set(german.steps) & set(english.steps)


def test_a_brands_own_steps_replace_those_of_one_reason_on_the_case(floor, cast, browse):
    leaver(floor)
    judge_all(now=floor.now)
    case = RetentionCase.objects.get()
    agent = browse(cast.retention)
    body = agent.get(case.get_absolute_url()).content.decode()
    assert "Suggested next steps" in body and "Offer a review of the last trades" in body
    set_policies(cast.brand, playbook_losses=["Offer the <webinar>", "Call again on Friday"])
    body = agent.get(case.get_absolute_url()).content.decode()
    assert "Offer the &lt;webinar&gt;" in body and "Offer a review of the last trades" not in body
    assert "Call and ask what keeps them away" in body  # another reason keeps its own
    assert not play_for(FlagKind.LOSSES, cast.other_brand).is_own


def test_shipped_steps_saved_unchanged_stay_the_shipped_ones(cast):
    policy = find("playbook_losses")
    kind = policy.kind
    with translation.override("de"):
        assert kind.clean(kind.entered(kind.initial([], cast.brand), cast.brand)) == []
    assert kind.clean(["One", "", " Two "]) == ["One", "Two"]
    for wrong in ([f"Step {number}" for number in range(9)], ["x" * 201], ["A\x00B"]):
        with pytest.raises(DomainError):
            kind.clean(wrong)
