"""Partners' part of the demo: two trees of four levels, plans with versions, referred clients, three months of
commissions by the real engine, and the settlements of the months that are over.

The first partner of each brand can be signed in as. Leaves `demo.extra["partners"]`: {brand code: [Partner, …]}.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db.models import Case, When

from clients.choices import Stage
from clients.models import Client
from crm.accounts.demo_mode import PASSWORD, TOTP_SECRET
from crm.choices import Role
from crm.db.bulk import copy_models
from crm.demo import Demo
from crm.models import Brand, User
from ib import engine, links, partners, plans, tree
from ib.abuse import demo as abuse
from ib.agreements import ranks
from ib.agreements.cards import ComponentRow, CpaRow, RateCard, TierRow, Tiers, VersionTerms
from ib.agreements.what_if import run_what_if
from ib.applications import applying
from ib.applications.agreement import agreement_for
from ib.choices import ApplicantKind, AttributionMethod, ExpectedClients, PartnerState, RunKind, TeamRole, VersionState
from ib.manager_pages import revenue
from ib.manager_tasks import demo as manager_tasks
from ib.materials import demo as materials
from ib.models import Attribution, Partner, PartnerSpell, PlanVersion, ReferralDay
from ib.news import demo as news
from ib.settlements import demo as settlements
from ib.team import members
from ib.tracking import demo as tracking
from ib.tracking import source_days

# name, level; each is below the last one before it with a smaller level.
TREES: dict[str, list[tuple[str, int]]] = {
    "meridian": [
        ("Alpenblick Capital", 1),
        ("Rheinland Trading Partners", 2),
        ("FX-Akademie Köln", 3),
        ("Jan Petersen", 4),
        ("Börsenkreis Bonn", 4),
        ("Miriam Vogt", 3),
        ("Donau Brokers", 2),
        ("Wiener Handelsclub", 3),
        ("Sabine Moser", 4),
        ("Tirol Invest", 3),
        ("Levante Markets", 1),
        ("Academia Trading Sevilla", 2),
        ("Raúl Ortiz", 3),
        ("Carmen Solís", 3),
        ("Lisboa FX", 2),
        ("Tiago Almeida", 3),
        ("Beatriz Lopes", 4),
        ("Circolo Trader Milano", 2),
        ("Luca Ferri", 3),
        ("Chiara Neri", 4),
        ("Atelier du Marché", 2),
    ],
    "southern": [
        ("Harbour Introducers", 1),
        ("Sydney Trading School", 2),
        ("Mason Clarke", 3),
        ("Priya Raman", 3),
        ("Lion City Partners", 2),
        ("Wei Ling Tan", 3),
        ("Arjun Nair", 4),
        ("Kiwi FX Collective", 1),
        ("Hana Walker", 2),
        ("Tane Rewi", 3),
    ],
}
# Applied through the first partner's link, and awaits approval.
TEAM = {TeamRole.FINANCE: "Greta Vogt", TeamRole.MARKETING: "Luis Marin", TeamRole.READ_ONLY: "Ada Whitfield"}
APPLICANTS = {"meridian": "Pfalz Invest", "southern": "Harbourside Traders"}
MERIDIAN_CURRENCIES = ("EUR", "EUR", "EUR", "EUR", "USD", "EUR", "GBP")
SUB_IDS = ("", "", "video-12", "video-14", "bio", "post-07")
CLICK_COUNTRIES = ("DE", "AT", "ES", "IT", "PT", "FR", "")
CAMPAIGNS = ("YouTube", "Newsletter", "Webinar", "Telegram group", "Blog")
SHARES = {1: Decimal("0.60"), 2: Decimal("0.22"), 3: Decimal("0.12"), 4: Decimal("0.06")}
# plan → rate per lot by symbol group: the pot that the levels share.
PLANS: dict[str, dict[str, str]] = {
    "Standard": {"fx_majors": "7", "fx_minors": "8", "metals": "9", "indices": "1.2", "energies": "4", "crypto": "1.5"},
    "Gold": {"fx_majors": "9", "fx_minors": "10", "metals": "12", "indices": "1.8", "energies": "5", "crypto": "2"},
    "Platinum": {"fx_majors": "11", "fx_minors": "12", "metals": "14", "indices": "2", "energies": "6", "crypto": "3"},
}
# What the plan of each fourth partner, the first one's too, pays per challenge that a client buys: so much, and 10 % of its fee.
FOR_CHALLENGES = (ComponentRow("sale", "", "", Decimal(10)), ComponentRow("sale_share", "", "", Decimal("0.1")))
# The ranks of the second version of the first plan, by the lots of own clients in the last full month.
TIERS = Tiers((TierRow("Silver", Decimal(10), Decimal("1.05")), TierRow("Gold", Decimal(80), Decimal("1.15"))))
# What a partner needs for a plan: lots in 30 days, and active clients.
ENTRIES = {"Standard": (0, 1), "Gold": (100, 5), "Platinum": (400, 12)}
# A trade must be held that long before it earns anybody anything.
HOLD_SECONDS = 60
REFERRED_SHARE = 0.45
# The partner whose login the demo names has clients of their own to show.
FIRST_PARTNER_WEIGHT = 7
CLICK_DAYS = 130
REFERRED_STAGES = (Stage.REGISTERED, Stage.VERIFIED, Stage.FUNDED, Stage.ACTIVE, Stage.DORMANT)


def load(demo: Demo) -> None:
    """Everything in order; nothing where the demo has no brands."""
    demo.extra["partners"] = {}
    for number, brand in enumerate(demo.brands):
        demo.progress("Partners and commissions", number, len(demo.brands))
        began = demo.since - dt.timedelta(days=90)
        registered = _partners(demo, brand, began)
        demo.extra["partners"][brand.code] = registered
        _plans(demo, brand, registered, began)
        _move_one(demo, brand, registered)
        _second_links(demo, registered)
        _link_wallets(brand, registered[:3])
        _refer(demo, brand, registered)
        _clicks(demo, registered)
        settlements.agree_terms(demo, brand, registered, began)
        ranks.review_ranks(brand=brand, at=demo.now)
        engine.run(
            brand=brand, scope=engine.Scope(from_at=demo.since, to_at=demo.now), kind=RunKind.NIGHTLY, corrects=False
        )
        _try_out(demo, brand)
        settlements.settle_months(demo, brand, registered[0])
        settlements.load(demo, brand, registered)
        _apply(brand, registered[0])
        revenue.keep_days(brand, now=demo.now)
        source_days.keep_days(brand, today=demo.now.date())
        news.load(demo, brand, registered)
        materials.load(demo, brand, registered)
        tracking.load(demo, brand, registered)
        manager_tasks.load(demo, brand, registered)
        abuse.load(demo, brand, registered)
    demo.progress("Partners and commissions", 1, 1)


def _apply(brand: Brand, inviter: Partner) -> None:
    """Somebody applies through the first partner's link."""
    wording = agreement_for(brand, brand.default_language)
    applying.apply(
        brand=brand,
        details=partners.PartnerDetails(
            name=APPLICANTS[brand.code],
            email=f"applicant@{brand.code}.example",
            currency=inviter.currency,
            parent_id=inviter.pk,
            manager=inviter.manager,
        ),
        answers=applying.Answers(
            kind=ApplicantKind.COMPANY,
            country="DE" if brand.code == "meridian" else "AU",
            channels="Seminars and a newsletter with some 400 readers",
            clients_per_month=ExpectedClients.SOME,
            website=f"https://applicant.{brand.code}.example/",
        ),
        accepted=applying.Accepted(wording.language, wording.sha256),
    )


