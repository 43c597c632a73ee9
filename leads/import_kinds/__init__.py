"""Leads of another system: scored, and routed or given to the named agent, by the code that takes in a file of leads."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.canonical import canonical_email
from clients.choices import SALES_NOT_CHOSEN, Gate, SalesStatus
from clients.import_kinds.people import SAME_MAILBOX, ClientKind, publish_imported
from clients.models import Client
from crm.choices import ImportVerdict
from crm.db.bulk import copy_models
from crm.errors import outcome_of
from crm.i18n.localized_text import phrase
from crm.imports import OPEN_ROWS, Field, Span, Staged, import_kind
from crm.imports.fields import read_number
from crm.models import DataImport, ImportRow
from crm.notices.notify import notify
from leads import routing
from leads.choices import OPEN_STATUSES, Experience, LeadsNotice, RowVerdict
from leads.declared.declaration import NOTHING, Declaration, Reader
from leads.dedupe import weights_of
from leads.distribution.turns import count_given
from leads.duplicates.finding import await_comparison
from leads.import_files.writing import Writer
from leads.models import Campaign, Lead, LeadImport, LeadImportRow, SalesStatusChange

# As for a form's lead (leads.dedupe): the same phone and first name, no other last name, and the brand's points.
SAME_PHONE = f"""
UPDATE crm_importrow r SET verdict = 'known', object_id = m.client_id FROM (
  SELECT DISTINCT ON (r.id) r.id AS row_id, coalesce(clients_kept(c.merged_into_id), c.id) AS client_id FROM crm_importrow r
  JOIN clients_client c ON c.brand_id = %(brand)s AND c.phone = r.values ->> 'phone' AND c.phone <> ''
    AND lower(split_part(trim(c.first_name), ' ', 1)) = lower(split_part(trim(r.values ->> 'first_name'), ' ', 1))
    AND trim(c.first_name) <> ''
    AND lower(c.last_name) IN ('', lower(coalesce(nullif(r.values ->> 'last_name', ''), c.last_name)))
  CROSS JOIN LATERAL (SELECT %(phone)s + %(first_name)s
    + CASE WHEN c.country <> '' AND c.country = r.values ->> 'country' THEN %(country)s ELSE 0 END
    + CASE WHEN c.last_name <> '' AND lower(c.last_name) = lower(r.values ->> 'last_name') THEN %(last_name)s ELSE 0 END) w(weight)
  WHERE {OPEN_ROWS} AND r.object_id IS NULL AND w.weight >= %(threshold)s
  ORDER BY r.id, w.weight DESC, (c.stage = 'closed'), c.id
) m WHERE m.row_id = r.id
"""  # noqa: S608 - a constant
AS_CLIENTS = (
    "external_id first_name last_name full_name email phone country language marketing_consent agent registered_at"
)
CHOSEN = [status for status in SalesStatus if status not in SALES_NOT_CHOSEN]


@import_kind
class LeadKind(ClientKind):
    """People who may become clients."""

    code: ClassVar[str] = "leads"
    label = gettext_lazy("Leads")
    effect = gettext_lazy(
        "Each becomes a lead, scored, with the named agent or assigned by the routing rules. Agents are notified once."
    )
    order = 20
    is_lead: ClassVar[bool] = True
    extensions = ()
    fields = (
        *(entry for entry in ClientKind.fields if entry.name in AS_CLIENTS.split()),
        Field(
            "experience",
            gettext_lazy("Trading experience"),
            names="tradingexperience handelserfahrung",
            choices=Experience.choices,
        ),
        Field(
            "intended_deposit",
            gettext_lazy("Intended deposit"),
            read=read_number,
            names="planneddeposit geplanteeinzahlung",
            is_number=True,
        ),
        Field(
            "intended_currency",
            gettext_lazy("Currency of the intended deposit"),
            names="depositcurrency",
            longest=5,
            help=gettext_lazy("Without one the brand's base currency"),
        ),
        Field("source", gettext_lazy("Source"), names="leadsource quelle channel", longest=60),
        Field("campaign", gettext_lazy("Campaign"), names="campaigncode utmcampaign kampagne", longest=60),
        Field(
            "message",
            gettext_lazy("Message"),
            names="note notes comment comments description bemerkung notiz",
            longest=5000,
        ),
        Field(
            "status",
            gettext_lazy("Sales status"),
            names="salesstatus leadstatus stage",
            choices=[(status.value, status.label) for status in CHOSEN],
            help=gettext_lazy("Without one the lead is new"),
        ),
        Field(
            "partner",
            gettext_lazy("Partner code"),
            names="ref referral referralcode affiliate affiliateid ib ibcode",
            longest=40,
            help=gettext_lazy("The client is attributed to this partner at registration"),
        ),
    )

    def check_row(self, row: Staged) -> None:
        super().check_row(row)
        values = row.values
        declared = outcome_of(lambda: self.declared(values))
        if not declared:
            row.refuse("intended_deposit", declared.message)
        if values.get("campaign"):
            values["campaign"] = values["campaign"].lower()
            if values["campaign"] not in self.campaigns:
                row.refuse("campaign", _("Unknown campaign “%(code)s”") % {"code": values["campaign"]})

    def declared(self, values: Mapping[str, Any]) -> Declaration:
        """Read what a row declares. Raises: DomainError."""
        if not any(values.get(name) for name in ("experience", "intended_deposit")):
            return NOTHING
        if not hasattr(self, "_declarations"):
            self._declarations = Reader(self.batch.brand, loads_rates=True)
        experience, amount, currency = (
            values.get(name, "") for name in ("experience", "intended_deposit", "intended_currency")
        )
        return self._declarations.read(experience, amount, currency)

    @property
    def campaigns(self) -> set[str]:
        if not hasattr(self, "_campaigns"):
            codes = Campaign.objects.filter(brand_id=self.batch.brand_id).values_list("code", flat=True)
            self._campaigns = set(codes)
        return self._campaigns

    def match_key_of(self, values: Mapping[str, Any]) -> str:
        if values.get("email"):
            return canonical_email(values["email"])
        names = [str(values.get(name, "")).lower() for name in ("phone", "first_name", "last_name")]
        return "|".join(names) if all(names) else ""

    def judge(self, span: Span) -> None:
        span.run(SAME_MAILBOX)
        span.run(SAME_PHONE, **asdict(weights_of(self.batch.brand)))
        self.refuse_countries(span, Gate.LEAD, _("%(brand)s doesn't accept leads from %(country)s."))

    def apply(self, rows: list[ImportRow]) -> dict[int, int]:
        writer = LeadWriter(self.batch, self)
        leads = writer.write_rows(rows)
        publish_imported(self.batch, [lead.client_id for lead in leads])
        made = {row.pk: lead.client_id for row, lead in zip(rows, leads, strict=True)}
        self.custom.write_new((row, made[row.pk]) for row in rows)
        return made

    def finish(self) -> str:
        """Notify each agent once of what they got, and have the new people compared with those who are here."""
        await_comparison(self.batch.brand_id)
        made = ImportRow.objects.filter(batch=self.batch, verdict=ImportVerdict.NEW).values("object_id")
        people = Client.objects.filter(pk__in=made, owner__isnull=False).order_by()
        for agent_id, count in people.values_list("owner_id").annotate(Count("pk")):
            notify(
                [agent_id],
                kind=LeadsNotice.IMPORTED,
                title=phrase("New leads from an import: %(count)s") % {"count": count},
                body=self.batch.file_name,
                url="/leads/",
                dedupe_key=f"data-import:{self.batch.pk}",
            )
        return ""


class LeadWriter(Writer):
    """Writes leads of another system: as those of a file, with the agent, status, date and partner that they had there."""

    def __init__(self, batch: DataImport, kind: LeadKind) -> None:
        name = f"{batch.system}: {batch.file_name}"[:160]
        super().__init__(LeadImport(brand=batch.brand, owner=batch.owner, file_name=name, is_routed=True))
        self.data_import, self.kind = batch, kind
        self.given: dict[int, dict[str, Any]] = {}
        self.leads: list[Lead] = []
        self.by_name: Counter[int] = Counter()

    def write_rows(self, rows: list[ImportRow]) -> list[Lead]:
        """Write rows of the importer; return their leads in the same order."""
        self.given = {row.line: row.values for row in rows}
        self.router.read_referrers(row.values.get("partner", "") for row in rows)
        self.write([self._row(row) for row in rows])
        count_given(self.by_name, self.now)
        self.finish()
        copy_models([change for lead, row in zip(self.leads, rows, strict=True) for change in self._step(lead, row)])
        return self.leads

    def _row(self, row: ImportRow) -> LeadImportRow:
        values = row.values
        plain = ("first_name", "last_name", "email", "phone", "country", "language", "message")
        return LeadImportRow(
            line=row.line,
            verdict=RowVerdict.NEW,
            source=values.get("source", "").lower(),
            campaign_code=values.get("campaign", ""),
            consent=values.get("marketing_consent", False),
            declared=self.kind.declared(values).as_json(),
            **{name: values.get(name, "") for name in plain},
        )

    def _fresh(self, rows: list[LeadImportRow]) -> list[Lead]:
        self.leads = super()._fresh(rows)
        return self.leads

    def _lead(self, row: LeadImportRow, *, times: int) -> Lead:
        lead, values = super()._lead(row, times=times), self.given[row.line]
        lead.idempotency_key = f"data-import:{self.data_import.pk}:{row.line}"
        lead.captured_at = self._captured_at(values)
        lead.referral_code = values.get("partner", "")
        if values.get("status", SalesStatus.NEW) != SalesStatus.NEW:
            lead.touched_at = lead.captured_at
        return lead

    def _captured_at(self, values: Mapping[str, Any]) -> dt.datetime:
        given = values.get("registered_at")
        return min(dt.datetime.fromisoformat(given), self.now) if given else self.now

    def _decide(self, lead: Lead, row: LeadImportRow) -> routing.Decision:
        """Choose the named agent's book, else route; who isn't to be called any more goes into the pool."""
        values = self.given[row.line]
        book = self.kind.books_of_agents.get(values.get("agent", ""))
        if book is not None:
            assert book.owner_id is not None
            self.by_name[book.owner_id] += 1
            return routing.Decision(book.pk, book.owner_id, reasons=[{"code": "own_book", "agent": str(book.owner)}])
        self.batch.is_routed = values.get("status", SalesStatus.NEW) in OPEN_STATUSES
        return super()._decide(lead, row)

    def _client(self, row: LeadImportRow, lead: Lead, decision: routing.Decision, **more: Any) -> Client:
        status = self.given[row.line].get("status", SalesStatus.NEW)
        client = super()._client(row, lead, decision, sales_status=status, **more)
        client.created_at = lead.captured_at
        return client

    def _step(self, lead: Lead, row: ImportRow) -> list[SalesStatusChange]:
        status = row.values.get("status", SalesStatus.NEW)
        if status == SalesStatus.NEW:
            return []
        return [
            SalesStatusChange(
                client_id=lead.client_id,
                before=SalesStatus.NEW,
                after=status,
                actor=self.batch.owner,
                reason=_("Imported from %(system)s") % {"system": self.data_import.system},
                at=self.now,
            )
        ]
