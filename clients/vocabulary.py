"""What conditions on clients may speak of. Each app adds what it knows: `CLIENT.add(...)` in its `facts.py`."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from clients.choices import Category, RiskRating, SalesStatus, Stage
from clients.countries import country_choices
from clients.models import Call
from crm.conditions import Field, FieldType, Happening, Vocabulary

CLIENT = Vocabulary(
    "client",
    [
        Field("stage", _("Stage"), FieldType.CHOICE, "stage", lambda: Stage.choices),
        Field("sales_status", _("Sales status"), FieldType.CHOICE, "sales_status", lambda: SalesStatus.choices),
        Field("country", _("Country"), FieldType.CHOICE, "country", country_choices),
        Field("language", _("Language"), FieldType.TEXT, "language"),
        Field("nationality", _("Nationality"), FieldType.CHOICE, "nationality", country_choices),
        Field("city", _("City"), FieldType.TEXT, "city"),
        Field("source", _("Source"), FieldType.TEXT, "source"),
        Field("campaign", _("Campaign"), FieldType.TEXT, "campaign"),
        Field("score", _("Score"), FieldType.NUMBER, "score"),
        Field("kyc_level", _("KYC level"), FieldType.NUMBER, "kyc_level"),
        Field("risk_rating", _("Risk rating"), FieldType.CHOICE, "risk_rating", lambda: RiskRating.choices),
        Field("category", _("Category"), FieldType.CHOICE, "category", lambda: Category.choices),
        Field("marketing_consent", _("Marketing consent"), FieldType.YES_NO, "marketing_consent"),
        Field("net_deposits", _("Net deposits"), FieldType.MONEY, "net_deposits"),
        Field("equity", _("Equity"), FieldType.MONEY, "equity"),
        Field("created_at", _("Created"), FieldType.MOMENT, "created_at"),
        Field("registered_at", _("Registered"), FieldType.MOMENT, "registered_at"),
        Field("first_deposit_at", _("First deposit"), FieldType.MOMENT, "first_deposit_at"),
        Field("last_trade_at", _("Last trade"), FieldType.MOMENT, "last_trade_at"),
        Field("last_contact_at", _("Last contact"), FieldType.MOMENT, "last_contact_at"),
    ],
    preview="client_condition",
)
CLIENT.add(Happening("call", _("call"), Call.objects.all, at="started_at"))
# Parts that set-up begins with.
VERIFIED: Final = {"field": "kyc_level", "is": "ge", "value": 1}
NOT_HIGH_RISK: Final = {"not": {"field": "risk_rating", "is": "in", "value": ["high"]}}
