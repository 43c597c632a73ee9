"""Writing leads, their scores and their way through the pipeline: a few statements per table."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from clients.canonical import country_of_phone
from clients.choices import SalesStatus, TimelineKind
from clients.demo.journeys import Journey
from clients.demo.write import TIMELINE, entry
from clients.facts import FACTS, GENERATED_ONCE, rebuild
from clients.models import Client
from crm.db.bulk import copy_models, copy_rows
from crm.demo import Demo
from crm.i18n.localized_text import phrase
from crm.models import Actor
from crm.security import audit
from leads import scoring
from leads.audit_codes import LeadsAction
from leads.choices import DECLARED, Channel, Experience
from leads.demo.setup import CAMPAIGNS, House
from leads.models import Campaign, Lead, RegistrationInvitation, SalesStatusChange
from leads.waiting import await_routing

CAME_AGAIN = 0.04
AMOUNTS = (250, 500, 1_000, 5_000)
CHANNELS = [(Channel.LANDING_PAGE, 74), (Channel.API, 12), (Channel.IMPORT, 9), (Channel.MANUAL, 5)]
TERMS = ["forex broker", "cfd handel", "gold trading", "mt5", "devisen", "forex demo", "cfd kosten", "trading lernen"]


def write_leads(demo: Demo, house: House) -> None:
    journeys: list[Journey] = demo.extra["journeys"]
    rules = {brand.pk: scoring.rules_of(brand.pk, demo.now.date()) for brand in demo.brands}
    consents = dict(Client.objects.values_list("pk", "marketing_consent"))
    dice = random.Random(25)  # of their own, so that everybody else stays as they were
    leads: list[Lead] = []
    owners: list[Journey] = []
    for journey in journeys:
        first = _lead(demo, house, journey, journey.captured_at, times=1)
        captures = [first]
        again = journey.captured_at + dt.timedelta(days=demo.rng.uniform(2, 30))
        if demo.rng.random() < CAME_AGAIN and journey.agent and again < demo.now:
            captures.append(_again(_lead(demo, house, journey, again, times=2), journey))
        for times, lead in enumerate(captures, start=1):
            _declare(lead, dice)
            worth = scoring.score(_signals(journey, lead, times, consents[journey.client_id]), rules[journey.brand.pk])
            lead.score, lead.score_reasons = worth.value, worth.reasons
            leads.append(lead)
            owners.append(journey)
    copy_models(leads)
    _tell(leads, owners)
    with transaction.atomic():
        for brand in demo.brands:
            await_routing(brand.pk)


def _lead(demo: Demo, house: House, journey: Journey, at: dt.datetime, *, times: int) -> Lead:
    rng, country = demo.rng, journey.person.country.code
    fitting = [row for row in CAMPAIGNS if country in row.countries.split() and row.brand == journey.brand.code]
    code = rng.choices(fitting, [row.weight for row in fitting])[0].code
    campaign: Campaign | None = house.campaigns[code] if rng.random() < 0.9 else None
    channel = rng.choices([c for c, _w in CHANNELS], [w for _c, w in CHANNELS])[0]
    page = (
        house.pages.get((journey.brand.pk, journey.person.country.language))
        if channel == Channel.LANDING_PAGE
        else None
    )
    is_api = channel == Channel.API and journey.brand == house.source.brand
    source = house.source.code if is_api else campaign.source if campaign else ("direct" if page else str(channel))
    utm = {"utm_source": source, "utm_medium": campaign.medium, "utm_campaign": code} if campaign and page else {}
    if utm and campaign and campaign.medium == "cpc":
        utm["utm_term"] = rng.choice(TERMS)
    lead = Lead(
        client_id=journey.client_id,
        brand=journey.brand,
        channel=channel,
        captured_at=at,
        campaign=campaign,
        landing_page=page,
        api_source=house.source if is_api else None,
        source=source,
        medium=campaign.medium if campaign else "",
        utm=utm,
        landing_url=f"https://www.{journey.brand.code}.example/l/{journey.brand.code}/start/" if page else "",
        ip=f"198.51.100.{rng.randrange(1, 255)}" if page else None,
        country_guess=country,
        language=journey.person.country.language,
        user_agent_hash=f"{rng.getrandbits(64):016x}" if page else "",
    )
    return _assigned(house, journey, lead)


def _declare(lead: Lead, dice: random.Random) -> None:
    """Answer the landing page's questions: two of three say something of their experience, every other one names an amount."""
    if lead.landing_page is None:
        return
    lead.experience = dice.choice(["", *Experience.values]) if dice.random() < 0.9 else ""
    if dice.random() < 0.5:
        amount, currency = Decimal(dice.choice(AMOUNTS)), lead.brand.base_currency
        lead.intended_deposit, lead.intended_currency, lead.intended_in_base = amount, currency, amount


def _assigned(house: House, journey: Journey, lead: Lead) -> Lead:
    """Given to the first agent within a second of the capture; the newest lead is with whoever owns the person now."""
    rule = house.rules[journey.desk.pk]
    why = {"code": "rule", "rule": rule.name, "desk": journey.desk.name, "country": journey.person.country.code}
    if journey.agent is None or journey.first_agent is None:
        lead.routing_rule, lead.routing_reasons = (
            rule,
            [why, {"code": "shift", "left": 0, "of": 9, "value": ""}, {"code": "pool"}],
        )
        return lead
    lead.routing_rule = rule
    lead.routing_reasons = [why, {"code": "round_robin", "agent": str(journey.first_agent), "of": 9}]
    lead.tried_agents = [journey.first_agent.pk]
    lead.assigned_to = journey.agent
    lead.assigned_at = journey.moved_at or lead.captured_at + dt.timedelta(milliseconds=180)
    if journey.touched_at:
        lead.touched_at, lead.touched_by = journey.touched_at, journey.first_agent
    return lead


