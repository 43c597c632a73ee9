"""What the learned score looks at: the same signals as the points, as numbers. Pure, so that training and capture can't differ.

Left out is what is only known later of those who go on, such as a phone number added at the registration.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping
from typing import Final

from django.utils.translation import gettext_lazy as _

from crm.brand_policies.kinds import Label
from leads.places import zone_info
from leads.scores.engagement import EngagementKind
from leads.scoring import Signals, kind_of_email

DAYS: Final = 30
BY_DAY: Final = range(8, 20)

# By code, in the order of the values.
FEATURES: Final[dict[str, Label]] = {
    "country": _("Deposits from this country"),
    "source": _("Deposits from this source"),
    "campaign": _("Deposits from this campaign"),
    "own_mail": _("E-mail address of a company or an own domain"),
    "disposable": _("Disposable e-mail address"),
    "language": _("Speaks a language of the brand"),
    "referred": _("Referred by a partner"),
    "times": _("Enquired several times"),
    "message": _("Wrote a message"),
    "daytime": _("Enquired by day"),
    "age": _("Days since the enquiry"),
    "registered": _("Registered"),
    EngagementKind.OPENED.value: EngagementKind.OPENED.label,
    EngagementKind.CLICKED.value: EngagementKind.CLICKED.label,
    EngagementKind.LOGIN.value: EngagementKind.LOGIN.label,
    EngagementKind.CALL.value: EngagementKind.CALL.label,
    EngagementKind.REPLY.value: EngagementKind.REPLY.label,
}
# Those with many values: each value weighs by the log-odds of its own past, drawn to the average where it is rare.
RATED: Final[dict[str, Callable[[Signals], str]]] = {
    "country": lambda seen: seen.country,
    "source": lambda seen: seen.source,
    "campaign": lambda seen: seen.campaign,
}
Rates = Mapping[str, Mapping[str, float]]


def values_of(seen: Signals, rates: Rates) -> list[float]:
    """Return the features of a lead as of `seen.now`, in the order of `FEATURES`."""
    mail = kind_of_email(seen.email)
    hour = seen.at.astimezone(zone_info(seen.country)).hour
    age = max((seen.now - seen.at) / dt.timedelta(days=1), 0.0)
    since = seen.now - dt.timedelta(days=DAYS)
    languages = {code[:2] for code in seen.brand_languages}
    return [
        *(rates[name].get(value(seen), 0.0) for name, value in RATED.items()),
        float(mail == "own"),
        float(mail == "disposable"),
        float(seen.language[:2] in languages),
        float(seen.is_referred),
        math.log(max(seen.times_seen, 1)),
        float(seen.has_message),
        float(hour in BY_DAY),
        math.log1p(age),
        float(seen.is_registered),
        *(math.log1p(sum(at >= since for at in seen.engagement.get(kind, ()))) for kind in EngagementKind.values),
    ]
