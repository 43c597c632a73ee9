"""Scoring leads again when what their points ask for has changed, many at a time; and what a rule would change.

The newest lead of everybody who hasn't paid in yet is scored again, by today's rules: when they open, click, sign in, answer or
write, when a custom field changes, and on the day on which something leaves the window of a rule.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy
from psycopg.types.json import Jsonb

from clients.choices import Stage
from clients.facts import fact_of
from clients.models import Client, CustomValue
from clients.segments.membership import segments_of
from crm.db.locking import lock_all
from crm.due import DueItem, DueKind, declare, due_many
from crm.models import Brand, DueRow
from leads.learned.scoring import UNKNOWN, Prospect, in_use
from leads.models import Lead, ScoreRule
from leads.scores.engagement import NOTHING, EngagementKind, engagement_of
from leads.scoring import Rule, Score, Signals, asks_segments, rules_of, score

# Things often come in threes: a sign-in, a click and a call are one round.
WAIT = dt.timedelta(seconds=30)
PREVIEW_LEADS = 1_000
# What scoring reads beside a lead.
READ = ("client__leads_facts", "campaign")
FADE_CLIENTS_MAX = 20_000

NEWEST = """
SELECT DISTINCT ON (l.client_id) l.id FROM leads_lead l JOIN clients_client c ON c.id = l.client_id
WHERE l.client_id = ANY(%(ids)s) AND c.first_deposit_at IS NULL AND c.stage <> 'closed' AND l.refusal = ''
ORDER BY l.client_id, l.captured_at DESC, l.id DESC
"""
WRITE = """
WITH given AS (
  SELECT lead_id, score, reasons, probability, learned, coalesce(string_to_array(nullif(why, ''), ','), '{}') AS why
  FROM unnest(%(leads)s::bigint[], %(scores)s::int[], %(reasons)s::jsonb[], %(probability)s::float8[], %(learned)s::int[],
    %(why)s::text[]) g(lead_id, score, reasons, probability, learned, why)
), written AS (
  UPDATE leads_lead l SET score = g.score, score_reasons = g.reasons, probability = g.probability, learned_score = g.learned,
    learned_reasons = g.why FROM given g
  WHERE l.id = g.lead_id AND (l.score, l.score_reasons, l.probability) IS DISTINCT FROM (g.score, g.reasons, g.probability)
  RETURNING l.client_id, l.score
)
UPDATE clients_client c SET score = w.score FROM written w WHERE c.id = w.client_id AND c.score <> w.score
"""


def signals_of(leads: Sequence[Lead], brand: Brand, now: dt.datetime, *, with_segments: bool = False) -> list[Signals]:
    """Read what scoring looks at, for leads of one brand with client, its facts and campaign: three statements for all, or four."""
    ids = sorted({lead.client_id for lead in leads})
    known = Lead.objects.filter(client_id__in=ids, captured_at__lte=now).order_by()
    seen: Counter[int] = Counter(known.values_list("client_id", flat=True))
    engagement = engagement_of(ids, now)
    custom: dict[int, dict[str, object]] = {}
    for row in CustomValue.objects.filter(client_id__in=ids).select_related("field"):
        custom.setdefault(row.client_id, {})[row.field.key] = row.value
    segments = segments_of(ids) if with_segments else {}
    return [
        Signals(
            country=lead.client.country,
            language=lead.client.language,
            brand_languages=tuple(brand.languages),
            email=lead.client.email,
            phone=lead.client.phone,
            phone_was_typed=bool(lead.client.phone or lead.typed.get("phone")),
            campaign=lead.campaign.code if lead.campaign else "",
            campaign_quality=lead.campaign.quality if lead.campaign else None,
            source=lead.source,
            times_seen=seen[lead.client_id],
            is_referred=bool(lead.referral_code),
            is_registered=lead.client.registered_at is not None and lead.client.registered_at <= now,
            has_message=bool(lead.message),
            has_consent=lead.client.marketing_consent,
            at=lead.captured_at,
            now=now,
            engagement=engagement.get(lead.client_id, NOTHING),
            custom=custom.get(lead.client_id, {}),
            experience=fact_of(lead.client, "experience") or "",
            intended_deposit=fact_of(lead.client, "intended_deposit"),
            segments=tuple(segments.get(lead.client_id, ())),
        )
        for lead in leads
    ]


@transaction.atomic
def rescore(client_ids: Collection[int]) -> int:
    """Score the newest leads of people again; returns how many people have another score now."""
    lock_all(Client, pks=client_ids)
    with connection.cursor() as cursor:
        cursor.execute(NEWEST, {"ids": list(client_ids)})
        found = [pk for (pk,) in cursor.fetchall()]
    leads = list(Lead.objects.filter(pk__in=found).select_related(*READ, "brand").order_by("pk"))
    now, scores, learned = timezone.now(), dict[int, Score](), in_use()
    prospects: list[Prospect] = []
    for brand in {lead.brand_id: lead.brand for lead in leads}.values():
        rules = rules_of(brand.pk, timezone.localdate())
        of_brand = [lead for lead in leads if lead.brand_id == brand.pk]
        for lead, seen in zip(
            of_brand, signals_of(of_brand, brand, now, with_segments=asks_segments(rules)), strict=True
        ):
            scores[lead.pk] = score(seen, rules)
            prospects.append(learned.prospect(seen) if learned else UNKNOWN)
    with connection.cursor() as cursor:
        cursor.execute(
            WRITE,
            {
                "leads": list(scores),
                "scores": [worth.value for worth in scores.values()],
                "reasons": [Jsonb(worth.reasons) for worth in scores.values()],
                "probability": [prospect.probability for prospect in prospects],
                "learned": [prospect.score for prospect in prospects],
                "why": [",".join(prospect.reasons) for prospect in prospects],
            },
        )
        return int(cursor.rowcount)


def _rescore_due(rows: list[DueRow]) -> None:
    rescore(sorted({int(row.key) for row in rows}))


RESCORE = declare(
    DueKind(
        "leads.rescore",
        gettext_lazy("Lead to be scored again"),
        batch_handler=_rescore_due,
        permission="leads.view_lead",
    )
)


def await_rescoring(client_ids: Iterable[int], brand_id: int | None = None) -> None:
    """Have people's newest leads scored again in a moment."""
    at = timezone.now() + WAIT
    due_many(RESCORE, [DueItem(pk, at, client_id=pk, brand_id=brand_id) for pk in client_ids], only_sooner=True)