def _again(lead: Lead, journey: Journey) -> Lead:
    lead.is_duplicate = True
    lead.match_reasons = [
        {"code": "email", "weight": 4},
        {"code": "country", "weight": 1},
        {"code": "last_name", "weight": 1},
    ]
    lead.routing_reasons = [{"code": "owner", "agent": str(journey.agent)}]
    lead.tried_agents, lead.touched_at, lead.touched_by = [], None, None
    lead.assigned_at = lead.captured_at
    return lead


def _signals(journey: Journey, lead: Lead, times: int, consent: bool) -> scoring.Signals:
    country_of_phone(journey.person.phone)  # warms the cache: the scorer asks once per phone rule
    return scoring.Signals(
        country=journey.person.country.code,
        language=journey.person.country.language,
        brand_languages=tuple(journey.brand.languages),
        email=journey.person.email,
        phone=journey.person.phone,
        phone_was_typed=bool(journey.person.phone),
        campaign=lead.campaign.code if lead.campaign else "",
        campaign_quality=lead.campaign.quality if lead.campaign else None,
        source=lead.source,
        times_seen=times,
        has_consent=consent,
        at=lead.captured_at,
        experience=lead.experience,
        intended_deposit=lead.intended_in_base,
    )


def _tell(leads: list[Lead], owners: list[Journey]) -> None:
    def where(lead: Lead) -> str:
        return " · ".join(filter(None, [lead.source, lead.campaign.code if lead.campaign else ""]))

    copy_rows(
        "clients_timelineentry",
        TIMELINE,
        (
            entry(
                lead.client_id,
                lead.captured_at,
                TimelineKind.LEAD,
                data={"lead_id": lead.pk, "score": lead.score},
                title=(phrase("Repeat enquiry: %(where)s") if lead.is_duplicate else phrase("Lead captured: %(where)s"))
                % {"where": where(lead)},
                key=f"lead:{lead.pk}",
            )
            for lead in leads
        ),
    )
    audit.record_many(
        {
            "actor": None,
            "action": LeadsAction.CAPTURED,
            "target": lead,
            "client_id": lead.client_id,
            "brand_id": journey.brand.pk,
            "at": lead.captured_at,
            "after": {
                "channel": str(lead.channel),
                "source": lead.source,
                "score": lead.score,
                "duplicate": lead.is_duplicate,
                "assigned_to_id": journey.first_agent.pk if journey.first_agent else None,
            },
        }
        for lead, journey in zip(leads, owners, strict=True)
    )


def write_facts() -> None:
    """Score, source and campaign of everyone in one statement, for each touches the same indexes; and what they declared."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE clients_client c SET score = s.value, source = o.value, campaign = a.value, {GENERATED_ONCE}
            FROM ({FACTS["score"].sql}) s(client_id, value), ({FACTS["source"].sql}) o(client_id, value),
                 ({FACTS["campaign"].sql}) a(client_id, value)
            WHERE s.client_id = c.id AND o.client_id = c.id AND a.client_id = c.id
            """  # noqa: S608 — the facts' own SQL
        )
    for name in DECLARED:
        rebuild(FACTS[name])


# ── the pipeline ───────────────────────────────────────────────────────────────────────────────────────────────────


def write_pipeline(demo: Demo) -> None:
    journeys: list[Journey] = demo.extra["journeys"]
    _write_invitations(demo, journeys)
    rows, timeline, log = [], [], []
    for journey in journeys:
        before = SalesStatus.NEW
        for at, after, who in journey.steps:
            rows.append(SalesStatusChange(client_id=journey.client_id, before=before, after=after, actor=who, at=at))
            data = {"before": before.value, "after": after.value}
            title = phrase("Status: %(before)s → %(to)s") % {"before": before.label, "to": after.label}
            timeline.append(entry(journey.client_id, at, TimelineKind.LEAD, title, actor=who, data=data))
            log.append(_step(journey, at, before, after, who))
            before = after
    copy_models(rows)
    copy_rows("clients_timelineentry", TIMELINE, timeline)
    audit.record_many(log)


def _step(journey: Journey, at: dt.datetime, before: SalesStatus, after: SalesStatus, who: Actor) -> dict[str, Any]:
    return {
        "actor": who,
        "action": LeadsAction.STATUS_CHANGED,
        "target": ("clients.client", journey.client_id),
        "at": at,
        "client_id": journey.client_id,
        "brand_id": journey.brand.pk,
        "before": {"sales_status": before.value},
        "after": {"sales_status": after.value},
    }


def _write_invitations(demo: Demo, journeys: list[Journey]) -> None:
    users = dict(Client.objects.filter(user__isnull=False).values_list("pk", "user_id"))
    RegistrationInvitation.objects.bulk_create(
        [
            RegistrationInvitation(
                client_id=journey.client_id,
                token_hash=f"{demo.rng.getrandbits(256):064x}",
                created_by=journey.first_agent,
                created_at=journey.invited_at,
                expires_at=journey.invited_at + dt.timedelta(days=7),
                used_at=journey.registered_at,
                used_by_id=users[journey.client_id] if journey.registered_at else None,
            )
            for journey in journeys
            if journey.invited_at
        ],
        batch_size=2000,
    )
