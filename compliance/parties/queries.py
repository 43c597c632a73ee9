"""What a possible match of a payer, payee or partner holds."""

from __future__ import annotations

from compliance.choices import RestrictionCause
from compliance.models import Restriction
from compliance.parties.choices import PartyRole
from compliance.vendors import checks


def is_held(*, client_id: int, role: PartyRole, name: str) -> bool:
    """Tell whether a match of this name is under review, or was confirmed and its restriction not lifted since.

    So is a name that a screening vendor hasn't answered about.
    """
    return (
        checks.is_pending(client_id=client_id, role=role, name=name)
        or Restriction.objects.filter(
            client=client_id,
            lifted_at__isnull=True,
            cause__in=[RestrictionCause.SCREENING_HOLD, RestrictionCause.CONFIRMED_MATCH],
            hit__party__role=role,
            hit__party__name=" ".join(name.split()),
        ).exists()
    )
