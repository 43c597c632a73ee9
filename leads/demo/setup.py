"""Campaigns, landing pages, routing rules, shifts and sources of the demo."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from simple_history.utils import bulk_create_with_history

from clients.models import CustomField
from crm.choices import Role
from crm.conditions import all_of
from crm.demo import Demo
from crm.models import Brand, Desk
from leads.choices import AdNetwork, OffShift, Strategy
from leads.models import Campaign, CampaignSpend, LandingPage, LeadSource, RoutingRule, Shift


class DemoCampaign(NamedTuple):
    """A campaign, the countries that it brings people from, and its weight among those of a country."""

    brand: str
    code: str
    name: str
    source: str
    medium: str
    cost: int
    quality: int
    countries: str
    weight: int


CAMPAIGNS = [
    DemoCampaign(
        "meridian", "de-search-brand", "German search, brand words", "google", "cpc", 18400, 8, "DE AT CH", 14
    ),
    DemoCampaign("meridian", "de-search-cfd", "German search, CFD", "google", "cpc", 31250, 6, "DE AT CH", 12),
    DemoCampaign(
        "meridian", "dach-social", "DACH social, lookalikes", "facebook", "paid_social", 22700, 4, "DE AT CH", 9
    ),
    DemoCampaign("meridian", "es-search", "Spanish search", "google", "cpc", 14900, 6, "ES", 12),
    DemoCampaign("meridian", "es-social", "Spanish social video", "facebook", "paid_social", 11800, 3, "ES", 8),
    DemoCampaign(
        "meridian", "eu-webinar", "Webinar: gold and the dollar", "webinar", "event", 4200, 9, "DE AT CH ES PT IT FR", 5
    ),
    DemoCampaign(
        "meridian", "eu-affiliate", "Affiliate network", "tradefinder", "affiliate", 16500, 5, "PT IT FR ES", 7
    ),
    DemoCampaign("southern", "au-search", "Australian search", "google", "cpc", 21300, 7, "AU NZ", 10),
    DemoCampaign("southern", "apac-social", "APAC social", "facebook", "paid_social", 9800, 4, "AU NZ SG MY", 8),
    DemoCampaign("southern", "au-podcast", "Podcast sponsorship", "podcast", "audio", 7600, 8, "AU", 4),
]
# brand, slug, language, campaign, country, headline, subline, call to action, thanks, points
PAGES: list[tuple[str, str, str, str, str, str, str, str, str, str, list[tuple[str, str, str]]]] = [
    (
        "meridian",
        "start",
        "de",
        "de-search-cfd",
        "DE",
        "Devisen handeln, mit einem Menschen am Telefon",
        "Währungen, Gold und Indizes auf MetaTrader 5. Wir erklären Ihnen Kosten und Risiken, bevor Sie einen Euro einzahlen.",
        "Rückruf anfordern",
        "Danke, wir melden uns!",
        "Ihre Anfrage liegt bereits bei einer Kollegin oder einem Kollegen.",
        [
            ("shield-check", "Reguliert in der EU", "Kundengelder liegen getrennt von unserem Vermögen."),
            ("receipt", "Kosten vorab", "Spread, Kommission und Finanzierung stehen vor jedem Auftrag da."),
            ("graduation-cap", "Erst üben", "Demokonto mit echten Kursen, so lange Sie möchten."),
            ("headset", "Auf Deutsch", "Werktags von 9 bis 18 Uhr, ohne Warteschleife."),
        ],
    ),
    (
        "meridian",
        "start",
        "en",
        "eu-webinar",
        "",
        "Trade currencies with someone to call",
        "Currencies, gold and indices on MetaTrader 5. We explain costs and risks before you pay in a cent.",
        "Ask for a call",
        "Thank you, we'll be in touch!",
        "Your enquiry is with one of our people already.",
        [
            ("shield-check", "Regulated in the EU", "Client money is kept apart from ours."),
            ("receipt", "Costs first", "Spread, commission and financing are shown before each order."),
            ("graduation-cap", "Practise first", "A demo account with live prices, as long as you like."),
            ("headset", "In your language", "Weekdays from 9 to 18, no waiting music."),
        ],
    ),
    (
        "meridian",
        "start",
        "es",
        "es-search",
        "ES",
        "Opere en divisas con alguien al teléfono",
        "Divisas, oro e índices en MetaTrader 5. Le explicamos costes y riesgos antes de que ingrese un euro.",
        "Solicitar una llamada",
        "¡Gracias, le llamaremos!",
        "Su solicitud ya está en manos de un compañero.",
        [
            ("shield-check", "Regulado en la UE", "El dinero de los clientes está separado del nuestro."),
            ("receipt", "Los costes, primero", "Diferencial, comisión y financiación antes de cada orden."),
            ("graduation-cap", "Practique antes", "Cuenta demo con precios reales, sin límite de tiempo."),
            ("headset", "En español", "De lunes a viernes, de 9 a 18 h."),
        ],
    ),
    (
        "southern",
        "start",
        "en",
        "au-search",
        "AU",
        "Margin FX, explained by people",
        "Currencies, gold and indices on MetaTrader 5, from Sydney. Know the costs and the risks before you start.",
        "Request a call",
        "Thanks, we'll call you!",
        "Your enquiry is with one of our team already.",
        [
            ("shield-check", "ASIC licensed", "Client money is held in segregated trust accounts."),
            ("receipt", "Clear pricing", "See spread, commission and overnight cost before each order."),
            ("graduation-cap", "Try it first", "A demo account with live prices."),
        ],
    ),
]


@dataclass
class House:
    """What the leads' part of the demo works with."""

    campaigns: dict[str, Campaign]
    pages: dict[tuple[int, str], LandingPage]
    rules: dict[int, RoutingRule]
    source: LeadSource