def _partners(demo: Demo, brand: Brand, began: dt.datetime) -> list[Partner]:
    """Register the tree, each below the last partner of a smaller level; all sign in with the demo's password."""
    manager = demo.by_role[Role.IB_MANAGER][0]
    made: list[Partner] = []
    above: dict[int, Partner] = {}
    names = TREES[brand.code]
    for number, (name, level) in enumerate(names[: max(4, demo.count(len(names)))]):
        currency = (
            MERIDIAN_CURRENCIES[number % len(MERIDIAN_CURRENCIES)] if brand.code == "meridian" else brand.base_currency
        )
        email = f"partner{number + 1}@{brand.code}.example"
        details = partners.PartnerDetails(
            name=name,
            email=email,
            currency=currency,
            code=f"{brand.code[:3]}-{number + 1:03}",
            parent_id=above[level - 1].pk if level > 1 else None,
            manager=manager,
        )
        partner = partners.register_partner(
            brand=brand, details=details, actor=None, at=began + dt.timedelta(hours=number)
        )
        above[level] = partner
        made.append(partner)
    password = make_password(PASSWORD)
    User.objects.filter(pk__in=[partner.user_id for partner in made]).update(password=password)
    User.objects.filter(pk=made[0].user_id).update(preferences={"demo_login": True})
    _team(made[0], brand, password)
    if len(made) > 5:
        _block_one(demo, made[-1])
    return made


