"""Changing what a brand accepts from countries: one person proposes for one or many, another approves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.audit_codes import ClientsAction
from clients.choices import ClientsNotice, CountryBand, Gate, Product
from clients.countries import country_name
from clients.country_rules.rules import (
    ACCEPTED,
    NO_LIMITS,
    NOT_FOR_RETAIL,
    Limits,
    Rule,
    default_of,
    proposed_rule,
    rule_of,
    sorted_gates,
)
from clients.models.country_rules import ALL_OTHERS, CountryRule, CountryRuleProposal, CountryTerms
from crm import approvals
from crm.approvals import Change
from crm.approvals.deciding import require_text
from crm.brand_policies.registry import new_version, today
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.events import CountryRulesChanged, publish
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.i18n.territories import country_names
from crm.models import Actor, Brand, User
from crm.security import audit
from crm.security.policies import Decision, on_whole_brand, require

RIGHT: Final = "crm.manage_identity_policies"
DAYS_AHEAD_MAX: Final = 366
NAMED_MAX: Final = 8  # countries that a title or a line names; the others are counted


def can_change(actor: Actor, brand_id: int) -> Decision:
    """Propose or decide: the right on identity policies, on the whole brand."""
    return on_whole_brand(actor, RIGHT, brand_id)


@transaction.atomic
def propose_country_rules(  # noqa: PLR0913  what the rule says, one argument per column
    *,
    brand_id: int,
    countries: Collection[str],
    band: str,
    accepted: Collection[str],
    effective_on: dt.date,
    actor: User,
    reason: str,
    limits: Limits = NO_LIMITS,
) -> CountryRuleProposal:
    """Propose what a brand accepts from one or many countries from a day on.

    countries: "" for all countries without a rule of their own. band: empty to go back to the default, without gates then.

    Who: `crm.manage_identity_policies` on the whole brand. Raises: NotAllowed, DomainError (unknown country, band, gate or
    product, an impossible age, a past day, no reason), WrongState (nothing would change, or one of the countries waits in another
    proposal).
    """
    require(can_change(actor, brand_id))
    brand = lock(Brand, brand_id)
    proposal = CountryRuleProposal(
        brand=brand,
        countries=_checked_countries(countries),
        band=_checked_band(band),
        accepted=_checked_gates(band, accepted),
        effective_on=_checked_day(brand, effective_on),
        reason=reason,
        **_checked_limits(band, limits).body(),
    )
    waiting = approvals.kind_of(CountryRuleProposal).awaiting(CountryRuleProposal.objects.filter(brand=brand))
    double = waiting.filter(countries__overlap=proposal.countries).first()
    if double is not None:
        both = [code for code in proposal.countries if code in double.countries]
        raise WrongState(_("A change awaits a second approval already: %(countries)s.") % {"countries": named(both)})
    if all(_holds(brand, code, proposal) for code in proposal.countries):
        raise WrongState(_("This is already the rule on that day."))
    return approvals.propose(proposal, actor=actor)


def _checked_countries(countries: Collection[str]) -> list[str]:
    codes = sorted(set(countries))
    if not codes:
        raise DomainError(_("Choose at least one country."))
    unknown = [code for code in codes if code != ALL_OTHERS and code not in country_names()]
    if unknown:
        raise DomainError(_("Unknown country: %(code)s.") % {"code": unknown[0][:5]})
    return codes


def _checked_band(band: str) -> str:
    if band and band not in CountryBand.values:
        raise DomainError(_("Choose one of the options."))
    return band


def _checked_gates(band: str, accepted: Collection[str]) -> list[str]:
    if not band:
        return []
    if set(accepted) - set(Gate.values):
        raise DomainError(_("Choose one of the options."))
    return sorted_gates(accepted)


def _checked_limits(band: str, limits: Limits) -> Limits:
    if not band:
        return NO_LIMITS
    if (limits.not_offered | limits.not_for_retail | limits.not_below_age) - set(Product.values):
        raise DomainError(_("Choose one of the options."))
    ages = [age for age in (limits.minimum_age, limits.approval_age, limits.product_age) if age is not None]
    if any(not CountryTerms.AGE_MIN <= age <= CountryTerms.AGE_MAX for age in ages):
        raise DomainError(
            _("Enter an age from %(first)s to %(last)s.")
            % {"first": CountryTerms.AGE_MIN, "last": CountryTerms.AGE_MAX}
        )
    if limits.approval_age is not None and limits.approval_age <= (limits.minimum_age or CountryTerms.AGE_MIN):
        raise DomainError(_("The age from which an approval is needed must be above the minimum age."))
    if bool(limits.product_age) != bool(limits.not_below_age):
        raise DomainError(_("Enter an age and choose the products that aren't offered below it, or neither."))
    if limits.product_age is not None and limits.product_age <= (limits.minimum_age or CountryTerms.AGE_MIN):
        raise DomainError(_("The age from which products are offered must be above the minimum age."))
    return limits


def _checked_day(brand: Brand, effective_on: dt.date) -> dt.date:
    now = today(brand)
    last = now + dt.timedelta(days=DAYS_AHEAD_MAX)
    if not now <= effective_on <= last:
        raise DomainError(
            _("Enter a day from today to %(last)s: what held in the past stays as it was.")
            % {"last": formats.day(last)}
        )
    return effective_on


def _holds(brand: Brand, country: str, proposal: CountryRuleProposal) -> bool:
    """Check whether a country has this very rule on the proposal's day: for a default, none of its own."""
    now = rule_of(brand, country, proposal.effective_on)
    if not proposal.band:
        return now == ACCEPTED if country == ALL_OTHERS else now.source.is_default
    is_set = now != ACCEPTED if country == ALL_OTHERS else not now.source.is_default
    return is_set and (now.band, now.gates, now.limits) == (proposal.band, proposal.accepted, Limits.of(proposal))


