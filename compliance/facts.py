"""Facts of a client that compliance writes."""

from django.utils.translation import gettext_lazy as _

from clients.choices import RiskRating
from clients.facts import fact
from compliance.choices import RestrictionKind
from crm.conditions import FieldType

fact(
    "risk_rating",
    _("Risk rating"),
    FieldType.CHOICE,
    owner="compliance",
    choices=lambda: RiskRating.choices,
    sql="SELECT client_id, rating FROM compliance_riskassessment WHERE is_current",
    default="'unrated'",
)
fact(
    "restrictions",
    _("Restrictions"),
    FieldType.SET,
    owner="compliance",
    choices=lambda: RestrictionKind.choices,
    sql="SELECT client_id, array_agg(DISTINCT kind ORDER BY kind)::varchar(30)[] FROM compliance_restriction "
    "WHERE lifted_at IS NULL GROUP BY client_id",
    default="'{}'::varchar(30)[]",
)
