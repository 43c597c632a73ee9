"""How a legal entity reports to its FIU: proposed and approved within the circle, with the FIU's codes and perhaps its schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from compliance.aml.queries import SEES_REPORTS
from compliance.audit_codes import ComplianceAction
from compliance.choices import ComplianceNotice
from compliance.sar import circle, goaml, policies
from compliance.sar.choices import CODES
from compliance.sar.models import ReportingEntity, ReportingEntityProposal
from crm import approvals
from crm.approvals import Change
from crm.choices import ApprovalState
from crm.db.locking import lock
from crm.errors import DomainError
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Brand, LegalEntity, User
from crm.security.policies import Decision, require
from crm.security.scope import reach_of


def entities_for(user: User) -> list[LegalEntity]:
    """List the legal entities of brands that the person reaches as a whole."""
    brands = Brand.objects.filter(pk__in=reach_of(user).whole_brands)
    return list(LegalEntity.objects.filter(pk__in=brands.values("legal_entity_id"), archived_at=None).order_by("name"))


def awaiting_proposals(entity_ids: Sequence[int]) -> dict[int, ReportingEntityProposal]:
    """Find the proposals that wait, by their legal entity."""
    waiting = ReportingEntityProposal.objects.filter(legal_entity__in=entity_ids, state=ApprovalState.PENDING)
    return {row.legal_entity_id: row for row in waiting.select_related("requested_by", "legal_entity")}


@transaction.atomic
def propose_reporting_entity(
    *,
    legal_entity_id: int,
    actor: User,
    values: Mapping[str, Any],
    reason: str,
    schema: tuple[str, bytes] | None = None,
) -> ReportingEntityProposal:
    """Propose how a legal entity reports. schema: the FIU's XSD with its file name; None: the one in use stays.

    Who: the circle, on a whole brand of the entity; a second member approves it. Raises: NotAllowed, DomainError (nothing
    changes, a schema that can't be read, no reason), WrongState (a proposal waits).
    """
    legal_entity = lock(LegalEntity, legal_entity_id)
    require(policies.can_set_up(actor, legal_entity))
    proposal = ReportingEntityProposal(legal_entity=legal_entity, values=dict(values), reason=reason)
    if schema is not None:
        goaml.read_schema(schema[1])
        proposal.schema_name, proposal.schema = schema[0][:120], schema[1].decode()
    if not changed_fields(proposal):
        raise DomainError(_("This is how the entity reports already."))
    return approvals.propose(proposal, actor=actor)


def changed_fields(proposal: ReportingEntityProposal) -> list[str]:
    """Name the columns that the proposal changes."""
    known = ReportingEntity.objects.filter(legal_entity=proposal.legal_entity_id).first()
    changed = [name for name, value in proposal.values.items() if known is None or getattr(known, name) != value]
    return [*changed, *(["schema"] if proposal.schema else [])]


def keep_reporting_entity(proposal: ReportingEntityProposal, changed_by: User) -> ReportingEntity:
    """Keep what was proposed as how the legal entity reports."""
    known = ReportingEntity.objects.filter(legal_entity=proposal.legal_entity_id).first()
    entity = known or ReportingEntity(legal_entity_id=proposal.legal_entity_id)
    for name, value in proposal.values.items():
        setattr(entity, name, value)
    if proposal.schema:
        entity.schema_name, entity.schema = proposal.schema_name, proposal.schema
    entity.changed_by, entity.changed_at = changed_by, timezone.now()
    entity.save()
    return entity


class ReportingEntityApproval(approvals.ApprovalKind[ReportingEntityProposal]):
    """How a legal entity reports to its FIU: two members of the MLRO's circle, whom alone it is shown to."""

    model = ReportingEntityProposal
    code = "reporting-entity"
    label = gettext_lazy("How a legal entity reports to its FIU")
    asks = decides = SEES_REPORTS
    proposed, approved = ComplianceAction.SAR_ENTITY_PROPOSED, ComplianceAction.SAR_ENTITY_SET
    rejected, withdrawn = ComplianceAction.SAR_ENTITY_REJECTED, ComplianceAction.SAR_ENTITY_WITHDRAWN
    notice = ComplianceNotice.REPORT_WAITS
    related = ("legal_entity",)
    one_open = ("legal_entity",)
    done = gettext_lazy("Reporting entity saved.")

    def in_reach(self, rows: QuerySet[ReportingEntityProposal], user: User) -> QuerySet[ReportingEntityProposal]:
        brands = Brand.objects.filter(pk__in=reach_of(user).whole_brands)
        return rows.filter(legal_entity__in=brands.values("legal_entity"))

    def is_decider(self, user: User) -> bool:
        return circle.is_member(user)

    def takes_part(self, user: User) -> bool:
        return circle.is_member(user)

    def reaches(self, user: User, item: ReportingEntityProposal) -> Decision:
        return policies.can_set_up(user, item.legal_entity)

    def brand_id(self, item: ReportingEntityProposal) -> int | None:
        """Return a brand of the legal entity, whose circle is notified."""
        return (
            Brand.objects.filter(legal_entity=item.legal_entity_id).order_by("pk").values_list("pk", flat=True).first()
        )

    def lock(self, pk: int) -> ReportingEntityProposal:
        """Lock the legal entity first, as whoever proposes does."""
        lock(LegalEntity, ReportingEntityProposal.objects.values_list("legal_entity_id", flat=True).get(pk=pk))
        return super().lock(pk)

    def apply(self, item: ReportingEntityProposal, actor: User, **given: Any) -> None:
        keep_reporting_entity(item, actor)

    def title(self, item: ReportingEntityProposal) -> LocalizedText:
        return phrase("How %(entity)s reports to its FIU") % {"entity": item.legal_entity}

    def url(self, item: ReportingEntityProposal) -> str:
        return f"/aml/reports/entities/{item.legal_entity_id}/"

    def changes(self, item: ReportingEntityProposal) -> Sequence[Change]:
        from compliance.sar.forms import EntityForm  # its labels; it reads countries of its own

        known = ReportingEntity.objects.filter(legal_entity=item.legal_entity_id).first()
        lines: list[Change] = []
        for name in changed_fields(item):
            before = getattr(known, name, None) if known else None
            if name == "codes":
                old, new = before or {}, item.values["codes"]
                codes = [code for code in CODES if old.get(code) != new.get(code)]
                lines += [Change(CODES[code][0], new.get(code), old.get(code)) for code in codes]
            elif name == "indicators":
                lines.append(Change(_("Indicators"), _listed(item.values[name]), _listed(before) if before else None))
            elif name == "schema":
                lines.append(
                    Change(_("The FIU's schema (XSD)"), item.schema_name, known.schema_name if known else None)
                )
            else:
                label = EntityForm.base_fields[name].label or name
                lines.append(Change(label, item.values[name], before))
        return lines

    def after(self, item: ReportingEntityProposal) -> dict[str, Any]:
        changed = [*item.values, *(["schema"] if item.schema else [])]
        return {"legal_entity": item.legal_entity_id, "fields": sorted(changed)}


def _listed(indicators: Mapping[str, str]) -> str:
    return ", ".join(f"{code} {name}" for code, name in indicators.items())