@transaction.atomic
def fade() -> int:
    """Have those scored again whose engagement left the window of a rule since yesterday; returns how many they are."""
    now = timezone.now()
    rules = ScoreRule.objects.filter(kind__in=EngagementKind.values, valid_to=None)
    windows = {int(rule.parameters.get("days", 30)) for rule in rules}
    if not windows:
        return 0
    edges = [(now - dt.timedelta(days=days + 1), now - dt.timedelta(days=days)) for days in windows]
    ids: set[int] = set()
    with connection.cursor() as cursor:
        for since, until in edges:
            cursor.execute(LEFT_WINDOW, {"since": since, "until": until, "most": FADE_CLIENTS_MAX})
            ids |= {pk for (pk,) in cursor.fetchall()}
    await_rescoring(sorted(ids))
    return len(ids)


LEFT_WINDOW = """
SELECT DISTINCT c.id FROM (
  SELECT client_id FROM clients_message WHERE delivery IN ('opened', 'clicked') AND delivery_at BETWEEN %(since)s AND %(until)s
  UNION ALL SELECT client_id FROM leads_registrationinvitation WHERE opened_at BETWEEN %(since)s AND %(until)s
  UNION ALL SELECT c.id FROM crm_accessevent a JOIN clients_client c ON c.user_id = a.user_id
    WHERE a.kind = 'login' AND a.at BETWEEN %(since)s AND %(until)s
  UNION ALL SELECT client_id FROM clients_call WHERE started_at BETWEEN %(since)s AND %(until)s
  UNION ALL SELECT client_id FROM clients_incomingmail WHERE received_at BETWEEN %(since)s AND %(until)s
) left_window JOIN clients_client c ON c.id = left_window.client_id
WHERE c.first_deposit_at IS NULL AND c.stage <> 'closed' LIMIT %(most)s
"""


@dataclass(frozen=True)
class ScoreChange:
    """One lead whose score would be another."""

    client: Client
    before: int
    after: int

    @property
    def difference(self) -> int:
        return self.after - self.before


@dataclass(frozen=True)
class Preview:
    """What a rule would change for the newest leads: how many go up and down, averages, scores by tens, the largest changes."""

    leads: int
    up: int
    down: int
    average_before: float
    average_after: float
    bands: list[tuple[str, int, int]]
    largest: list[ScoreChange]


def preview(brand: Brand, rule: Rule) -> Preview:
    """Score the newest leads of a brand by today's rules and by these with one more or changed. Nothing is written."""
    rows = Lead.objects.filter(brand=brand, is_duplicate=False, refusal="").exclude(client__stage=Stage.CLOSED)
    leads = list(rows.select_related(*READ).order_by("-pk")[:PREVIEW_LEADS])
    now = timezone.now()
    rules = rules_of(brand.pk, timezone.localdate())
    changed = [*(known for known in rules if known.name != rule.name and known.pk != rule.pk), rule]
    signals = signals_of(leads, brand, now, with_segments=asks_segments([*rules, rule]))
    pairs = [(score(seen, rules).value, score(seen, changed).value) for seen in signals]
    changes = [
        ScoreChange(lead.client, before, after)
        for lead, (before, after) in zip(leads, pairs, strict=True)
        if before != after
    ]
    tens = [Counter(min(pair[place] // 10, 9) for pair in pairs) for place in (0, 1)]
    return Preview(
        leads=len(leads),
        up=sum(change.difference > 0 for change in changes),
        down=sum(change.difference < 0 for change in changes),
        average_before=sum(before for before, _after in pairs) / len(pairs) if pairs else 0,
        average_after=sum(after for _before, after in pairs) / len(pairs) if pairs else 0,
        bands=[(f"{ten * 10}–{ten * 10 + 9 + (ten == 9)}", tens[0][ten], tens[1][ten]) for ten in range(9, -1, -1)],
        largest=sorted(changes, key=lambda change: -abs(change.difference))[:10],
    )
