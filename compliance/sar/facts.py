"""What a report says about a client, read from the records: who they are, and the transactions that were chosen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from clients.canonical import parse_phone
from clients.choices import ClientKind
from clients.models import Client
from clients.proofs import identity_records
from compliance.aml.choices import MovementKind
from compliance.aml.models import AmlMovement
from compliance.sar.models import ReportingEntity, SuspicionReport
from crm.rates import fx

INCOMING = (MovementKind.DEPOSIT, MovementKind.WITHDRAWAL_BACK)


def facts_of(report: SuspicionReport, entity: ReportingEntity, day: dt.date) -> dict[str, Any]:
    """Read everything that a report says beside what the officer wrote, as plain values. day: of the report."""
    client = report.client
    company = subject_company(client) if client.kind == ClientKind.COMPANY else None
    movements = AmlMovement.objects.filter(pk__in=report.chosen.values("movement_id")).order_by("at", "pk")
    return {
        "reference": str(report),
        "kind": report.kind,
        "day": day.isoformat(),
        "earlier_reference": report.amends.fiu_reference if report.amends else "",
        "entity": _entity(entity, client),
        "subject": company or subject_person(client),
        "transactions": transactions(movements, entity, client.brand.base_currency),
    }


def _entity(entity: ReportingEntity, client: Client) -> dict[str, Any]:
    names = ("rentity_id", "rentity_branch", "currency", "first_name", "last_name", "email", "phone", "occupation")
    place = ("address", "city", "postal_code", "country")
    return {name: getattr(entity, name) for name in (*names, *place)} | {"name": client.brand.legal_name}


def subject_person(client: Client) -> dict[str, Any]:
    """Describe a person: the client, or somebody behind a company."""
    source = identity_records.source()
    papers = source.documents_of(client) if source is not None else []
    return {
        "type": "person",
        "client": client.pk,
        "first_name": client.first_name,
        "last_name": client.last_name,
        "born_on": _day(client.date_of_birth),
        "nationality": client.nationality,
        **_contact(client),
        "documents": [
            {
                "kind": paper.kind,
                "number": paper.number,
                "issued_on": _day(paper.issued_on),
                "expires_on": _day(paper.expires_on),
                "country": paper.country,
            }
            for paper in papers
        ],
    }


def subject_company(client: Client) -> dict[str, Any]:
    """Describe a company with its directors and beneficial owners."""
    source = identity_records.source()
    record = source.company_of(client) if source is not None else None
    people = source.people_of(client) if source is not None else []
    contact = _contact(client)
    if record is not None:
        contact |= {"address": record.address, "country": record.country}
    return {
        "type": "company",
        "client": client.pk,
        "name": record.name if record else str(client),
        "number": record.number if record else "",
        "incorporated_in": record.country if record else client.country,
        "incorporated_on": _day(record.incorporated_on) if record else "",
        "activity": record.activity if record else "",
        **contact,
        "people": [{"role": link.role, **subject_person(link.person)} for link in people],
    }


def _contact(client: Client) -> dict[str, str]:
    number = parse_phone(client.phone) if client.phone else None
    return {
        "phone_prefix": f"+{number.country_code}" if number else "",
        "phone_number": str(number.national_number) if number else "",
        "email": client.email,
        "address": client.address_line,
        "city": client.city,
        "postal_code": client.postal_code,
        "country": client.country,
    }


def transactions(movements: Iterable[AmlMovement], entity: ReportingEntity, base: str) -> list[dict[str, Any]]:
    """Describe the chosen movements; `local` is the amount in the FIU's currency at the rate of its day, "" without one."""
    rows = list(movements)
    rates = fx.rates_of_days({base}, {entity.currency}, {row.at.date() for row in rows}) if rows else {}
    described = []
    for row in rows:
        rate = rates.get((base, entity.currency, row.at.date()))
        local = row.base_amount if base == entity.currency else rate.convert(row.base_amount) if rate else None
        described.append(
            {
                "number": row.source,
                "kind": row.kind,
                "at": row.at.replace(microsecond=0, tzinfo=None).isoformat(),
                "method": row.method,
                "instrument": row.instrument,
                "is_third_party": row.is_third_party,
                "is_incoming": row.kind in INCOMING,
                "currency": row.currency,
                "amount": f"{row.amount.normalize():f}",
                "local": "" if local is None else f"{local:.2f}",
                "country": row.country,
            }
        )
    return described


def _day(day: dt.date | None) -> str:
    return day.isoformat() if day else ""
