"""A case worth a report, the reporting entity, and a second member of the MLRO's circle."""

from __future__ import annotations

import datetime as dt
from typing import Any

import orjson

from compliance.aml.models import AmlCase
from compliance.aml.running import run_pending
from compliance.sar import entities, reports
from compliance.sar.choices import CODES
from compliance.sar.models import ReportingEntity, ReportingEntityProposal, SuspicionReport
from crm.choices import Role
from crm.models import LegalEntity, User
from crm.security import crypto
from tests.cast import make_staff
from tests.compliance.aml.factories import at, live, moved
from tests.kyc.levels.test_levels import approved

VALUES = {
    "rentity_id": 4711,
    "rentity_branch": "Head office",
    "currency": "EUR",
    "first_name": "Maria",
    "last_name": "Officer",
    "email": "mlro@meridian.example",
    "phone": "+35725123456",
    "occupation": "MLRO",
    "address": "1 Main Street",
    "city": "Limassol",
    "postal_code": "3030",
    "country": "CY",
    "indicators": {"ML01": "Structuring", "ML02": "Pass-through"},
    "codes": {name: default for name, (_label, default) in CODES.items()} | {"passport": "C"},
}


def deputy(cast: Any) -> User:
    """A second member of the circle."""
    return make_staff("deputy@meridian.example", Role.MLRO, brand=cast.brand)


def reporting(cast: Any) -> ReportingEntity:
    """The legal entity of the cast's brand, set up to report."""
    brand = cast.brand
    legal_entity = LegalEntity.objects.create(
        name=brand.legal_name, jurisdiction=brand.jurisdiction, licence_number=brand.licence_number
    )
    brand.legal_entity = legal_entity
    brand.save()
    return entities.keep_reporting_entity(ReportingEntityProposal(legal_entity=legal_entity, values=VALUES), cast.mlro)


def known(cast: Any) -> None:
    """The client's details and an accepted passport, as verification leaves them."""
    client = cast.client
    client.date_of_birth, client.nationality = dt.date(1980, 5, 6), "DE"
    client.address_line, client.city, client.postal_code = "Hauptstraße 1", "Berlin", "10115"
    client.save()
    passport = approved(client, "passport")
    passport.issuing_country, passport.issued_on, passport.expires_on = "D", dt.date(2020, 1, 2), dt.date(2030, 1, 1)
    passport.extracted_sealed = crypto.encrypt_for_client(client.pk, orjson.dumps({"number": "C01X00T47"}))
    passport.save()


def case_of(cast: Any) -> AmlCase:
    live(cast, "velocity_count", 2, repeat=1, severity="high")
    moved(cast.client, "deposit", 9500, at(days=0), instrument="•••• 4242")
    moved(cast.client, "deposit", 9400, at(days=1), instrument="•••• 4242")
    moved(cast.client, "withdrawal", 18000, at(days=2), method="bank")
    run_pending()
    return AmlCase.objects.get(state="open")


def written(report: SuspicionReport, actor: User, **changes: Any) -> SuspicionReport:
    values = {
        "kind": report.kind,
        "narrative": report.content["narrative"]
        + "\nThe salary on record doesn't explain these deposits. \x02\uffff<&>",
        "action": "Withdrawals held",
        "indicators": ["ML01"],
        "occupation": "Baker",
        "movements": list(report.chosen.values_list("movement_id", flat=True)),
    }
    return reports.write_report(report_id=report.pk, actor=actor, **values | changes)


def submitted(cast: Any, case: AmlCase, kind: str = "STR") -> SuspicionReport:
    report = reports.draft_report(case_id=case.pk, kind=kind, actor=cast.mlro)
    written(report, cast.mlro)
    return reports.submit_report(report_id=report.pk, actor=cast.mlro)
