"""The cockpits of those who control, and of administrators: four figures, a chart, a queue, lists that match."""

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.utils import timezone
from guardian.shortcuts import assign_perm

from clients.models import Client
from compliance.restrictions import place_restriction
from compliance.views import home_cards as mlro
from crm.models import User, WorkItem
from ib.models import Partner, PartnerDay, ReferralDay, ReferralLink, SettlementPeriod
from ib.views import home_cards as ib
from kyc.choices import DocumentState
from kyc.models import CheckRun, Document, Issue
from kyc.views import officer_cards as officer
from reports.figures import today_of
from reports.homes import finance
from reports.models import DayFigure
from tests.ib.factories import load_rates as fixed_rates
from tests.ib.factories import make_partner
from tests.kyc.test_limits import a_document
from tests.reports.factories import make_day
from tests.trading.factories import make_server
from tests.wallet.conftest import load_rates
from tests.wallet.factories import make_psp
from tests.wallet.withdrawals.test_withdrawal import IBAN, paid_in
from wallet.closing import home_cards as money
from wallet.core.rollup import rollup_of
from wallet.models import ClientMoneyDay
from wallet.withdrawals.verbs import WithdrawalRequest, request_withdrawal

ROLES = ("kyc_officer", "mlro", "finance", "ib_manager", "auditor", "administrator")
KPI = re.compile(r'<(?:a href="([^"]*)"|div) class="k-kpi(?!s)')
WAITING = re.compile(r'hx-get="(/tiles/home/[^"]+)" hx-trigger="load"')


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


def rows_of(browser, address: str) -> list:
    return list(browser.get(address).context["table"].page.rows)


@pytest.fixture
def world(cast):
    """Documents in every state and a restriction: each home has something to show."""
    now = timezone.now()
    pending = a_document(cast.client, state=DocumentState.PENDING_REVIEW, kind="passport")
    run = CheckRun.objects.create(document=pending, state="done", version="1", started_at=now, finished_at=now)
    Document.objects.filter(pk=pending.pk).update(uploaded_at=now - dt.timedelta(hours=30), checked_at=now)
    Issue.objects.create(run=run, document=pending, code="EXPIRED", severity="blocking", score=1)
    Issue.objects.create(run=run, document=pending, code="GLARE", severity="warning", score=1)
    approved = {"state": DocumentState.APPROVED, "reviewed_by": cast.kyc_officer, "reviewed_at": now}
    soon = timezone.localdate() + dt.timedelta(days=9)
    a_document(cast.client, kind="id_card", uploaded_at=now, checked_at=now, expires_on=soon, **approved)
    partner = make_partner(cast.brand)
    link = ReferralLink.objects.create(partner=partner, code="spring")
    ReferralDay.objects.create(link=link, day=now.date(), clicks=20, registrations=5)
    period = SettlementPeriod.objects.create(
        brand=cast.brand, name="now", starts_at=now - dt.timedelta(days=40), ends_at=now - dt.timedelta(hours=1)
    )
    PartnerDay.objects.create(
        partner=partner, period=period, day=now.date(), currency="EUR", amount=75, lots=10, trades=3, unpaid=1
    )
    make_day(
        DayFigure,
        day=today_of(frozenset({cast.brand.pk})),
        brand=cast.brand,
        deposits=900,
        withdrawals=200,
        first_deposits=2,
    )
    make_server(name="First")
    place_restriction(client_id=cast.client.pk, kind="no_deposit", reason="Asked by the police", actor=cast.mlro)
    return cast


@pytest.mark.parametrize("role", ROLES)
def test_each_home_has_four_figures_and_every_link_opens(role, world, browse):
    browser = browse(getattr(world, role))
    page = browser.get("/home/").content.decode()
    links = KPI.findall(page)
    assert len(links) == 4 and all(links)
    assert "k-cockpit-main single" not in page
    parts = [page[page.index('class="k-cockpit"') :]]
    for address in WAITING.findall(page):  # fetched after the page is there, and never empty
        answer = browser.get(address)
        assert answer.status_code == 200 and b"card-title" in answer.content, address
        parts.append(answer.content.decode())
    for address in sorted({*links, *(link for part in parts for link in re.findall(r'href="(/[^"#]*)"', part))}):
        answer = browser.get(address.replace("&amp;", "&"), follow=True)
        assert answer.status_code == 200, (role, address)


# What the home costs with its cards: each reads a statement or two, however many rows there are.
QUERIES = {"kyc_officer": 16, "mlro": 16, "finance": 23, "ib_manager": 19, "auditor": 13, "administrator": 17}


@pytest.mark.parametrize("role", ROLES)
def test_a_home_costs_the_same_however_much_there_is(role, world, browse, django_assert_num_queries):
    browser = browse(getattr(world, role))
    browser.get("/home/")
    with django_assert_num_queries(QUERIES[role]):
        browser.get("/home/")


