"""The demo's screened payers, and a suspicion report that only the MLRO's circle sees."""

from __future__ import annotations

from typing import Final

from django.db.models import Exists, OuterRef

from clients.models import Client
from compliance.aml.choices import CaseState, MovementKind
from compliance.aml.models import AmlCase, AmlMovement
from compliance.models import ListEntry
from compliance.parties.choices import PartyRole
from compliance.parties.noting import Named, note
from compliance.sar import entities, reports
from compliance.sar.choices import CODES, ReportKind
from compliance.sar.models import ReportingEntityProposal
from crm.demo import Demo

PAYERS: Final = 12
GIVEN: Final = ("Maria", "Peter", "Elena", "Tomás", "Ingrid", "Luca")
ENTITY: Final = {
    "rentity_id": 4711,
    "rentity_branch": "Head office",
    "currency": "EUR",
    "first_name": "Martin",
    "last_name": "Lindqvist",
    "email": "mlro@meridian.example",
    "phone": "+35725123456",
    "occupation": "MLRO",
    "address": "1 Main Street",
    "city": "Limassol",
    "postal_code": "3030",
    "country": "CY",
    "indicators": {"ML01": "Structuring", "ML02": "Pass-through", "ML07": "Third-party payer"},
    "codes": {name: default for name, (_label, default) in CODES.items()},
}


def load(demo: Demo) -> None:
    """Note payers, and draft a report from the case with the highest score. Money has moved by now."""
    _payers(demo)
    case = AmlCase.objects.filter(state=CaseState.OPEN, client__brand=demo.brands[0]).order_by("-score", "pk").first()
    legal_entity = demo.brands[0].legal_entity
    if case is None or legal_entity is None:
        return
    mlro = demo.by_role["mlro"][0]
    entities.keep_reporting_entity(ReportingEntityProposal(legal_entity=legal_entity, values=ENTITY), mlro)
    reports.draft_report(case_id=case.pk, kind=ReportKind.STR, actor=mlro)


def _payers(demo: Demo) -> None:
    """Relatives who paid for clients, and one of them with the name of somebody on a list."""
    deposits = AmlMovement.objects.filter(client=OuterRef("pk"), kind=MovementKind.DEPOSIT)
    clients = list(
        Client.objects.filter(Exists(deposits), brand=demo.brands[0], restrictions=[]).order_by("-pk")[
            : demo.count(PAYERS)
        ]
    )
    listed = ListEntry.objects.filter(source__code="un", is_listed=True, kind="person").order_by("pk").first()
    for number, client in enumerate(clients):
        name = f"{GIVEN[number % len(GIVEN)]} {client.last_name}"
        if number == 0 and listed is not None:
            name = listed.primary_name
        payer = Named(name=name, subject=f"Card •••• {4200 + number}", is_company=False)
        note(client_id=client.pk, role=PartyRole.PAYER, named=payer)
