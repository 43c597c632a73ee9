"""Rules and alerts in the reader's language."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.vocabulary import CLIENT
from compliance.aml.measures import MEASURES, Unit, shown
from compliance.aml.models import AmlAlert, AmlRuleVersion
from crm.conditions import always
from crm.i18n import formats
from crm.ui.conditions import sentence_of


def span(hours: int) -> str:
    """Write a number of hours, in days where it is a whole number of them."""
    if hours % 24 == 0:
        days = hours // 24
        return ngettext("%(count)s day", "%(count)s days", days) % {"count": formats.number(days)}
    return ngettext("%(count)s hour", "%(count)s hours", hours) % {"count": formats.number(hours)}


def sentence(version: AmlRuleVersion) -> str:
    """Write what a version looks for."""
    measure, currency = MEASURES[version.measure], version.rule.brand.base_currency
    values: dict[str, Any] = {
        entry.name: entry.show(version.parameters.get(entry.name, entry.default), currency)
        for entry in measure.parameters
    }
    values |= {"threshold": shown(measure.unit, version.threshold, currency), "window": span(version.window_hours)}
    return str(measure.sentence) % values


def audience(version: AmlRuleVersion) -> str:
    """Write whom a version is for."""
    if version.population == always():
        return _("All clients of %(brand)s") % {"brand": version.rule.brand.name}
    return sentence_of(version.population, CLIENT)


def measured(version: AmlRuleVersion, value: Decimal) -> str:
    """Write what was measured."""
    return shown(MEASURES[version.measure].unit, value, version.rule.brand.base_currency)


def alert_text(alert: AmlAlert) -> str:
    """Write what an alert found, beside what its rule looks for."""
    version = alert.version
    return _("%(value)s. Rule: %(rule)s.") % {"value": measured(version, alert.value), "rule": sentence(version)}


def unit_of(measure: str) -> Unit:
    """Return what a measure's threshold counts in."""
    return MEASURES[measure].unit