def _team(partner: Partner, brand: Brand, password: str) -> None:
    """The first partner is a company: one colleague per role, with the demo's password and second factor."""
    from allauth.mfa.models import Authenticator
    from allauth.mfa.utils import encrypt

    for role, name in TEAM.items():
        member = members.add_member(
            partner_id=partner.pk, name=name, email=f"{role.value}@team.{brand.code}.example", role=role, actor=None
        )
        User.objects.filter(pk=member.user_id).update(password=password)
        Authenticator.objects.create(
            user=member.user, type=Authenticator.Type.TOTP, data={"secret": encrypt(TOTP_SECRET)}
        )


def _block_one(demo: Demo, partner: Partner) -> None:
    """One partner was stopped six weeks ago: later trades of their clients show why they were not paid."""
    at = demo.now - dt.timedelta(days=45)
    spell = PartnerSpell.objects.get(partner=partner, ends_at__isnull=True)
    spell.ends_at = at
    spell.save(update_fields=["ends_at"])
    partner.state = PartnerState.BLOCKED
    partner.save(update_fields=["state"])


def _plans(demo: Demo, brand: Brand, found: list[Partner], began: dt.datetime) -> None:
    """Two plans; the first got a second version in the middle of the three months; a third waits for a second person."""
    maker, checker = demo.by_role[Role.IB_MANAGER][0], demo.by_role[Role.FINANCE][0]
    made = []
    for name, rates in PLANS.items():
        plan = plans.create_plan(
            brand=brand, name=name, description="One rate per lot, shared by four levels", actor=maker
        )
        card = replace(_card(rates), components=FOR_CHALLENGES if name == "Gold" else ())
        _version(plan.pk, maker, checker, began, brand.base_currency, card, note="First rates")
        lots, clients = ENTRIES[name]
        plans.set_entry(plan_id=plan.pk, lots=Decimal(lots), clients=clients, actor=maker)
        made.append(plan)
    better = {group: Decimal(rate) + Decimal("0.5") for group, rate in PLANS["Standard"].items()}
    middle = (demo.now - dt.timedelta(days=40)).replace(hour=0, minute=0, second=0, microsecond=0)
    _version(
        made[0].pk,
        maker,
        checker,
        middle,
        brand.base_currency,
        replace(_card(better), tiers=TIERS),
        note="Half a unit more per lot",
    )
    card = _card(PLANS["Gold"], {("metals", 1): Decimal("7")})
    proposal = plans.draft_version(
        plan_id=made[1].pk,
        actor=maker,
        terms=VersionTerms(
            starts_at=demo.now + dt.timedelta(days=7),
            currency=brand.base_currency,
            card=replace(
                card,
                components=(ComponentRow("commission", "", "", Decimal("0.15"), Decimal(25)), *FOR_CHALLENGES),
                cpa=(CpaRow((), Decimal(150), min_deposit=Decimal(500), min_lots=Decimal(2)),),
            ),
            min_hold_seconds=HOLD_SECONDS,
            note="Metals: a fixed 7 for the direct partner; a part of the platform's commission, and CPA",
        ),
    )
    plans.propose_version(version_id=proposal.pk, actor=maker)
    for number, partner in enumerate(found):
        plans.assign_plan(
            partner_id=partner.pk,
            plan_id=made[1 if number % 4 == 0 else 0].pk,
            actor=None,
            at=began + dt.timedelta(days=1),
        )


def _try_out(demo: Demo, brand: Brand) -> None:
    """What the proposed version would have cost in the last 30 days, for whoever decides."""
    proposal = PlanVersion.objects.get(plan__brand=brand, state=VersionState.PENDING)
    run_what_if(version_id=proposal.pk, days=30, for_plan_id=None, actor=proposal.made_by, at=demo.now)


def _card(rates: dict[str, Any], overrides: dict[tuple[str, int], Decimal] | None = None) -> RateCard:
    return RateCard({group: Decimal(rate) for group, rate in rates.items()}, dict(SHARES), overrides or {})


def _version(
    plan_id: int, maker: User, checker: User, starts_at: dt.datetime, currency: str, card: RateCard, note: str
) -> None:
    terms = VersionTerms(
        starts_at=starts_at,
        currency=currency,
        card=card,
        note=note,
        account_groups=("real*", "LIVE_*", "RL-*"),
        min_hold_seconds=HOLD_SECONDS,
    )
    version = plans.draft_version(plan_id=plan_id, actor=maker, terms=terms)
    plans.propose_version(version_id=version.pk, actor=maker)
    plans.activate_version(version_id=version.pk, actor=checker, reason="Within the budget", at=starts_at)


