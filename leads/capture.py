"""A lead comes in: recognised or new, scored, given to an agent, all in one transaction of some ten milliseconds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import orjson
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import timeline
from clients.books import move_clients
from clients.canonical import canonical_phone
from clients.choices import Gate, TimelineKind
from clients.countries import country, country_name
from clients.country_rules.rules import decide, refusal_text
from clients.custom_fields import arrivals
from clients.facts import rebuild_client
from clients.identifiers import IdentifierKind, Seen, learn_many
from clients.models import Client
from clients.segments.membership import segments_of
from crm.db.bulk import next_ids
from crm.db.locking import lock
from crm.errors import DomainError, IdempotencyConflict, WrongState, outcome_of
from crm.events import LeadCaptured, publish
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Actor, Book, Brand
from crm.notices.notify import notify
from crm.security import audit, crypto
from leads import dedupe, places, routing, scoring
from leads.assignment import apply_decision, candidate_of, set_clocks, tell_assigned
from leads.audit_codes import LeadsAction
from leads.choices import DECLARED, Channel, LeadRefusal, LeadsNotice
from leads.declared.declaration import Declaration, Reader, declared_of
from leads.distribution.turns import count_given
from leads.facts import rebuild_lead_facts
from leads.learned.scoring import Prospect, prospect_of
from leads.models import Campaign, LandingPage, Lead, LeadFacts, LeadSource
from leads.scores.engagement import NOTHING, engagement_of
from leads.waiting import await_routing

EMAIL_CHARS_MAX = 254
FILLED_WHEN_BLANK = ("first_name", "last_name", "phone", "email", "country")


@dataclass(frozen=True, kw_only=True)
class Capture:
    """A lead as it arrived: what the person typed, and where they came from."""

    channel: Channel
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""
    country: str = ""
    language: str = ""
    message: str = ""
    has_consent: bool = False
    consents: Mapping[str, Any] = field(default_factory=dict)
    campaign: str = ""
    source: str = ""
    medium: str = ""
    utm: Mapping[str, str] = field(default_factory=dict)
    click_id: str = ""
    referral_code: str = ""
    sub_id: str = ""
    landing_url: str = ""
    referrer: str = ""
    ip: str | None = None
    user_agent: str = ""
    accept_language: str = ""
    idempotency_key: str = ""
    custom: Mapping[str, Any] = field(default_factory=dict)  # by the key of the brand's custom field
    experience: str = ""
    intended_deposit: Any = None
    intended_currency: str = ""  # empty: the brand's base currency


@dataclass(frozen=True)
class Captured:
    """`is_replay`: the same idempotency key came again and nothing was written. `refusal`: the sentence for a refused person."""

    lead: Lead
    client: Client
    is_duplicate: bool
    is_replay: bool = False

    @property
    def refusal(self) -> str:
        return refusal_of(self.lead)


@dataclass(frozen=True)
class _Reading:
    """The capture in canonical form."""

    email: str
    phone: str
    country: str
    language: str
    campaign: Campaign | None
    source: str
    medium: str
    who: dedupe.Person
    custom: arrivals.Values
    declared: Declaration


def capture_enquiry(*, page: LandingPage, form_id: str, capture: Capture) -> Captured:
    """Take in what a visitor sent from a landing page; `form_id` is the page load, so that a double click is one lead.

    The same form sent again with something corrected (back button) is another enquiry, not a replay of the first.
    Who: anyone. Raises: DomainError without a usable e-mail or telephone.
    """
    with_key = replace(capture, idempotency_key=f"form:{form_id}")
    first = outcome_of(
        lambda: capture_lead(brand=page.brand, landing_page=page, capture=with_key), only=IdempotencyConflict
    )
    return first.result if first else capture_lead(brand=page.brand, landing_page=page, capture=capture)


@transaction.atomic
def capture_lead(
    *,
    brand: Brand,
    capture: Capture,
    landing_page: LandingPage | None = None,
    api_source: LeadSource | None = None,
    actor: Actor = None,
    keep_with: Book | None = None,
) -> Captured:
    """Capture a lead: attach it to the client it belongs to or create one, score it, route it, notify the agent.

    Who: anyone; a form, a key or a page has let the caller in. `actor` entered it by hand; with `keep_with` (a book the
    actor owns) they keep it. The same `idempotency_key` gives the first lead back. A lead from a country that the brand
    refuses is stored with its `refusal`, and nobody gets it; entered by hand it isn't stored.
    Raises: DomainError without a usable e-mail or telephone, for a custom field that the brand's leads don't have or a value
    that doesn't fit, for a declared experience or deposit that can't be read, or by hand for a refused country;
    IdempotencyConflict for the same key with another body.
    """
    replay, body_hash = _find_replay(brand, capture)
    if replay is not None:
        return Captured(replay, replay.client, replay.is_duplicate, is_replay=True)
    if brand.archived_at is not None:
        raise WrongState(_("%(brand)s no longer accepts enquiries.") % {"brand": brand}, code="brand_archived")
    reading = _read(brand, capture, landing_page, api_source)
    refusal = _judge_country(brand, capture)
    dedupe.lock_person(brand.pk, reading.who)
    if capture.idempotency_key:  # the same key may have come while this one waited
        replay, _hash = _find_replay(brand, capture)
        if replay is not None:
            return Captured(replay, replay.client, replay.is_duplicate, is_replay=True)
    matches = dedupe.find_matches(brand, reading.who)
    known = matches[0] if matches and matches[0].is_certain else None
    worth, prospect = _score(brand, capture, reading, known)
    now = timezone.now()
    lead = Lead(
        brand=brand,
        channel=capture.channel,
        captured_at=now,
        created_by=actor,
        campaign=reading.campaign,
        landing_page=landing_page,
        api_source=api_source,
        source=reading.source,
        medium=reading.medium,
        utm=dict(capture.utm),
        click_id=capture.click_id[:200],
        referral_code=capture.referral_code[:40],
        sub_id=capture.sub_id[:60],
        landing_url=capture.landing_url[:500],
        referrer=capture.referrer[:500],
        ip=capture.ip,
        user_agent_hash=_short_hash(capture.user_agent),
        country_guess=reading.country,
        language=reading.language,
        message=capture.message[:5000],
        consents=dict(capture.consents),
        is_duplicate=known is not None,
        refusal=refusal,
        idempotency_key=capture.idempotency_key,
        body_hash=body_hash,
        score=worth.value,
        score_reasons=worth.reasons,
        **reading.declared.columns(),
    )
    prospect.write_to(lead)
    if known is not None:
        client, merged = _attach(lead, known, capture, reading)
        _announce(lead, client, reading, actor, matches)
    else:
        client, merged = _add(lead, capture, reading, actor, matches, keep_with)
    _record(lead, client, actor, merged)
    return Captured(lead, client, known is not None)


def _sightings(lead: Lead, client: Client, reading: _Reading) -> list[Seen]:
    """List what the capture says of who the person is. A known person may have come with another address or number."""
    found = [Seen(client.pk, IdentifierKind.IP_PREFIX, lead.ip, lead.captured_at)] if lead.ip else []
    if lead.is_duplicate:
        pairs = ((IdentifierKind.EMAIL, reading.email), (IdentifierKind.PHONE, reading.phone))
        found += [Seen(client.pk, kind, value, lead.captured_at) for kind, value in pairs if value]
    return found


def _judge_country(brand: Brand, capture: Capture) -> str:
    """Return why a lead is refused by the country that was entered, empty when it isn't: a guessed one refuses nobody.

    Who registers has passed the gate of registrations. Raises: DomainError for a lead entered by hand.
    """
    entered = capture.country.upper()
    if capture.channel == Channel.PORTAL or not places.is_country(entered):
        return ""
    decision = decide(brand, entered, Gate.LEAD)
    if decision:
        return ""
    if capture.channel == Channel.MANUAL:
        raise DomainError(
            _("%(brand)s doesn't accept leads from %(country)s.") % {"brand": brand, "country": country_name(entered)}
        )
    return LeadRefusal.COUNTRY


def refusal_of(lead: Lead) -> str:
    """Return the sentence for the person whose lead was refused; empty where it wasn't."""
    if lead.refusal != LeadRefusal.COUNTRY:
        return ""
    return refusal_text(Gate.LEAD, lead.country_guess)


