"""The demo's screening vendor: one brand is screened by the imported lists and by the sandbox vendor, who found somebody."""

from __future__ import annotations

import base64

from clients.choices import Stage
from clients.models import Client
from compliance import screening
from compliance.choices import ScreeningTrigger
from compliance.models import ScreeningVendor, VendorCheck, WatchlistSource
from compliance.vendors.answers import keep_answer
from compliance.vendors.choices import CheckState, ScreenedBy
from compliance.vendors.protocol import Answer, Entity, Feature, Result
from crm.demo import Demo
from crm.models import Brand
from crm.staff.policy_changes import known, write_value

BRAND = "southern"
# As the sandbox has them (`python -m sandbox.screening`).
KEYS = {
    "api_key": "keelson-sandbox-screening",
    "webhook_secret": "whsec_" + base64.b64encode(b"keelson-sandbox-screening-webhook").decode(),
}


def load(demo: Demo) -> None:
    """Set the vendor up as if two people had, with an answer about every client; one is a possible match."""
    brand = next((brand for brand in demo.brands if brand.code == BRAND), None)
    if brand is None:
        return
    mlro = demo.by_role["mlro"][0]
    write_value(
        brand,
        known("screened_by"),
        ScreenedBy.BOTH.value,
        demo.now.date(),
        actor=mlro,
        reason="A second source beside the imported lists",
    )
    source = WatchlistSource.objects.create(
        code="vendor-sandbox", name="Sandbox", publisher="Sandbox", licence="Invented data", is_active=False
    )
    vendor = ScreeningVendor.objects.create(
        brand=brand,
        source=source,
        code="sandbox",
        name="Sandbox screening",
        adapter="yente",
        base_url="sandbox:",
        dataset="default",
        mode_followed=ScreenedBy.BOTH,
        last_answer_at=demo.now,
        sealed_credentials=ScreeningVendor.sealed(KEYS),
    )
    _answer(demo, brand, vendor)


def _answer(demo: Demo, brand: Brand, vendor: ScreeningVendor) -> None:
    clients = list(
        Client.objects.filter(brand=brand)
        .exclude(stage__in=[Stage.LEAD, Stage.CLOSED])
        .exclude(first_name="", last_name="")
        .order_by("pk")
    )
    hashes = {client.pk: screening.hash_of(screening.person_of(client)) for client in clients}
    VendorCheck.objects.bulk_create(
        [
            VendorCheck(
                vendor=vendor,
                client=client,
                state=CheckState.ANSWERED,
                trigger=ScreeningTrigger.LIST,
                wanted_at=demo.now,
                sent_at=demo.now,
                sent_hash=hashes[client.pk],
                answered_at=demo.now,
                answered_hash=hashes[client.pk],
            )
            for client in clients
        ]
    )
    found = next((client for client in reversed(clients) if client.date_of_birth), None)
    if found is None:
        return
    check = VendorCheck.objects.get(vendor=vendor, client=found)
    VendorCheck.objects.filter(pk=check.pk).update(state=CheckState.SENT, due_at=demo.now)
    keep_answer(vendor, check.pk, Answer((_match(found),)))


def _match(client: Client) -> Result:
    """An invented politically exposed person of the same name, born in another year."""
    assert client.date_of_birth is not None
    name, born = client.full_name, str(client.date_of_birth.year - 1)
    properties = {"name": [name], "birthDate": [born], "country": [client.country.lower()], "topics": ["role.pep"]}
    features = (
        Feature("name_match", 1.0, "Names compared word by word", name, name),
        Feature("dob_day_disjoint", -0.25, "Dates of birth compared", client.date_of_birth.isoformat(), born),
    )
    return Result(Entity("SBX-DEMO-1", "Person", name, properties, ("sbx_peps",)), 0.75, features)
