"""Recording what campaigns cost by day: by hand, or from a file that replaces the days it has."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock, lock_all
from crm.errors import DomainError, NotAllowed
from crm.models import Actor, Brand
from crm.rates import fx
from crm.security import audit, policies
from crm.security.scope import reach_of
from leads.audit_codes import LeadsAction
from leads.choices import AdNetwork
from leads.models import Campaign, CampaignSpend
from leads.spend.reading import SpendFileRefused, SpendKey, SpendTable, problem, read_spend

CENT = Decimal("0.01")
DAYS_MAX = 400
AMOUNT_MAX = Decimal(10) ** 9


@dataclass(frozen=True)
class SpendResult:
    """What a file changed. `total` is what it says was spent, in the brand's base currency."""

    new: int
    changed: int
    same: int
    removed: int
    campaigns: int
    total: Decimal
    currency: str


def today_at(brand: Brand) -> dt.date:
    """Return today in the brand's time zone."""
    return timezone.now().astimezone(ZoneInfo(brand.time_zone)).date()


@transaction.atomic
def enter_spend(*, actor: Actor, campaign_id: int, first: dt.date, last: dt.date, amount: Decimal) -> int:
    """Enter what a campaign cost on some days, spread evenly over them; replaces what was entered for them, 0 removes it.

    Who: `leads.change_campaign` on the brand. `amount` is in the brand's base currency. Returns the number of days.
    Raises: NotAllowed, DomainError.
    """
    policies.require_permission(actor, "leads.change_campaign")
    campaign = lock(Campaign, campaign_id, "brand")
    _require_brand(actor, campaign.brand_id)
    if last < first:
        raise DomainError(_("The end date is before the start date."))
    if last > today_at(campaign.brand):
        raise DomainError(_("Enter spend up to today."))
    days = [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]
    if len(days) > DAYS_MAX:
        raise DomainError(_("Choose a period of at most 400 days."))
    if not 0 <= amount <= AMOUNT_MAX:
        raise DomainError(_("Enter an amount between 0 and 1,000,000,000."))
    entered = CampaignSpend.objects.filter(campaign=campaign, network=AdNetwork.MANUAL, day__range=(first, last))
    before = sum(entered.values_list("amount", flat=True), Decimal(0))
    entered.delete()
    currency, now = campaign.brand.base_currency, timezone.now()
    CampaignSpend.objects.bulk_create(
        CampaignSpend(
            campaign=campaign,
            day=day,
            network=AdNetwork.MANUAL,
            amount=part,
            charged=part,
            charged_currency=currency,
            entered_by=actor,
            entered_at=now,
        )
        for day, part in zip(days, _spread(amount, len(days)), strict=True)
        if part
    )
    audit.record(
        actor=actor,
        action=LeadsAction.SPEND_ENTERED,
        target=campaign,
        brand_id=campaign.brand_id,
        before={"amount": before},
        after={"amount": amount, "currency": currency, "first": first, "last": last},
    )
    return len(days)


def _spread(amount: Decimal, days: int) -> list[Decimal]:
    """Split an amount into cents that add up to it, the odd cents on the first days."""
    cents, over = divmod(int(amount * 100), days)
    return [Decimal(cents + (number < over)) / 100 for number in range(days)]


@transaction.atomic
def import_spend(*, actor: Actor, brand: Brand, file_name: str, content: bytes) -> SpendResult:
    """Take a table of spend in, whole or not at all: for the days of each network's campaign in it, it replaces what there was.

    The same file twice changes nothing. Who: `leads.change_campaign` on the brand.
    Raises: SpendFileRefused with each wrong row; NotAllowed, DomainError.
    """
    policies.require_permission(actor, "leads.change_campaign")
    _require_brand(actor, brand.pk)
    table = read_spend(content, file_name, currency=brand.base_currency, today=today_at(brand))
    campaigns = lock_all(Campaign.objects.filter(brand=brand))
    rows = _rows(table, campaigns, brand, actor)
    result = _replace(rows, {(row.campaign_id, row.network, row.network_campaign, row.day) for row in rows}, brand)
    audit.record(
        actor=actor,
        action=LeadsAction.SPEND_IMPORTED,
        target=brand,
        brand_id=brand.pk,
        after={
            "file": file_name[:160],
            "new": result.new,
            "changed": result.changed,
            "same": result.same,
            "removed": result.removed,
            "total": result.total,
            "currency": result.currency,
        },
    )
    return result