def _find_replay(brand: Brand, capture: Capture) -> tuple[Lead | None, str]:
    if not capture.idempotency_key:
        return None, ""
    body = {key: value for key, value in asdict(capture).items() if key not in ("ip", "user_agent", "idempotency_key")}
    body_hash = hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS, default=str)).hexdigest()
    lead = Lead.objects.select_related("client").filter(brand=brand, idempotency_key=capture.idempotency_key).first()
    if lead is not None and lead.body_hash != body_hash:
        raise IdempotencyConflict(_("This idempotency key was already used for a different lead."))
    return lead, body_hash


def _read(brand: Brand, capture: Capture, landing_page: LandingPage | None, api_source: LeadSource | None) -> _Reading:
    email = clean_email(capture.email)
    fallback = landing_page.country if landing_page else ""
    hint = places.guess_country(
        stated=capture.country, phone_e164="", ip=capture.ip, accept_language=capture.accept_language, fallback=fallback
    )
    phone = canonical_phone(capture.phone, hint)
    if not email and not phone:
        raise DomainError(_("Enter a valid e-mail address or phone number."))
    country = places.guess_country(
        stated=capture.country,
        phone_e164=phone,
        ip=capture.ip,
        accept_language=capture.accept_language,
        fallback=fallback,
    )
    campaign = _campaign(brand, capture, landing_page, api_source)
    default = api_source.code if api_source else (campaign.source if campaign else "")
    return _Reading(
        email=email,
        phone=phone,
        country=country,
        campaign=campaign,
        language=(capture.language or (landing_page.language if landing_page else "") or brand.default_language)[
            :8
        ].lower(),
        source=(api_source.code if api_source else capture.source or default or capture.channel)[:60].lower(),
        medium=(capture.medium or (campaign.medium if campaign else ""))[:40].lower(),
        who=dedupe.person(
            email=email, phone=phone, country=country, last_name=capture.last_name, first_name=capture.first_name
        ),
        custom=arrivals.read_given(brand.pk, capture.custom),
        declared=Reader(brand).read(capture.experience, capture.intended_deposit, capture.intended_currency),
    )