# ── KYC ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_officers_figures_are_those_of_their_lists(world, browse):
    browser, user = browse(world.kyc_officer), fresh(world.kyc_officer)
    waiting, decided = officer.waiting(user), officer.decided_today(user)
    assert (waiting.value, waiting.hint) == ("1", "1 late") and len(rows_of(browser, waiting.url)) == 1
    assert (decided.value, decided.hint) == ("1", "1 by the whole team") and len(rows_of(browser, decided.url)) == 1
    assert officer.decided_today(fresh(world.mlro)).value == "0"
    for bar in officer.issues_this_week(user).bars:
        assert len(rows_of(browser, bar.url)) == bar.count == 1
    expiring = officer.expiring(user)
    assert [row.end_note for row in expiring.rows] == ["9 days left"] and len(rows_of(browser, expiring.url)) == 1


def test_the_oldest_wait_turns_red_when_it_is_late(world):
    kpi = officer.oldest_wait(fresh(world.kyc_officer))
    assert (kpi.value, kpi.tone) == ("1\u00a0d 6\u00a0h", "danger")
    WorkItem.objects.filter(state="open").update(due_at=timezone.now() + dt.timedelta(hours=1))
    assert officer.oldest_wait(fresh(world.kyc_officer)).tone == "teal"


def test_half_of_the_documents_passed_the_checks(world):
    kpi = officer.passed_checks(fresh(world.kyc_officer))
    assert (kpi.value, kpi.hint) == ("50 %", "of 2 documents in 7 days")


def test_claimed_documents_come_first_with_their_worst_finding(world):
    newer = a_document(world.client, state=DocumentState.PENDING_REVIEW, kind="selfie", uploaded_at=timezone.now())
    WorkItem.objects.filter(pk=newer.work_id).update(
        claimed_by=world.kyc_officer, claimed_at=timezone.now(), claimed_until=timezone.now() + dt.timedelta(minutes=5)
    )
    rows = officer.next_documents(fresh(world.kyc_officer)).rows
    assert [row.note for row in rows] == ["Selfie · No issues", "Passport · Expired +1"]
    assert [row.end_note for row in rows] == ["Claimed", ""]
    assert len(officer.next_documents(fresh(world.mlro)).rows) == 1  # the claimed one is a colleague's


def test_an_approved_identity_without_an_address_asks_for_the_second_document(world):
    user = fresh(world.kyc_officer)
    assert [row.end for row in officer.second_document(user).rows] == ["Missing"]
    a_document(world.client, state=DocumentState.UPLOADED, kind="proof_of_address")
    assert not officer.second_document(user).rows


# ── MLRO ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_mlros_figures_are_those_of_their_lists(world, browse):
    browser, user = browse(world.mlro), fresh(world.mlro)
    active, lifts = mlro.restrictions(user), mlro.lift_requests(user)
    assert (active.value, active.hint) == ("1", "1 placed by staff") and len(rows_of(browser, active.url)) == 1
    assert lifts.value == "0" and not rows_of(browser, lifts.url)
    assert [row.note for row in mlro.latest_restrictions(user).rows] == ["Asked by the police"]


# ── finance ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def test_todays_deposits_are_those_of_the_day_figures(world):
    kpi = finance.deposits_today(fresh(world.finance))
    assert (kpi.value, kpi.hint) == ("€900", "2 FTDs · €200 paid out")
    chart = finance.money_by_day(fresh(world.finance)).chart
    assert [series.values[-1] for series in chart.series] == [900, -200, 700]


def test_another_currency_is_converted_and_said_so(world):
    fixed_rates()
    world.other_brand.base_currency = "USD"
    world.other_brand.save()
    assign_perm("crm.access_brand", world.finance, world.other_brand)
    day = today_of(frozenset({world.brand.pk}))
    make_day(DayFigure, day=day, brand=world.other_brand, deposits=100, withdrawals=0)
    user = fresh(world.finance)
    assert finance.deposits_today(user).value == "≈ €980"
    assert finance.money_by_day(user).note.startswith("USD converted to EUR")


def test_a_currency_without_a_rate_is_named_and_not_counted(world):
    """Left out as zero and unsaid, a brand's whole day could be missing from the figure."""
    fixed_rates()
    world.other_brand.base_currency = "ISK"
    world.other_brand.save()
    assign_perm("crm.access_brand", world.finance, world.other_brand)
    day = today_of(frozenset({world.brand.pk}))
    make_day(DayFigure, day=day, brand=world.other_brand, deposits=3000, withdrawals=500)
    user = fresh(world.finance)
    kpi = finance.deposits_today(user)
    assert kpi.value == "€900"
    assert kpi.hint == "without ISK\xa03,000: no rate · 2 FTDs · €200 (without ISK\xa0500: no rate) paid out"
    assert finance.money_by_day(user).note == "The figures are without ISK\xa03,500: no rate."
    rollup = rollup_of(user)
    mixed = rollup.of(Decimal(100), "USD") + rollup.of(Decimal(7), "ISK") + rollup.of(Decimal(3), "XYZ")
    assert rollup.text(mixed) == "≈ €80 (without ISK\xa07 + XYZ\xa03: no rate)"
    assert rollup.text(rollup.of(Decimal(0), "ISK")) == "€0"


