"""Rules and alerts in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from compliance.aml.measures import MEASURES, Measure, shown
from compliance.aml.models import AmlAlert, AmlRuleVersion
from compliance.aml.vocabulary import POPULATION
from crm.conditions import always
from crm.i18n import formats
from crm.ui.conditions import sentence_of


def span(hours: int) -> str:
    """Write a number of hours, in days where it is a whole number of them."""
    if hours % 24 == 0:
        days = hours // 24
        return ngettext("%(count)s day", "%(count)s days", days) % {"count": formats.number(days)}
    return ngettext("%(count)s hour", "%(count)s hours", hours) % {"count": formats.number(hours)}


def describe(
    measure: Measure, parameters: Mapping[str, Any], threshold: Decimal, window_hours: int, currency: str
) -> str:
    """Write what a measure looks for with these values."""
    values: dict[str, Any] = {
        entry.name: entry.show(parameters.get(entry.name, entry.default), currency) for entry in measure.parameters
    }
    values |= {"threshold": shown(measure.unit, threshold, currency), "window": span(window_hours)}
    return str(measure.sentence) % values


def sentence(version: AmlRuleVersion) -> str:
    """Write what a version looks for."""
    currency = version.rule.brand.base_currency
    return describe(MEASURES[version.measure], version.parameters, version.threshold, version.window_hours, currency)


def audience(version: AmlRuleVersion) -> str:
    """Write whom a version is for."""
    if version.population == always():
        return _("All clients of %(brand)s") % {"brand": version.rule.brand.name}
    return sentence_of(version.population, POPULATION)


def measured(version: AmlRuleVersion, value: Decimal) -> str:
    """Write what was measured."""
    return shown(MEASURES[version.measure].unit, value, version.rule.brand.base_currency)


def alert_text(alert: AmlAlert) -> str:
    """Write what an alert found, beside what its rule looks for."""
    version = alert.version
    return _("Measured: %(value)s. Rule: %(rule)s.") % {
        "value": measured(version, alert.value),
        "rule": sentence(version),
    }