def clean_email(raw: str) -> str:
    """Lower case, the host in its ASCII form; empty when it is no address."""
    email = raw.strip().lower()
    if len(email) > EMAIL_CHARS_MAX:
        return ""
    local, at, host = email.rpartition("@")
    try:
        email = f"{local}{at}{host.encode('idna').decode()}" if at else email
        validate_email(email)
    except (ValidationError, UnicodeError):
        return ""
    return email


def _campaign(
    brand: Brand, capture: Capture, landing_page: LandingPage | None, api_source: LeadSource | None
) -> Campaign | None:
    """Find the campaign that utm_campaign names, else the page's, else the source's."""
    if capture.campaign:
        campaign = Campaign.objects.filter(brand=brand, code=capture.campaign[:60].lower()).first()
        if campaign is not None:
            return campaign
    return (landing_page.campaign if landing_page else None) or (api_source.campaign if api_source else None)


def _score(
    brand: Brand, capture: Capture, reading: _Reading, known: dedupe.Match | None
) -> tuple[scoring.Score, Prospect]:
    seen_before = Lead.objects.filter(client=known.client).count() if known else 0
    rules = scoring.rules_of(brand.pk, timezone.now().date())
    known_in = segments_of([known.client.pk]) if known and scoring.asks_segments(rules) else {}
    before = LeadFacts.objects.filter(client=known.client).first() if known else None
    declared = reading.declared
    signals = scoring.Signals(
        country=reading.country,
        language=reading.language,
        brand_languages=tuple(brand.languages),
        email=reading.email,
        phone=reading.phone,
        phone_was_typed=bool(capture.phone.strip()),
        campaign=reading.campaign.code if reading.campaign else "",
        campaign_quality=reading.campaign.quality if reading.campaign else None,
        source=reading.source,
        times_seen=seen_before + 1,
        is_referred=bool(capture.referral_code),
        is_registered=known is not None and known.client.registered_at is not None,
        has_message=bool(capture.message),
        has_consent=capture.has_consent,
        at=timezone.now(),
        now=timezone.now(),
        engagement=engagement_of([known.client.pk], timezone.now()).get(known.client.pk, NOTHING) if known else NOTHING,
        custom={field.key: value for field, value in reading.custom.items()},
        experience=declared.experience or (before.experience if before else "") or "",
        intended_deposit=declared.in_base or (before.intended_deposit if before else None),
        segments=tuple(known_in.get(known.client.pk, ())) if known else (),
    )
    return scoring.score(signals, rules), prospect_of(signals)


