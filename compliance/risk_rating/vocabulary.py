"""What a factor may look at: every fact of a client, and what only a rating needs, such as the lists that a country is on.

The second kind is no column: `risk_subjects` computes it in the statement that rates, from the lists and rules of that day.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from django.db.models import BooleanField, Case, CharField, Exists, F, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable, ExpressionWrapper, Func
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from clients.choices import ClientKind, CountryBand
from clients.countries import country_choices
from clients.country_rules.rules import rule_of, rules_of
from clients.custom_fields.registry import AddedVocabulary
from clients.declared.vocabulary import DECLARED
from clients.models import Client, CustomField
from clients.vocabulary import CLIENT
from compliance.choices import CountryRiskLevel, HitState
from compliance.models import CountryRisk, Delisting, DelistingState, Hit
from crm.conditions import Field, FieldType, Vocabulary, WiderVocabulary
from crm.models import Brand

WATCHLIST = [(HitState.OPEN.value, HitState.OPEN.label), (HitState.CONFIRMED.value, HitState.CONFIRMED.label)]
RATING: Final = "risk_rating"  # a rating that depended on itself would never settle
GROUP: Final = _("Risk")


def _field(name: str, label: Any, type: FieldType, choices: Any = None) -> Field:
    """Describe a value that `risk_subjects` annotates under the same name."""
    return Field(f"risk.{name}", label, type, f"risk_{name}", choices, group=GROUP)


OWN: Final = (
    _field("watchlist", _("Watchlist match"), FieldType.CHOICE, lambda: WATCHLIST),
    _field("residence_list", _("FATF list of the residence"), FieldType.CHOICE, lambda: CountryRiskLevel.choices),
    _field("nationality_list", _("FATF list of the nationality"), FieldType.CHOICE, lambda: CountryRiskLevel.choices),
    _field("residence_band", _("Risk band of the residence"), FieldType.CHOICE, lambda: CountryBand.choices),
    _field("country_differs", _("Nationality and residence differ"), FieldType.YES_NO),
    _field("age", _("Age"), FieldType.NUMBER),
    _field("client_type", _("Client type"), FieldType.CHOICE, lambda: ClientKind.choices),
)


PREVIEW: Final = "compliance:risk_condition"


def _over(base: Vocabulary) -> Vocabulary:
    return WiderVocabulary("risk", (*OWN, *DECLARED), base=base, preview=PREVIEW, without=[RATING])


RISK: Final = _over(CLIENT)


def risk_fields_for(brand_id: int) -> Vocabulary:
    """Return the vocabulary with one brand's custom fields."""
    rows = CustomField.objects.filter(brand=brand_id, archived_at=None).select_related("brand")
    return _over(AddedVocabulary(CLIENT, rows.prefetch_related("choices"), [brand_id]))


def risk_subjects(brand: Brand, day: dt.date) -> QuerySet[Any]:
    """Select a brand's clients with everything that a factor may look at, by the lists and rules of a day."""
    listed = dict(CountryRisk.objects.filter(valid__contains=day).values_list("country", "level"))
    default = rule_of(brand, "", day).band
    rules = rules_of(brand, [code for code, _name in country_choices()], day)
    bands = {code: rule.band for code, rule in rules.items() if rule.band != default}
    hits = Hit.objects.filter(client=OuterRef("pk"))
    lifted = Delisting.objects.filter(state=DelistingState.LIFTED).values("hit")
    confirmed = (
        hits.filter(state=HitState.CONFIRMED).annotate(led_by=Coalesce("part_of", "pk")).exclude(led_by__in=lifted)
    )
    born = Func(
        Value(day.isoformat()),
        F("date_of_birth"),
        template="extract(year FROM age((%(expressions)s))::int",
        arg_joiner=")::date, ",
        output_field=IntegerField(),
    )
    return Client.objects.filter(brand=brand).annotate(
        risk_watchlist=Case(
            When(Exists(confirmed), then=Value(HitState.CONFIRMED.value)),
            When(Exists(hits.filter(state=HitState.OPEN)), then=Value(HitState.OPEN.value)),
            default=Value(""),
            output_field=CharField(),
        ),
        risk_residence_list=_by_country("country", listed, ""),
        risk_nationality_list=_by_country("nationality", listed, ""),
        risk_residence_band=_by_country("country", {"": "", **bands}, default.value),
        risk_country_differs=ExpressionWrapper(
            ~Q(country="") & ~Q(nationality="") & ~Q(country=F("nationality")), output_field=BooleanField()
        ),
        risk_age=born,
        risk_client_type=F("kind"),
    )


def _by_country(field: str, values: Mapping[str, str], default: str) -> Combinable:
    """Write what a country stands for as one CASE with a few branches."""
    codes: dict[str, list[str]] = defaultdict(list)
    for code, value in values.items():
        codes[value].append(code)
    return Case(
        *(When(**{f"{field}__in": sorted(codes[value])}, then=Value(str(value))) for value in sorted(codes)),
        default=Value(default),
        output_field=CharField(),
    )