def _move_one(demo: Demo, brand: Brand, found: list[Partner]) -> None:
    """One partner of the third level went to another parent a month ago: earlier trades keep their upline."""
    third = [partner for partner, (_name, level) in zip(found, TREES[brand.code], strict=False) if level == 3]
    second = [partner for partner, (_name, level) in zip(found, TREES[brand.code], strict=False) if level == 2]
    if len(third) < 2 or len(second) < 2:
        return
    mover = third[1]
    target = next((partner for partner in reversed(second) if partner != tree.parent_of(mover)), None)
    if target is not None:
        tree.move_partner(
            partner_id=mover.pk,
            parent_id=target.pk,
            actor=demo.by_role[Role.IB_MANAGER][0],
            reason="Agreed with both sides",
            at=demo.now - dt.timedelta(days=30),
        )


def _refer(demo: Demo, brand: Brand, found: list[Partner]) -> None:
    """Part of the registered clients came through a partner's link, lower levels bringing more of them."""
    clients = Client.objects.filter(
        brand=brand, stage__in=REFERRED_STAGES, registered_at__isnull=False, as_partner__isnull=True
    ).order_by("pk")
    codes = {partner.pk: list(partner.referral_links.order_by("pk")) for partner in found}
    weights = [1 + level for _name, level in TREES[brand.code][: len(found)]]
    weights[0] = FIRST_PARTNER_WEIGHT
    rows, where = [], Random(6)
    for pk, registered_at in clients.values_list("pk", "registered_at"):
        if demo.rng.random() > REFERRED_SHARE:
            continue
        assert registered_at is not None
        partner = demo.rng.choices(found, weights)[0]
        rows.append(
            Attribution(
                client_id=pk,
                partner=partner,
                link=demo.rng.choice(codes[partner.pk]),
                method=AttributionMethod.LINK,
                sub_id=where.choice(SUB_IDS),
                starts_at=min(registered_at, demo.now),
            )
        )
    copy_models(rows)


def _link_wallets(brand: Brand, some: list[Partner]) -> None:
    """Link trading clients to the first partners, before any is referred: verified, with an account in their currency."""
    for partner in some:
        client = (
            Client.objects.filter(
                brand=brand,
                stage__in=(Stage.FUNDED, Stage.ACTIVE),
                kyc_level__gte=1,
                user__isnull=False,
                trading_accounts__currency=partner.currency,
                trading_accounts__state="open",
                trading_accounts__is_demo=False,
                as_partner__isnull=True,
            )
            # a small demo may have no better one
            .order_by("restrictions__len", Case(When(risk_rating="high", then=1), default=0), "pk")
            .first()
        )
        if client is not None:
            partners.link_wallet(partner_id=partner.pk, client_id=client.pk, actor=None, reason="Their own record")


def _second_links(demo: Demo, found: list[Partner]) -> None:
    """Create a second link for some partners."""
    for partner in found[::3]:
        links.create_link(
            partner_id=partner.pk, campaign=demo.rng.choice(CAMPAIGNS), actor=None, code=f"{partner.code}-b"
        )


def _clicks(demo: Demo, found: list[Partner]) -> None:
    """Count clicks of the last months on all links; the days on which clients registered had more of them."""
    today = demo.now.date()
    came: defaultdict[tuple[int | None, dt.date], list[tuple[str, str]]] = defaultdict(list)
    referred = Attribution.objects.filter(partner__in=found).order_by("pk")
    for link_id, at, sub_id, country in referred.values_list("link_id", "starts_at", "sub_id", "client__country"):
        came[link_id, at.date()].append((sub_id, country))
    where = Random(7)
    clicks: Counter[tuple[int, dt.date, str, str]] = Counter()
    for partner in found:
        for link in partner.referral_links.all():
            usual = demo.rng.uniform(0.5, 6)
            for back in range(CLICK_DAYS):
                day = today - dt.timedelta(days=back)
                clicks[link.pk, day, where.choice(SUB_IDS), where.choice(CLICK_COUNTRIES)] += max(
                    0, int(demo.rng.gauss(usual, usual / 2))
                )
                each = demo.rng.randint(6, 20)
                for source in came[link.pk, day]:
                    clicks[link.pk, day, *source] += each
    rows = [
        ReferralDay(
            link_id=link_id,
            day=day,
            sub_id=sub_id,
            country=country,
            clicks=number,
            registrations=came[link_id, day].count((sub_id, country)),
        )
        for (link_id, day, sub_id, country), number in clicks.items()
        if number
    ]
    copy_models(rows)