def _add(
    lead: Lead, capture: Capture, reading: _Reading, actor: Actor, matches: list[dedupe.Match], keep_with: Book | None
) -> tuple[Client, arrivals.Merged]:
    """Create the client of a new lead in the book that routing chose, or in the book of the agent who entered it.

    What doesn't depend on the agent is written before the agents' counters are locked, under ids drawn in advance:
    from the decision on, every other capture that could go to the same agents waits for this one's commit.
    """
    lead.client = client = Client(
        brand=lead.brand,
        first_name=capture.first_name.strip()[:80],
        last_name=capture.last_name.strip()[:80],
        email=reading.email,
        phone=reading.phone,
        country=reading.country,
        language=reading.language,
        time_zone=places.zone_of(reading.country) if reading.country else "",
        marketing_consent=capture.has_consent,
        created_at=lead.captured_at,
        score=lead.score,
        source=reading.source,
        campaign=reading.campaign.code if reading.campaign else "",
    )
    client.pk, lead.pk = next_ids(Client, Lead)
    lead.client_id = client.pk
    crypto.sealers_for_clients([client.pk])
    _announce(lead, client, reading, actor, matches)
    decision = _decide(lead, reading, keep_with)
    client.book_id, client.owner_id = decision.book_id, decision.agent_id
    client.save(force_insert=True)
    apply_decision(lead, decision, lead.captured_at)
    lead.save(force_insert=True)
    set_clocks([lead])
    if lead.refusal or reading.declared:
        rebuild_client(client.pk, "refusal", *DECLARED)
    return client, arrivals.fill_blank(client, reading.custom, is_new=True)


def _decide(lead: Lead, reading: _Reading, keep_with: Book | None) -> routing.Decision:
    candidate = candidate_of(lead, country=reading.country, custom=arrivals.named(reading.custom))
    if keep_with is not None:
        assert keep_with.owner_id is not None
        count_given({keep_with.owner_id: 1}, lead.captured_at)
        return routing.Decision(
            keep_with.pk, keep_with.owner_id, reasons=[{"code": "own_book", "agent": str(keep_with.owner)}]
        )
    if lead.refusal:
        return routing.pool_for(lead.brand, lead.captured_at, candidate)
    return routing.Router(lead.brand, lead.captured_at).assign(candidate)


def _attach(lead: Lead, known: dedupe.Match, capture: Capture, reading: _Reading) -> tuple[Client, arrivals.Merged]:
    """Add another capture to a known person: fill what is blank, overwrite nothing, and leave them with their agent."""
    client = lock(Client, known.client.pk, "owner", "book")
    while client.merged_into_id:  # while this one waited
        client = lock(Client, client.merged_into_id, "owner", "book")
    typed = {
        "first_name": capture.first_name.strip()[:80],
        "last_name": capture.last_name.strip()[:80],
        "email": reading.email,
        "phone": reading.phone,
        "country": reading.country,
    }
    filled = [name for name in FILLED_WHEN_BLANK if typed[name] and not getattr(client, name)]
    if "email" in filled and Client.objects.filter(brand_id=client.brand_id, email=typed["email"]).exists():
        filled.remove("email")
    for name in filled:
        setattr(client, name, typed[name])
    if capture.has_consent and not client.marketing_consent:
        client.marketing_consent = True
        filled.append("marketing_consent")
    if filled:
        client.save(update_fields=filled)
    merged = arrivals.fill_blank(client, reading.custom)
    lead.client = client
    lead.typed = {name: value for name, value in typed.items() if value and value != getattr(client, name)}
    lead.match_reasons = known.reasons
    now = timezone.now()
    if lead.refusal:
        lead.routing_reasons = [{"code": "refused"}]
        lead.save()
    elif client.owner_id:
        lead.assigned_to_id, lead.assigned_at = client.owner_id, now
        lead.routing_reasons = [{"code": "owner", "agent": str(client.owner)}]
        lead.save()
    else:
        router = routing.Router(lead.brand, now)
        custom = router.custom_of([client.pk]).get(client.pk)
        decision = router.assign(candidate_of(lead, country=client.country, custom=custom))
        apply_decision(lead, decision, now)
        lead.save()
        set_clocks([lead])
        move_clients(
            client_ids=[client.pk], to_book_id=decision.book_id, reason=decision.rule_name, is_owner_notified=False
        )
        client.refresh_from_db(fields=["book", "owner"])
    rebuild_lead_facts(client.pk)
    return client, merged


