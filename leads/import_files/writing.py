"""Writing checked rows as clients and leads: scored and routed like a form's lead, a few COPYs per batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

from django.db import connection
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg.types.json import Jsonb

from clients.audit_codes import ClientsAction
from clients.choices import Stage, TimelineKind
from clients.custom_fields.arrivals import lead_fields
from clients.custom_fields.values import typed as typed_value
from clients.custom_fields.values import value_row
from clients.facts import GENERATED_ONCE, rebuild_clients
from clients.identifiers import learn_many
from clients.identifiers.sources import now_of
from clients.models import Client, CustomValue
from crm.conditions.fields import ADDED
from crm.db.bulk import copy_first_versions, copy_models, copy_rows
from crm.errors import outcome_of
from crm.security import audit
from leads import places, routing, scoring
from leads.assignment import publish_assigned
from leads.choices import DECLARED, Channel, RowVerdict
from leads.declared.declaration import Declaration
from leads.learned.scoring import in_use
from leads.models import Campaign, Lead, LeadFacts, LeadImport, LeadImportRow
from leads.waiting import await_routing

FACTS_OF_KNOWN = f"""
UPDATE clients_client c SET score = newest.score, source = first.source, campaign = coalesce(k.code, ''), {GENERATED_ONCE}
FROM (SELECT DISTINCT ON (client_id) client_id, score FROM leads_lead WHERE client_id = ANY(%(clients)s)
      ORDER BY client_id, captured_at DESC, id DESC) newest
JOIN (SELECT DISTINCT ON (client_id) client_id, source, campaign_id FROM leads_lead WHERE client_id = ANY(%(clients)s)
      ORDER BY client_id, captured_at, id) first ON first.client_id = newest.client_id
