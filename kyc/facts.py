"""Facts of a client that verification writes."""

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from clients import proofs
from clients.choices import Category
from clients.facts import fact
from clients.identifiers import Seen, source
from crm.conditions import FieldType
from kyc.choices import COMPANY_KINDS, MEANS_KINDS, DocumentKind
from kyc.corporate import identity_source  # noqa: F401  registers itself
from kyc.corporate.proof_sql import COMPANY_PEOPLE
from kyc.fingerprints import sightings_of
from kyc.levels.sql import FACT_SQL
from kyc.models import Document, KycFacts
from kyc.questionnaires import proofs as answers

OF_BOTH = (DocumentKind.PROOF_OF_ADDRESS, *MEANS_KINDS)

# A card or licence is one proof once both its sides are approved. Only decisions that took effect count, and only while valid.
proofs.register(
    {
        kind.value: proofs.Proof(
            kind.label, "portal_documents", for_companies=None if kind in OF_BOTH else kind in COMPANY_KINDS
        )
        for kind in DocumentKind
        if kind != DocumentKind.OTHER
    },
    sql="SELECT client_id, kind FROM kyc_document WHERE state = 'approved' AND settled_at IS NOT NULL GROUP BY client_id, kind "
    "HAVING kind NOT IN ('id_card', 'residence_permit', 'driving_licence') OR count(DISTINCT side) = 2",
)
proofs.register(
    {
        "company_people": proofs.Proof(
            _("Directors, signatories and beneficial owners verified"), "portal_company", for_companies=True
        )
    },
    sql=COMPANY_PEOPLE,
)
proofs.register(answers.PROOFS, sql=answers.SQL)
fact("kyc_level", _("KYC level"), FieldType.NUMBER, owner="kyc", sql=FACT_SQL, default="0")
CATEGORIES = "SELECT DISTINCT ON (client_id) client_id, category FROM kyc_categorydecision ORDER BY client_id, id DESC"
fact(
    "category",
    _("Category"),
    FieldType.CHOICE,
    owner="kyc",
    sql=CATEGORIES,
    default="'retail'",
    choices=lambda: Category.choices,
)
fact(
    "last_document_at",
    _("Last document"),
    FieldType.MOMENT,
    owner="kyc",
    side=KycFacts,
    sql="SELECT client_id, max(uploaded_at) FROM kyc_document GROUP BY client_id",
)


def documents() -> Iterator[Seen]:
    """Yield the numbers and pictures of the documents that were checked."""
    checked = Document.objects.exclude(number_fingerprint="", phash=None).order_by("pk")
    rows = checked.only("client_id", "uploaded_at", "number_fingerprint", "issuing_country", "phash")
    for document in rows.iterator(chunk_size=5_000):
        yield from sightings_of(document)


source("kyc.documents", documents)
