"""Thresholds of a segment: the most specific one holds, is set by four eyes, and the episode says which it was."""

import datetime as dt
from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clients.models import Segment, SegmentMember
from crm import approvals
from crm.brand_policies.registry import today
from crm.choices import Role
from crm.errors import NotFound
from crm.models import AuditEvent, PolicyProposal, PolicyValue
from crm.security import audit
from crm.staff.policy_changes import change_policy, known, write_value
from risk.abuse import scoring
from risk.abuse.loading import load
from risk.abuse.thresholds import limits_of
from tests.brand_policies import set_policies
from tests.cast import make_staff
from tests.risk.abuse.test_episodes import hedged_accounts

pytestmark = pytest.mark.django_db


def make_segment(brand, name, clients, *, is_rule=False, size=None):
    now = timezone.now()
    segment = Segment.objects.create(
        brand=brand,
        name=name,
        kind="rule" if is_rule else "list",
        condition={} if is_rule else None,
        size=len(clients) if size is None else size,
        created_at=now,
    )
    SegmentMember.objects.bulk_create(SegmentMember(segment=segment, client=one, entered_at=now) for one in clients)
    return segment


def test_a_segments_threshold_is_set_by_two_people_and_stated_by_the_episode(cast, browse):
    first, second = hedged_accounts(cast)  # opposite trades, three seconds apart
    set_policies(cast.brand, abuse_hedge_seconds=1)
    assert scoring.score_accounts(cast.brand, [first.pk, second.pk]) == []
    vip = make_segment(cast.brand, "Bonus hunters", [cast.client])
    checker = make_staff("checker@x.example", Role.ADMINISTRATOR, brand=cast.brand)
    page = reverse("policy", args=[cast.brand.pk, "abuse_hedge_seconds"])
    assert f'value="{vip.pk}">Bonus hunters' in browse(cast.administrator).get(page).content.decode()
    form = {"value": "10", "effective_on": today(cast.brand).isoformat(), "reason": "They hedge by hand"}
    assert browse(cast.administrator).post(f"{page}?segment={vip.pk}", form).status_code == 302
    proposal = PolicyProposal.objects.get()
    assert "segment “Bonus hunters”" in str(approvals.kind_of(PolicyProposal).title(proposal))
    assert scoring.score_accounts(cast.brand, [first.pk, second.pk]) == [], "it waits for a second person"
    approvals.approve(PolicyProposal, proposal.pk, actor=checker)
    cast.brand.refresh_from_db()
    assert PolicyValue.objects.get(segment=vip.pk).value == 10
    shown = browse(cast.administrator).get(vip.get_absolute_url()).content.decode()
    assert f"{page}?segment={vip.pk}" in shown and "1 policy has a value for it" in shown, "who archives it is warned"
    event = AuditEvent.objects.filter(action="crm.policy_changed").latest("pk")
    assert audit.body_of(event)["after"]["segment"] == vip.pk
    (episode,) = scoring.score_accounts(cast.brand, [first.pk, second.pk])
    assert [(row["limit"], row["of"]) for row in episode.facts["thresholds"]] == [
        ("score", "default"),
        ("hedge_seconds", "segment"),
    ]
    text = browse(cast.mlro).get(episode.get_absolute_url()).content.decode()
    assert "10 seconds" in text and "Segment “Bonus hunters”, since" in text and "All clients, default" in text
    assert (
        "1 segment differs"
        in browse(cast.administrator).get(reverse("brand_policies", args=[cast.brand.pk])).content.decode()
    )


def test_the_most_specific_segment_decides_for_each_threshold(cast):
    first, second = hedged_accounts(cast)
    both = [cast.client, cast.other_client]
    everyone = make_segment(cast.brand, "Everyone", both, is_rule=True, size=900)
    few = make_segment(cast.brand, "Few", both, is_rule=True, size=2)
    picked = make_segment(cast.brand, "Picked", [cast.client], size=5_000)
    set_for(cast.brand, everyone, abuse_score="0.9", abuse_size_times="20", abuse_copy_seconds=9)
    set_for(cast.brand, few, abuse_score="0.8", abuse_copy_seconds=8)
    set_for(cast.brand, picked, abuse_score="1.0")
    live = replace(load(cast.brand, [first.pk, second.pk]), professionals=frozenset({cast.client.pk}))
    limits_of(live)  # the values are read once for each version of them
    with CaptureQueriesContext(connection) as queries:
        limits = limits_of(live)
    assert len(queries) == 2, "membership and names, whatever the number of clients"
    mine, theirs = limits.of(0), limits.of(1)
    assert (mine.score, mine.copy_seconds, mine.size_times) == (1.0, 8, 20.0)
    assert mine.origins["score"]["name"] == "Picked" and mine.origins["copy_seconds"]["name"] == "Few"
    assert (theirs.score, limits.score, limits.scalp_seconds) == (0.8, 0.5, 60)
    assert limits.strictest("score", (0, 1)) is theirs and limits.strictest("copy_seconds", ()) is limits
    # Archived, a segment decides nothing any more; the bar for professional clients does.
    Segment.objects.update(archived_at=timezone.now())
    assert limits_of(live).of(0).origins["score"] == {"value": "0.7", "of": "professional"}


def set_for(brand, segment, **values):
    """Set thresholds of a segment, as approved changes of long ago."""
    for key, value in values.items():
        write_value(brand, known(key, segment.pk), value, dt.date(2000, 1, 1), actor=None, reason="For this test")


def test_only_open_segments_of_the_brand_and_policies_by_segment_take_a_value(cast, browse):
    elsewhere = make_segment(cast.other_brand, "Elsewhere", [])
    own = make_segment(cast.brand, "Own", [])
    for key, segment in (("abuse_score", elsewhere), ("minimum_age", own)):
        with pytest.raises(NotFound):
            change_policy(
                brand_id=cast.brand.pk,
                key=key,
                value=21,
                effective_on=today(cast.brand),
                actor=None,
                reason="No",
                segment=segment.pk,
            )
        page = reverse("policy", args=[cast.brand.pk, key])
        assert browse(cast.administrator).get(f"{page}?segment={segment.pk}").status_code == 404
    assert not PolicyValue.objects.exists()