@transaction.atomic
def write_rules(  # noqa: PLR0913  as above
    brand: Brand,
    countries: Collection[str],
    band: str,
    accepted: Collection[str],
    effective_on: dt.date,
    *,
    actor: Actor,
    reason: str,
    limits: Limits = NO_LIMITS,
) -> list[CountryRule]:
    """Write checked rules; the caller holds the brand's lock. Raises: DomainError without a reason."""
    require_text(reason)
    before = {code: rule_of(brand, code, effective_on) for code in countries}
    now = timezone.now()
    rows = CountryRule.objects.bulk_create(
        CountryRule(
            brand=brand,
            country=code,
            band=band,
            accepted=sorted_gates(accepted),
            effective_on=effective_on,
            set_by=actor,
            set_at=now,
            reason=reason,
            **limits.body(),
        )
        for code in countries
    )
    brand.country_rules_version = new_version()
    brand.save(update_fields=["country_rules_version"])
    for row in rows:
        audit.record(
            actor=actor,
            action=ClientsAction.COUNTRY_RULE_CHANGED,
            target=row,
            brand_id=brand.pk,
            before={"country": row.country, **_values(before[row.country])},
            after={
                "country": row.country,
                "band": row.band,
                "accepted": row.accepted,
                **limits.body(),
                "effective_on": effective_on.isoformat(),
            },
            reason=reason,
        )
    if rows:
        publish(
            CountryRulesChanged(
                brand_id=brand.pk,
                rule_id=rows[0].pk,
                countries=tuple(row.country for row in rows),
                effective_on=effective_on.isoformat(),
            ),
            actor=actor,
        )
    return rows


def _values(rule: Rule) -> dict[str, Any]:
    return {"band": rule.band, "accepted": rule.gates, **rule.limits.body()}


