"""Facts of a client that verification writes."""

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from clients.facts import fact
from clients.identifiers import Seen, source
from crm.conditions import FieldType
from kyc.fingerprints import sightings_of
from kyc.models import Document, KycFacts

# Level 1: who they are. Level 2: and where they live. Only decisions that took effect count, and only while valid.
LEVELS = """
SELECT client_id, CASE WHEN has_address THEN 2 ELSE 1 END
FROM (
  SELECT client_id,
    bool_or(kind = 'passport')
      OR (bool_or(kind = 'id_card' AND side = 'front') AND bool_or(kind = 'id_card' AND side = 'back'))
      OR (bool_or(kind = 'driving_licence' AND side = 'front') AND bool_or(kind = 'driving_licence' AND side = 'back'))
      AS has_identity,
    bool_or(kind = 'proof_of_address') AS has_address
  FROM kyc_document WHERE state = 'approved' AND settled_at IS NOT NULL GROUP BY client_id
) s WHERE has_identity
"""
fact("kyc_level", _("KYC level"), FieldType.NUMBER, owner="kyc", sql=LEVELS, default="0")
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
