"""Facts of a client that verification writes."""

from collections.abc import Iterator
from itertools import islice
from typing import Final

import orjson
from django.utils.translation import gettext_lazy as _

from clients import proofs
from clients.choices import Category
from clients.facts import fact
from clients.identifiers import Seen, source
from crm.conditions import FieldType
from crm.security import crypto
from kyc.choices import COMPANY_KINDS, MEANS_KINDS, DocumentKind
from kyc.corporate import identity_source  # noqa: F401  registers itself
from kyc.corporate.proof_sql import COMPANY_PEOPLE
from kyc.fingerprints import sightings_of, sightings_of_answers, sightings_of_company
from kyc.levels.sql import FACT_SQL
from kyc.models import Document, KycFacts
from kyc.models.corporate import Company
from kyc.questionnaires import proofs as answers
from kyc.questionnaires.choices import QuestionnaireKind
from kyc.questionnaires.models import Submission

DECRYPTED_AT_ONCE: Final = 500

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


def companies() -> Iterator[Seen]:
    """Yield the register's numbers and LEIs of companies."""
    for company in Company.objects.order_by("pk").iterator(chunk_size=5_000):
        yield from sightings_of_company(company)


def tax_numbers() -> Iterator[Seen]:
    """Yield the tax numbers of self-certifications; those of an erased client can't be read."""
    given = Submission.objects.filter(questionnaire__kind=QuestionnaireKind.TAX).order_by("pk")
    rows = given.values_list("client_id", "answers_sealed", "given_at").iterator(chunk_size=DECRYPTED_AT_ONCE)
    while batch := list(islice(rows, DECRYPTED_AT_ONCE)):
        read = crypto.decrypt_many_for_clients([(client_id, sealed) for client_id, sealed, _at in batch])
        for (client_id, _sealed, at), plain in zip(batch, read, strict=True):
            if isinstance(plain, bytes):
                yield from sightings_of_answers(client_id, orjson.loads(plain), at)


source("kyc.documents", documents)
source("kyc.companies", companies)
source("kyc.tax_numbers", tax_numbers)