def set_up(demo: Demo) -> House:
    brands = {brand.code: brand for brand in demo.brands}
    campaigns = {row.code: _campaign(demo, brands[row.brand], row) for row in CAMPAIGNS}
    pages = _pages(brands, campaigns)
    rules = {desk.pk: _rules(demo, desk) for desk in demo.desks}
    _shifts(demo)
    key = f"ksl_{demo.rng.getrandbits(160):040x}"
    source = LeadSource.objects.create(
        brand=brands["meridian"],
        name="TradeFinder network",
        code="tradefinder",
        campaign=campaigns["eu-affiliate"],
        key_prefix=key[:12],
        key_hash=hashlib.sha256(key.encode()).hexdigest(),
    )
    return House(campaigns, pages, rules, source)


def _campaign(demo: Demo, brand: Brand, row: DemoCampaign) -> Campaign:
    campaign = Campaign.objects.create(
        brand=brand,
        code=row.code,
        name=row.name,
        source=row.source,
        medium=row.medium,
        cost=Decimal(row.cost),
        quality=row.quality,
        starts_on=demo.since.date() - dt.timedelta(days=demo.rng.randrange(10, 200)),
    )
    network = {"google": AdNetwork.GOOGLE, "facebook": AdNetwork.META}.get(row.source)
    if network:
        _spend(demo, campaign, network)
    return campaign


def _spend(demo: Demo, campaign: Campaign, network: AdNetwork) -> None:
    """Spread a campaign's cost over its days as networks do: less at weekends, never twice the same."""
    assert campaign.starts_on is not None
    days = [
        campaign.starts_on + dt.timedelta(days=number) for number in range((demo.now.date() - campaign.starts_on).days)
    ]
    weights = [(60 if day.weekday() >= 5 else 100) + (day.toordinal() * 7919 + campaign.pk) % 40 for day in days]
    total, currency = sum(weights), campaign.brand.base_currency
    amounts = [(campaign.cost * weight / total).quantize(Decimal("0.01")) for weight in weights]
    CampaignSpend.objects.bulk_create(
        CampaignSpend(
            campaign=campaign,
            day=day,
            network=network,
            network_campaign=campaign.name,
            amount=amount,
            charged=amount,
            charged_currency=currency,
        )
        for day, amount in zip(days, amounts, strict=True)
    )


def _pages(brands: dict[str, Brand], campaigns: dict[str, Campaign]) -> dict[tuple[int, str], LandingPage]:
    pages = {}
    interest = dict(CustomField.objects.filter(key="interest").values_list("brand_id", "pk"))
    for brand, slug, language, campaign, country, headline, subline, action, thanks, text, points in PAGES:
        pages[brands[brand].pk, language] = LandingPage.objects.create(
            brand=brands[brand],
            slug=slug,
            language=language,
            campaign=campaigns[campaign],
            country=country,
            headline=headline,
            subline=subline,
            call_to_action=action,
            thanks_title=thanks,
            thanks_text=text,
            points=[{"icon": icon, "title": title, "text": detail} for icon, title, detail in points],
            shown_fields=[interest[brands[brand].pk]] if brands[brand].pk in interest else [],
            asks_experience=True,
            asks_deposit=True,
        )
    return pages


def _where(**wanted: list[str]) -> dict[str, Any]:
    parts = [{"field": name, "is": "in", "value": values} for name, values in wanted.items() if values]
    return all_of(*parts)


def _rules(demo: Demo, desk: Desk) -> RoutingRule:
    """The desk's own rule; German leads are given out at any hour, Spanish ones wait for the shift."""
    languages, off_shift = {
        "DACH desk": (["de"], OffShift.ASSIGN),
        "Iberia desk": (["es"], OffShift.WAIT),
        "APAC desk": ([], OffShift.ASSIGN),
    }[desk.name]
    if desk.name == "Iberia desk":
        RoutingRule.objects.create(
            brand=desk.brand,
            position=30,
            name="English-speaking Europe",
            condition=_where(language=["en"]),
            desk=desk,
            strategy=Strategy.LEAST_LOADED,
            off_shift=OffShift.WAIT,
        )
    return RoutingRule.objects.create(
        brand=desk.brand,
        position=10 if languages == ["de"] else 20,
        name=f"{desk.name}: language and country",
        condition=_where(language=languages, country=desk.countries if languages == ["de"] else []),
        desk=desk,
        off_shift=off_shift,
        sla_seconds=900,
    )


def _shifts(demo: Demo) -> None:
    """Sales works weekdays from nine to six, in the desk's zone."""
    retention = {user.pk for user in demo.by_role.get(Role.RETENTION.value, [])}
    shifts = [
        Shift(agent=agent, weekday=weekday, starts=dt.time(9), ends=dt.time(18))
        for agent in demo.agents
        if agent.pk not in retention
        for weekday in range(5)
    ]
    bulk_create_with_history(shifts, Shift, batch_size=1000)