def test_a_commission_in_a_currency_of_no_brand_is_converted(world):
    """Partners are paid in currencies that no brand keeps its books in."""
    fixed_rates()
    before = ib.commission(fresh(world.ib_manager)).now
    today = timezone.now().astimezone(dt.UTC).date()
    of_partner = {"partner": Partner.objects.get(), "period": SettlementPeriod.objects.get(), "day": today}
    PartnerDay.objects.create(**of_partner, currency="USD", amount=100, trades=1)
    kpi = ib.commission(fresh(world.ib_manager))
    assert kpi.now == before + 80 and kpi.value.startswith("≈ ")
    PartnerDay.objects.create(**of_partner, currency="ISK", amount=700, trades=1)
    user = fresh(world.ib_manager)
    assert ib.commission(user).hint.startswith("without ISK\xa0700: no rate · ")
    assert ib.by_day(user).note.endswith("The figures are without ISK\xa0700: no rate.")
    assert ib.top_partners(user).rows[0].end_note == "without ISK\xa0700: no rate"


def test_a_withdrawal_waits_in_the_figure_the_queue_and_the_ages(world, browse):
    load_rates()
    Client.objects.filter(pk=world.other_client.pk).update(kyc_level=2)
    world.other_client.refresh_from_db()
    psp = make_psp(world.brand)
    paid_in(world.other_client, psp, 100_000)
    withdrawal = request_withdrawal(
        client_id=world.other_client.pk,
        request=WithdrawalRequest(amount=Decimal(300), currency="EUR", psp_id=psp.pk, destination=IBAN),
        actor=world.other_client_user,
        request_key="w",
    )
    user, browser = fresh(world.finance), browse(world.finance)
    kpi = money.withdrawals_to_decide(user)
    assert kpi.value == "€300" and kpi.hint.startswith("1 request · oldest ") and len(rows_of(browser, kpi.url)) == 1
    assert [row.end for row in money.oldest_withdrawals(user).rows] == ["€300.00"]
    assert [bar.text for bar in money.pending_by_age(user).bars] == ["1 · €300", "0 · €0", "0 · €0", "0 · €0"]
    type(withdrawal).objects.filter(pk=withdrawal.pk).update(requested_at=timezone.now() - dt.timedelta(days=9))
    assert [row.tone for row in money.oldest_withdrawals(fresh(world.finance)).rows] == ["danger"]


def a_cover(brand, currency: str, held: int, cover: str) -> None:
    ClientMoneyDay.objects.create(
        brand=brand,
        currency=currency,
        day=timezone.now().date() - dt.timedelta(days=1),
        wallets_minor=1_000,
        trading_minor=0,
        debit_minor=0,
        unallocated_minor=0,
        requirement_minor=1_000,
        bank_books_minor=held,
        bank_minor=held if cover != "transit" else 0,
        transit_minor=0 if cover != "transit" else held,
        transit_counts=True,
        resource_minor=held,
        difference_minor=held - 1_000,
        cover=cover,
        clients=1,
        content_hash="x",
        made_at=timezone.now(),
    )


@pytest.mark.parametrize(
    ("held", "cover", "value", "tone"),
    [
        (1100, "covered", "110.0 %", "success"),
        (1001, "transit", "100.1 %", "warning"),
        (990, "short", "99.0 %", "danger"),
    ],
)
def test_the_lowest_cover_is_shown_with_its_threshold(world, held, cover, value, tone):
    a_cover(world.brand, "EUR", held, cover)
    a_cover(world.brand, "USD", 2_000, "covered")
    user = fresh(world.finance)
    kpi = money.cover(user)
    assert (kpi.value, kpi.tone) == (value, tone) and "100 %" in kpi.hint
    assert [row.tone for row in money.cover_by_brand(user).rows] == [tone, "success"]


# ── IB manager ───────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_ib_managers_figures_come_from_the_day_sums(world, browse):
    browser, user = browse(world.ib_manager), fresh(world.ib_manager)
    assert ib.commission(user).value == "€75" and ib.commission(user).hint == "3 paid rows"
    assert (ib.unpaid_share(user).value, ib.unpaid_share(user).hint) == ("25.0 %", "1 of 4 rows")
    assert (ib.registrations(user).value, ib.registrations(user).hint) == ("5", "20 clicks, 25.0 % registered")
    assert [row.end for row in ib.top_partners(user).rows] == ["€75"]
    assert [(row.title, row.end) for row in ib.links(user).rows] == [("spring", "5")]
    Partner.objects.update(joined_at=timezone.now())
    new = ib.new_partners(fresh(world.ib_manager))
    assert new.value == "1" and len(rows_of(browser, new.url)) == 1


def test_what_is_over_or_new_waits_for_a_decision(world):
    Partner.objects.update(state="pending")
    rows = ib.waiting(fresh(world.ib_manager)).rows
    assert [row.note for row in rows] == ["Partner to activate", "Period to settle: finance decides"]
