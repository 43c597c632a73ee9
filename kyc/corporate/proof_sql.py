"""The proof `company_people`, for all companies with one statement: the same rules as `Structure.flaws`, in SQL."""

from typing import Final

# A person is identified by a passport, or both sides of a card or licence, that was approved and is still valid.
COMPANY_PEOPLE: Final = """
WITH RECURSIVE chain AS (
  SELECT s.id, s.company_id, s.person_id, s.share::numeric AS effective FROM kyc_shareholding s WHERE s.parent_id IS NULL
  UNION ALL
  SELECT s.id, s.company_id, s.person_id, c.effective * s.share / 100 FROM kyc_shareholding s JOIN chain c ON s.parent_id = c.id
), owned AS (
  SELECT person_id, sum(effective) AS share FROM chain WHERE person_id IS NOT NULL GROUP BY person_id
), open_chain AS (
  SELECT c.company_id FROM chain c WHERE c.person_id IS NULL AND c.effective >= 25
    AND (SELECT coalesce(sum(h.share), 0) FROM kyc_shareholding h WHERE h.parent_id = c.id) < 75
), identified AS (
  SELECT client_id FROM kyc_document WHERE state = 'approved' AND settled_at IS NOT NULL
    AND client_id IN (SELECT person_id FROM kyc_companyperson WHERE left_at IS NULL)
  GROUP BY client_id, kind
  HAVING kind = 'passport' OR (kind IN ('id_card', 'residence_permit', 'driving_licence') AND count(DISTINCT side) = 2)
), people AS (
  SELECT p.company_id, p.is_director, p.is_managing_official, coalesce(o.share, 0) >= 25 AS is_owner,
    p.is_director OR p.is_signatory OR p.is_managing_official OR coalesce(o.share, 0) >= 25 AS must_be_verified,
    c.restrictions = '{}' AND c.id IN (SELECT client_id FROM identified) AS is_verified
  FROM kyc_companyperson p JOIN clients_client c ON c.id = p.person_id LEFT JOIN owned o ON o.person_id = p.id
  WHERE p.left_at IS NULL
), declared AS (
  SELECT company_id, sum(share) AS total FROM kyc_shareholding WHERE parent_id IS NULL GROUP BY company_id
)
SELECT p.company_id, 'company_people' FROM people p LEFT JOIN declared d ON d.company_id = p.company_id
WHERE p.company_id NOT IN (SELECT company_id FROM open_chain)
GROUP BY p.company_id, d.total
HAVING bool_or(p.is_director) AND bool_and(p.is_verified OR NOT p.must_be_verified)
  AND coalesce(d.total, 0) <= 100
  AND (bool_or(p.is_managing_official) OR (bool_or(p.is_owner) AND coalesce(d.total, 0) > 75))
"""
