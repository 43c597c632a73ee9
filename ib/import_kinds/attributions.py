"""The partner of an imported client: a field of the importer's clients, which becomes an attribution from the import on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.choices import TimelineKind
from clients.models import Client, TimelineEntry
from clients.timeline import entry_texts
from crm.db.bulk import copy_models
from crm.i18n.localized_text import phrase
from crm.imports import OPEN_ROWS, Field, KindExtension, Span, extend_kind
from crm.models import DataImport, ImportRow
from crm.security import audit
from ib.audit_codes import IbAction
from ib.choices import AttributionMethod
from ib.models import Attribution, Partner

PARTNER_BY_NUMBER = f"""
UPDATE crm_importrow r SET subject_id = x.object_id FROM crm_externalreference x
WHERE {OPEN_ROWS} AND x.brand_id = %(brand)s AND x.system = %(system)s AND x.kind = 'partners'
  AND x.external_id = r.values ->> 'partner'
"""  # noqa: S608 - a constant
PARTNER_BY_CODE = f"""
UPDATE crm_importrow r SET subject_id = p.id FROM ib_partner p
WHERE {OPEN_ROWS} AND r.subject_id IS NULL AND p.brand_id = %(brand)s AND p.code = lower(r.values ->> 'partner')
"""  # noqa: S608 - a constant


@extend_kind
class PartnerOfClient(KindExtension):
    """Whose client a client is. From the import on: commissions on earlier trades were the other system's."""

    kind: ClassVar[str] = "clients"
    fields: ClassVar[Sequence[Field]] = (
        Field(
            "partner",
            gettext_lazy("Partner"),
            names="partnerid ibid ib affiliateid affiliate introducer referredby ref referral",
            longest=120,
            help=gettext_lazy("The partner's number in the other system, or code here. Import partners first"),
        ),
    )

    def judge(self, span: Span) -> None:
        span.run(PARTNER_BY_NUMBER)
        span.run(PARTNER_BY_CODE)
        span.refuse(
            "r.object_id IS NULL AND r.subject_id IS NULL AND coalesce(r.values ->> 'partner', '') <> ''",
            "partner",
            _("No partner with this number or code. Import partners first."),
        )

    def apply(self, batch: DataImport, made: Sequence[tuple[ImportRow, int]]) -> None:
        now, system = timezone.now(), _("Imported from %(system)s") % {"system": batch.system}
        referred = [(client_id, row.subject_id) for row, client_id in made if row.subject_id is not None]
        copy_models(
            [
                Attribution(
                    client_id=client_id,
                    partner_id=partner_id,
                    method=AttributionMethod.IMPORT,
                    starts_at=now,
                    made_by_id=batch.owner_id,
                    reason=system,
                )
                for client_id, partner_id in referred
            ]
        )
        names = dict(Partner.objects.filter(pk__in={pk for _client, pk in referred}).values_list("pk", "name"))
        copy_models(
            [
                TimelineEntry(
                    client_id=client_id,
                    kind=TimelineKind.PARTNER,
                    actor_id=batch.owner_id,
                    at=now,
                    dedupe_key=f"data-import-partner:{batch.pk}",
                    **entry_texts(
                        title=phrase("Referred by %(partner)s") % {"partner": names[partner_id]}, body=system
                    ),
                )
                for client_id, partner_id in referred
            ]
        )
        audit.record_many(
            {
                "actor": batch.owner,
                "action": IbAction.CLIENT_ATTRIBUTED,
                "target": Client(pk=client_id),
                "client_id": client_id,
                "brand_id": batch.brand_id,
                "before": {"partner": None},
                "after": {"partner": partner_id},
                "reason": system,
            }
            for client_id, partner_id in referred
        )