LEFT JOIN leads_campaign k ON k.id = first.campaign_id
WHERE c.id = newest.client_id
"""  # noqa: S608 - a constant
TIMELINE = ("client_id", "at", "kind", "title", "body", "actor_id", "url", "data", "dedupe_key", "is_visible_to_client")


class Writer:
    """Takes one batch of rows in, in the caller's transaction. Rules, agents and campaigns are read once.

    Agents are held from the first decision to the end of the transaction: turns and capacities are exact
    over all batches, whatever comes in between.
    """

    def __init__(self, batch: LeadImport) -> None:
        self.batch, self.brand = batch, batch.brand
        self.now = timezone.now()
        self.rules = scoring.rules_of(batch.brand_id, self.now.date())
        self.router = routing.Router(self.brand, self.now)
        self.learned = in_use()
        self.campaigns = {campaign.code: campaign for campaign in Campaign.objects.filter(brand=self.brand)}
        self.per_agent: Counter[int] = Counter()
        self.new = self.known = 0
        self.touched: list[int] = []
        self.custom = {row.pk: row for row in lead_fields(self.brand.pk)}
        self.values: dict[tuple[int, int], Any] = {}
        self.registered: set[int] = set()

    def write(self, rows: list[LeadImportRow]) -> None:
        rows = self._still_fitting(rows)
        fresh = [row for row in rows if row.verdict == RowVerdict.NEW]
        again = [row for row in rows if row.verdict == RowVerdict.KNOWN]
        leads = self._fresh(fresh) + self._again(again)
        copy_models(leads)
        declaring = {lead.client_id for lead in leads if lead.experience or lead.intended_deposit is not None}
        if declaring:
            rebuild_clients(sorted(declaring), *DECLARED)
        self._fill_custom(fresh + again, leads)
        self._tell(leads)
        routed = [lead.pk for lead in leads if lead.tried_agents]
        publish_assigned(Lead.objects.filter(pk__in=routed), actor=self.batch.owner)
        self.new += len(fresh)
        self.known += len(again)

    def _still_fitting(self, rows: list[LeadImportRow]) -> list[LeadImportRow]:
        """Type the custom values; set lines aside whose fields have changed since the check so that a value no longer fits."""
        wrong = []
        for row in rows:
            for pk, entered in row.custom.items():
                field = self.custom.get(int(pk))
                typed = outcome_of(partial(typed_value, field, entered)) if field else None
                if typed and field:
                    self.values[row.pk, field.pk] = typed.result
                    continue
                reason = (
                    typed.message if typed is not None else _("This custom field was archived. Check the file again.")
                )
                row.errors.append({"column": field.label if field else f"#{pk}", "message": reason})
            if row.errors:
                row.verdict = RowVerdict.WRONG
                wrong.append(row)
        LeadImportRow.objects.bulk_update(wrong, ["verdict", "errors"])
        return [row for row in rows if row.verdict != RowVerdict.WRONG]

    def _fill_custom(self, rows: list[LeadImportRow], leads: list[Lead]) -> None:
        """Write custom values where a record has none: of known people in the order of the lines, overwriting nothing."""
        known = [lead.client_id for lead in leads if lead.is_duplicate]
        have = set(CustomValue.objects.filter(client_id__in=known).values_list("client_id", "field_id"))
        found: dict[tuple[int, int], CustomValue] = {}
        filled: dict[int, dict[str, Any]] = {}
        for row, lead in zip(rows, leads, strict=True):
            for pk in map(int, row.custom):
                field, key, value = self.custom[pk], (lead.client_id, pk), self.values.pop((row.pk, pk))
                is_on_record = field.for_clients or lead.client_id not in self.registered
                if key in have or key in found or not is_on_record:
                    continue
                found[key] = value_row(lead.client_id, field, value)
                if lead.is_duplicate:
                    filled.setdefault(lead.client_id, {})[field.key] = value
        CustomValue.objects.bulk_create(found.values(), ignore_conflicts=True, batch_size=2_000)
        if filled:
            audit.record_many(self._filled_rows(filled))

    def _filled_rows(self, filled: dict[int, dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield the audit rows of known people whose empty fields were filled."""
        for client_id, values in filled.items():
            yield {
                "actor": self.batch.owner,
                "action": ClientsAction.CUSTOM_VALUES_CHANGED,
                "target": Client(pk=client_id),
                "client_id": client_id,
                "brand_id": self.brand.pk,
                "after": values,
            }

    def finish(self) -> None:
        """Known people's facts: the score of their newest lead, source and campaign of their first. And the pool's routing."""
        if self.per_agent.total() < self.new:
            await_routing(self.batch.brand_id)
        if self.touched:
            with connection.cursor() as cursor:
                cursor.execute(FACTS_OF_KNOWN, {"clients": self.touched})
            # A file's refused lines aren't leads: the newest one of these people was accepted.
            refused = LeadFacts.objects.filter(client_id__in=self.touched, refusal__isnull=False)
            refused.update(refusal=None)

    def _fresh(self, rows: list[LeadImportRow]) -> list[Lead]:
        clients, leads = [], []
        if rows and self.batch.is_routed:
            self.router.hold()
        for row in rows:
            lead = self._lead(row, times=1)
            decision = self._decide(lead, row)
            clients.append(self._client(row, lead, decision))
            lead.routing_rule_id, lead.routing_reasons = decision.rule_id, decision.reasons
            if decision.agent_id:
                lead.assigned_to_id, lead.assigned_at = decision.agent_id, self.now
                lead.tried_agents = [decision.agent_id]
                self.per_agent[decision.agent_id] += 1
            leads.append(lead)
        if self.router.counters is not None:
            self.router.save()
        copy_models(clients)
        copy_first_versions(clients, at=self.now, by_id=self.batch.owner_id)
        learn_many(seen for client in clients for seen in now_of(client))
        for lead, client in zip(leads, clients, strict=True):
            lead.client_id = client.pk
        return leads

    def _decide(self, lead: Lead, row: LeadImportRow) -> routing.Decision:
        if not self.batch.is_routed:
            pool = self.router.in_pool(self._candidate(lead, row))
            return routing.Decision(pool.book_id, reasons=[{"code": "pool"}])
        return self.router.decide(self._candidate(lead, row))

    def _candidate(self, lead: Lead, row: LeadImportRow) -> routing.Candidate:
        return routing.Candidate(
            language=lead.language,
            country=row.country,
            source=lead.source,
            campaign=row.campaign_code,
            score=lead.score,
            learned=lead.learned_score,
            custom={f"{ADDED}{pk}": self.values[row.pk, int(pk)] for pk in row.custom},
            referral_code=lead.referral_code,
            experience=lead.experience,
            intended_deposit=lead.intended_in_base,
        )

    def _again(self, rows: list[LeadImportRow]) -> list[Lead]:
        """Another capture of a person the brand knows: attached, and with whoever has them."""
        ids = [row.client_id for row in rows if row.client_id is not None]
        seen: dict[int, int] = dict(
            Lead.objects.filter(client_id__in=ids).order_by().values_list("client_id").annotate(Count("pk"))
        )
        known = list(Client.objects.filter(pk__in=ids).values_list("pk", "owner_id", "stage"))
        owners = {pk: owner_id for pk, owner_id, _stage in known}
        self.registered = {pk for pk, _owner_id, stage in known if stage != Stage.LEAD}
        leads = []
        for row in rows:
            assert row.client_id is not None
            lead = self._lead(row, times=seen.get(row.client_id, 0) + 1)
            lead.client_id, lead.is_duplicate = row.client_id, True
            lead.assigned_to_id = owners.get(row.client_id)
            lead.assigned_at = self.now if lead.assigned_to_id else None
            leads.append(lead)
            self.touched.append(row.client_id)
        return leads

    def _seen(self, row: LeadImportRow, *, times: int) -> scoring.Signals:
        """Return what scoring looks at."""
        campaign, declared = self.campaigns.get(row.campaign_code), Declaration.of_json(row.declared)
        return scoring.Signals(
            country=row.country,
            language=(row.language or self.brand.default_language)[:8],
            brand_languages=tuple(self.brand.languages),
            email=row.email,
            phone=row.phone,
            phone_was_typed=bool(row.phone),
            campaign=row.campaign_code,
            campaign_quality=campaign.quality if campaign else None,
            source=row.source or (campaign.source if campaign else "") or "import",
            times_seen=times,
            has_consent=row.consent,
            at=self.now,
            now=self.now,
            has_message=bool(row.message),
            experience=declared.experience,
            intended_deposit=declared.in_base,
            custom={
                self.custom[pk].key: self.values[row.pk, pk]
                for pk in map(int, row.custom)
                if (row.pk, pk) in self.values
            },
        )

    def _lead(self, row: LeadImportRow, *, times: int) -> Lead:
        signals, campaign = self._seen(row, times=times), self.campaigns.get(row.campaign_code)
        worth = scoring.score(signals, self.rules)
        lead = Lead(
            brand_id=self.brand.pk,
            channel=Channel.IMPORT,
            captured_at=self.now,
            created_by_id=self.batch.owner_id,
            campaign_id=campaign.pk if campaign else None,
            source=signals.source,
            medium=campaign.medium if campaign else "",
            country_guess=row.country,
            language=signals.language,
            message=row.message,
            score=worth.value,
            score_reasons=worth.reasons,
            idempotency_key=f"import:{self.batch.pk}:{row.line}",
            **Declaration.of_json(row.declared).columns(),
        )
        if self.learned is not None:
            self.learned.prospect(signals).write_to(lead)
        return lead

    def _client(self, row: LeadImportRow, lead: Lead, decision: routing.Decision, **more: Any) -> Client:
        return Client(
            brand_id=self.brand.pk,
            book_id=decision.book_id,
            owner_id=decision.agent_id,
            first_name=row.first_name,
            last_name=row.last_name,
            email=row.email,
            phone=row.phone,
            country=row.country,
            language=lead.language,
            time_zone=places.zone_of(row.country) if row.country else "",
            marketing_consent=row.consent,
            score=lead.score,
            source=lead.source,
            campaign=row.campaign_code if lead.campaign_id else "",
            created_at=self.now,
            **more,
        )

    def _tell(self, leads: list[Lead]) -> None:
        file_name = self.batch.file_name
        copy_rows(
            "clients_timelineentry",
            TIMELINE,
            (
                (
                    lead.client_id,
                    self.now,
                    TimelineKind.LEAD.value,
                    f"Imported: {file_name}"[:200],
                    lead.message,
                    self.batch.owner_id,
                    "",
                    Jsonb({"lead_id": lead.pk, "score": lead.score}),
                    f"lead:{lead.pk}",
                    False,
                )
                for lead in leads
            ),
        )
