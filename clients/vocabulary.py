"""What conditions on clients may speak of: the facts that apps register (`clients.facts`), and what happened to a client."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from clients.models import Call
from crm.conditions import Happening, Vocabulary

CLIENT = Vocabulary("client", preview="client_condition")
CLIENT.add(Happening("call", _("call"), Call.objects.all, at="started_at"))
# Parts that set-up begins with.
VERIFIED: Final = {"field": "kyc_level", "is": "ge", "value": 1}
NOT_HIGH_RISK: Final = {"not": {"field": "risk_rating", "is": "in", "value": ["high"]}}