class CountryRuleApproval(approvals.ApprovalKind[CountryRuleProposal]):
    """New rules for one or many countries. Who decides holds the same right as who proposes, on the whole brand."""

    model = CountryRuleProposal
    code = "country-rule"
    label = gettext_lazy("Country rules")
    asks = decides = RIGHT
    proposed, approved = ClientsAction.COUNTRY_RULE_PROPOSED, ClientsAction.COUNTRY_RULE_APPROVED
    rejected, withdrawn = ClientsAction.COUNTRY_RULE_REJECTED, ClientsAction.COUNTRY_RULE_WITHDRAWN
    notice = ClientsNotice.COUNTRY_RULE_PROPOSED
    brand_path = "brand_id"
    related = ("brand",)
    done = gettext_lazy("Country rules changed.")

    def apply(self, item: CountryRuleProposal, actor: User, **given: Any) -> None:
        """Write the rules; from today where their day has passed while they waited."""
        brand = lock(Brand, item.brand_id)
        effective_on = max(item.effective_on, today(brand))
        write_rules(
            brand,
            item.countries,
            item.band,
            item.accepted,
            effective_on,
            actor=item.requested_by,
            reason=item.reason,
            limits=Limits.of(item),
        )

    def title(self, item: CountryRuleProposal) -> LocalizedText:
        return phrase("Country rules of %(brand)s: %(countries)s") % {
            "brand": item.brand.name,
            "countries": named(item.countries),
        }

    def url(self, item: CountryRuleProposal) -> str:
        return f"/brands/{item.brand_id}/countries/"

    def changes(self, item: CountryRuleProposal) -> Sequence[Change]:
        day = today(item.brand)
        before = [rule_of(item.brand, code, day) for code in item.countries]
        after = [
            proposed_rule(item) or (ACCEPTED if code == ALL_OTHERS else default_of(item.brand, code, day))
            for code in item.countries
        ]
        return [
            Change(_("Countries"), named(item.countries, most=len(item.countries))),
            Change(_("Risk band"), *_sums([str(rule.band.label) for rule in rules] for rules in (after, before))),
            *(
                Change(
                    gate.label, *_sums([_yes_no(gate in rule.accepted) for rule in rules] for rules in (after, before))
                )
                for gate in Gate
            ),
            *_limit_changes(after, before),
            Change(_("Effective from"), formats.day(item.effective_on)),
        ]

    def after(self, item: CountryRuleProposal) -> dict[str, Any]:
        return {
            "countries": item.countries,
            "band": item.band,
            "accepted": item.accepted,
            **Limits.of(item).body(),
            "effective_on": item.effective_on.isoformat(),
        }


def _limit_changes(after: list[Rule], before: list[Rule]) -> list[Change]:
    """List what changes of ages and products; what neither the old nor the new rules say is left out."""
    lines = []
    values: list[tuple[str | Promise, Callable[[Rule], str]]] = [
        (_("Minimum age"), lambda rule: str(rule.limits.minimum_age or "")),
        (_("Exemption needed from age"), lambda rule: str(rule.limits.approval_age or "")),
        (_("Not offered"), lambda rule: _labels(rule.limits.not_offered)),
        (NOT_FOR_RETAIL, lambda rule: _labels(rule.limits.not_for_retail)),
        (_("Products offered from age"), lambda rule: str(rule.limits.product_age or "")),
        (_("Not offered below that age"), lambda rule: _labels(rule.limits.not_below_age)),
    ]
    for label, value in values:
        new, old = _sums([value(rule) or "–" for rule in rules] for rules in (after, before))
        if (new, old) != ("–", "–"):
            lines.append(Change(label, new, old))
    return lines


def _labels(products: Collection[str]) -> str:
    return ", ".join(str(product.label) for product in Product if product in products)


def _yes_no(is_accepted: bool) -> str:
    return _("accepted") if is_accepted else _("not accepted")


def _sums(columns: Any) -> list[str]:
    """Write each column's different values once, in their order: what holds for many countries, in one line."""
    return [", ".join(dict.fromkeys(values)) for values in columns]


def named(countries: Sequence[str], *, most: int = NAMED_MAX) -> str:
    """Name countries in the reader's language; where there are many, the first ones and how many more."""
    names = [_("All other countries") if code == ALL_OTHERS else country_name(code) for code in countries]
    if len(names) <= most:
        return ", ".join(names)
    return _("%(names)s and %(count)s more") % {"names": ", ".join(names[:most]), "count": len(names) - most}