def _announce(lead: Lead, client: Client, reading: _Reading, actor: Actor, matches: list[dedupe.Match]) -> None:
    """Write what doesn't depend on the agent: timeline, event, and what the capture says of who the person is."""
    learn_many(_sightings(lead, client, reading))
    campaign = lead.campaign.code if lead.campaign else ""
    where = " · ".join(filter(None, [lead.source, campaign]))
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.LEAD,
        actor=actor,
        at=lead.captured_at,
        dedupe_key=f"lead:{lead.pk}",
        title=_title(lead, where),
        body=lead.message,
        data={"lead_id": lead.pk, "score": lead.score},
    )
    similar = [match.client.pk for match in matches if match.client.pk != client.pk]
    if similar:
        timeline.add_entry(
            client_id=client.pk,
            kind=TimelineKind.LEAD,
            dedupe_key=f"similar:{lead.pk}",
            data={"similar": similar},
            title=phrase("Possible duplicate of %(others)s") % {"others": ", ".join(f"#{pk}" for pk in similar)},
        )
    publish(
        LeadCaptured(
            lead_id=lead.pk,
            client_id=client.pk,
            brand_id=lead.brand_id,
            source=lead.source,
            campaign=campaign,
            duplicate=lead.is_duplicate,
        ),
        actor=actor,
    )


def _record(lead: Lead, client: Client, actor: Actor, merged: arrivals.Merged) -> None:
    """Audit, the assignment's event and the agent's bell."""
    campaign = lead.campaign.code if lead.campaign else ""
    audit.record(
        actor=actor,
        action=LeadsAction.CAPTURED,
        target=lead,
        client_id=client.pk,
        brand_id=lead.brand_id,
        after={
            "channel": lead.channel,
            "source": lead.source,
            "campaign": campaign,
            "score": lead.score,
            "duplicate": lead.is_duplicate,
            "assigned_to_id": lead.assigned_to_id,
            **({"refusal": lead.refusal, "country": lead.country_guess} if lead.refusal else {}),
            **merged.as_audit(),
            **declared_of(lead).as_audit(),
        },
        evidence={"score": lead.score_reasons, "routing": lead.routing_reasons, "match": lead.match_reasons},
    )
    if lead.assigned_to_id is None and not lead.refusal and not lead.is_duplicate:
        await_routing(lead.brand_id)
    if lead.assigned_to_id and lead.tried_agents:
        tell_assigned(lead, client, actor)
    elif lead.assigned_to_id:
        notify(
            [lead.assigned_to_id],
            kind=LeadsNotice.CAME_AGAIN,
            title=phrase("Repeat enquiry from %(client)s") % {"client": client},
            body=" · ".join(filter(None, [lead.source, campaign])),
            url=client.get_absolute_url(),
            dedupe_key=f"leads.came_again:{lead.pk}",
        )


def _title(lead: Lead, where: str) -> LocalizedText:
    if lead.refusal:
        return phrase("Lead refused, country not accepted (%(country)s): %(where)s") % {
            "country": country(lead.country_guess),
            "where": where,
        }
    title = phrase("Repeat enquiry: %(where)s") if lead.is_duplicate else phrase("Lead captured: %(where)s")
    return title % {"where": where}


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16] if text else ""
