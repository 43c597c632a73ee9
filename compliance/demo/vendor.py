"""The demo's screening vendor: one brand is screened by the imported lists and by the sandbox vendor, who found two."""

from __future__ import annotations

import base64

from clients.choices import Stage
from clients.models import Client
from compliance import hits, screening
from compliance.choices import ScreeningTrigger
from compliance.matches.cases import separate
from compliance.models import Hit, ScreeningVendor, VendorCheck, WatchlistSource
from compliance.vendors.answers import follow, keep_answer
from compliance.vendors.choices import CheckState, ScreenedBy
from compliance.vendors.entries import take_entries
from compliance.vendors.protocol import Answer, Entity, Feature, Result
from crm import approvals
from crm.choices import ApprovalState
from crm.demo import Demo
from crm.models import Brand, WorkProposal
from crm.staff.policy_changes import known, write_value

BRAND = "southern"
# As the sandbox has them (`python -m sandbox.screening`).
KEYS = {
    "api_key": "keelson-sandbox-screening",
    "webhook_secret": "whsec_" + base64.b64encode(b"keelson-sandbox-screening-webhook").decode(),
}


def load(demo: Demo) -> None:
    """Set the vendor up as if two people had, with an answer about every client: a possible match, and one that was delisted."""
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


BEFORE_MONEY = (Stage.VERIFIED, Stage.REGISTERED)


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
    # Nobody who has money here: a hold would contradict what the other parts tell of them. Those without a case to join come first.
    matched = set(Hit.objects.filter(client__brand=brand).values_list("client_id", flat=True))
    known = [client for client in clients if client.date_of_birth and client.stage in BEFORE_MONEY]
    people = sorted(known, key=lambda client: (client.pk in matched, client.stage != Stage.VERIFIED))[:2]
    for number, client in enumerate(people, start=1):
        check = VendorCheck.objects.get(vendor=vendor, client=client)
        VendorCheck.objects.filter(pk=check.pk).update(state=CheckState.SENT, due_at=demo.now)
        keep_answer(vendor, check.pk, Answer((_match(client, f"SBX-DEMO-{number}"),)))
    if len(people) > 1:
        _delist(demo, vendor, people[1])


def _delist(demo: Demo, vendor: ScreeningVendor, client: Client) -> None:
    """A match that two people confirmed, and that the vendor lists no more: what becomes of its restriction is a task."""
    hit = Hit.objects.get(client=client, entry__source=vendor.source_id)
    if hit.part_of_id is not None:
        hit = separate(hit_id=hit.pk, actor=demo.by_role["kyc_officer"][0])
    hits.confirm_hit(hit_id=hit.pk, actor=demo.by_role["kyc_officer"][0], reason="Passport number agrees")
    proposal = WorkProposal.objects.filter(item=hit.work_id, state=ApprovalState.PENDING).first()
    if proposal is not None:
        approvals.approve(WorkProposal, proposal.pk, actor=demo.by_role["mlro"][0])
    version = take_entries(vendor, [], gone=[hit.entry.external_id])
    assert version is not None
    follow(vendor, version)


def _match(client: Client, entity_id: str) -> Result:
    """An invented politically exposed person of the same name, born in another year."""
    assert client.date_of_birth is not None
    name, born = client.full_name, str(client.date_of_birth.year - 1)
    properties = {"name": [name], "birthDate": [born], "country": [client.country.lower()], "topics": ["role.pep"]}
    features = (
        Feature("name_match", 1.0, "Names compared word by word", name, name),
        Feature("dob_day_disjoint", -0.25, "Dates of birth compared", client.date_of_birth.isoformat(), born),
    )
    return Result(Entity(entity_id, "Person", name, properties, ("sbx_peps",)), 0.75, features)