def _require_brand(actor: Actor, brand_id: int) -> None:
    if actor is not None and brand_id not in reach_of(actor).brands:
        raise NotAllowed(_("You don't have access to this brand."))


def _rows(table: SpendTable, campaigns: Iterable[Campaign], brand: Brand, actor: Actor) -> list[CampaignSpend]:
    """Make rows of what a file says, each for its campaign and in the brand's money. Raises: SpendFileRefused."""
    names: dict[str, set[int]] = defaultdict(set)
    for campaign in campaigns:
        for name in (campaign.code, campaign.name, *campaign.network_names):
            names[name.casefold()].add(campaign.pk)
    currencies = {money for sums in table.amounts.values() for _country, money in sums}
    rates = fx.rates_of_days(
        sorted(currencies - {brand.base_currency}), [brand.base_currency], {key.day for key in table.amounts}
    )
    rows: list[CampaignSpend] = []
    problems: list[str] = []
    unknown: set[str] = set()
    now = timezone.now()
    for key, sums in table.amounts.items():
        found = names.get(key.name.casefold()) or names.get(key.network_id.casefold() or "\0") or set()
        if len(found) != 1:
            if key.name not in unknown:
                unknown.add(key.name)
                problems.append(_of_name(table, key, is_known=bool(found)))
            continue
        countries = [country for country, _money in sums]
        if len(set(countries)) < len(countries):
            problems.append(_of_money(table, key, _("Two currencies for the same campaign and day")))
            continue
        for (country, money), charged in sums.items():
            rate = rates.get((money, brand.base_currency, key.day))
            if money != brand.base_currency and rate is None:
                problems.append(_of_money(table, key, _("No exchange rate for %(code)s") % {"code": money[:5]}))
                break
            amount = charged.quantize(CENT) if rate is None else (charged * rate.rate).quantize(CENT)
            rows.append(
                CampaignSpend(
                    campaign_id=next(iter(found)),
                    day=key.day,
                    network=key.network,
                    network_campaign=key.name,
                    country=country,
                    amount=amount,
                    charged=charged.quantize(CENT),
                    charged_currency=money,
                    entered_by=actor,
                    entered_at=now,
                )
            )
    if problems:
        raise SpendFileRefused(problems)
    return rows


def _of_name(table: SpendTable, key: SpendKey, *, is_known: bool) -> str:
    heading = table.heading.get("campaign") or table.heading["campaign_id"]
    text = (
        _("“%(name)s” is the name of several campaigns. Enter it at one of them only.")
        if is_known
        else _("No campaign is called “%(name)s”. Enter this name at the campaign under “At the ad networks”.")
    )
    return problem(table.lines[key], heading, text % {"name": key.name[:80]})


def _of_money(table: SpendTable, key: SpendKey, message: str) -> str:
    return problem(table.lines[key], table.heading.get("currency") or table.heading["cost"], message)


def _replace(
    rows: list[CampaignSpend], covered: Collection[tuple[int, str, str, dt.date]], brand: Brand
) -> SpendResult:
    """Write rows in the place of those of the same network, campaign and day; what is the same stays as it was."""
    days = [row.day for row in rows]
    stored = CampaignSpend.objects.filter(
        Q(campaign__in={row.campaign_id for row in rows}), day__range=(min(days), max(days))
    )
    known = {
        (row.campaign_id, row.network, row.network_campaign, row.day, row.country): row
        for row in stored
        if (row.campaign_id, row.network, row.network_campaign, row.day) in covered
    }
    new, changed, same = [], [], 0
    for row in rows:
        before = known.pop((row.campaign_id, row.network, row.network_campaign, row.day, row.country), None)
        if before is None:
            new.append(row)
        elif (before.amount, before.charged, before.charged_currency) == (
            row.amount,
            row.charged,
            row.charged_currency,
        ):
            same += 1
        else:
            row.pk = before.pk
            changed.append(row)
    CampaignSpend.objects.filter(pk__in=[row.pk for row in known.values()]).delete()
    CampaignSpend.objects.bulk_create(new, batch_size=2_000)
    fields = ["amount", "charged", "charged_currency", "entered_by", "entered_at"]
    CampaignSpend.objects.bulk_update(changed, fields, batch_size=2_000)
    return SpendResult(
        new=len(new),
        changed=len(changed),
        same=same,
        removed=len(known),
        campaigns=len({row.campaign_id for row in rows}),
        total=sum((row.amount for row in rows), Decimal(0)),
        currency=brand.base_currency,
    )
