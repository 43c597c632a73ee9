"""What PSPs agreed to charge: from a day on, by two people, never for a past that was judged; and the page of it."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crm import approvals
from crm.choices import ApprovalState
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent
from tests.wallet import recon
from tests.wallet.factories import at_once, make_psp
from wallet.models import Break, PspCost, PspCostProposal
from wallet.reconciliation import costs

pytestmark = pytest.mark.django_db
LONG_AGO = dt.date(2026, 1, 1)


@pytest.fixture
def psp(cast):
    return make_psp(cast.brand, "northpay")


def today():
    return timezone.now().date()


def terms(**changes):
    fields = {
        "type": "payment",
        "currency": "EUR",
        "basis_points": Decimal(200),
        "fixed_minor": 25,
        "tolerance_minor": 1,
        "valid_from": LONG_AGO,
    }
    return costs.Terms(**(fields | changes))


def agree(cast, psp, **changes):
    one = costs.propose_terms(psp_id=psp.pk, terms=terms(**changes), reason="Contract, § 4", actor=cast.finance)
    approvals.approve(PspCostProposal, one.pk, actor=cast.second_finance)
    return PspCost.objects.get(psp=psp, **{name: getattr(one, name) for name in ("type", "currency", "valid_from")})


def test_terms_count_once_a_second_person_agreed(cast, psp):
    one = costs.propose_terms(psp_id=psp.pk, terms=terms(), reason="Contract, § 4", actor=cast.finance)
    assert not PspCost.objects.exists()
    with pytest.raises(NotAllowed):
        approvals.approve(PspCostProposal, one.pk, actor=cast.finance)
    with pytest.raises(NotAllowed):
        approvals.approve(PspCostProposal, one.pk, actor=cast.administrator)
    approvals.approve(PspCostProposal, one.pk, actor=cast.second_finance)
    cost = PspCost.objects.get()
    assert (cost.percent, cost.fixed, cost.valid_from) == (Decimal(2), Decimal("0.25"), LONG_AGO)
    with pytest.raises(WrongState):
        approvals.approve(PspCostProposal, one.pk, actor=cast.second_finance)
    actions = AuditEvent.objects.filter(action__startswith="wallet.cost_terms").values_list("action", flat=True)
    assert sorted(actions) == ["wallet.cost_terms_approved", "wallet.cost_terms_proposed"]


def test_the_database_wants_a_second_person_too(cast, psp):
    one = costs.propose_terms(psp_id=psp.pk, terms=terms(), reason="Contract", actor=cast.finance)
    with pytest.raises(IntegrityError, match="cost_proposal_is_decided_by_somebody_else"), transaction.atomic():
        PspCostProposal.objects.filter(pk=one.pk).update(
            state=ApprovalState.APPROVED, decided_by=cast.finance, decided_at=timezone.now()
        )


def test_only_who_sets_up_psps_writes_terms_down_and_with_a_reason(cast, psp):
    for actor in (cast.agent, cast.auditor, cast.mlro):
        with pytest.raises(NotAllowed):
            costs.propose_terms(psp_id=psp.pk, terms=terms(), reason="x", actor=actor)
    too_much = terms(basis_points=Decimal(9_000))
    for wrong, reason in ((terms(), " "), (terms(type="fee"), "x"), (too_much, "x"), (terms(fixed_minor=-1), "x")):
        with pytest.raises(DomainError):
            costs.propose_terms(psp_id=psp.pk, terms=wrong, reason=reason, actor=cast.finance)
    assert not PspCostProposal.objects.exists()


def test_first_terms_that_look_back_are_held_against_the_reports_that_are_here(cast, psp):
    for number in (1, 2):
        recon.movement(psp, cast.client, f"D-{number}", 10_000)
    recon.report(psp, [recon.row("D-1", 10_000, fee=225), recon.row("D-2", 10_000, fee=400)])
    assert not Break.objects.exists()
    agree(cast, psp)
    one = Break.objects.get()
    assert (one.kind, one.difference_minor, one.state) == ("fee", 175, "open")


def test_the_past_is_never_edited_and_a_later_row_takes_over(cast, psp):
    agree(cast, psp)
    for day in (
        LONG_AGO,
        LONG_AGO + dt.timedelta(days=1),
        LONG_AGO - dt.timedelta(days=1),
        today() - dt.timedelta(days=1),
    ):
        with pytest.raises(DomainError):
            costs.propose_terms(psp_id=psp.pk, terms=terms(valid_from=day), reason="Better terms", actor=cast.finance)
    agree(cast, psp, valid_from=today(), basis_points=Decimal(150))
    agree(cast, psp, valid_from=today() + dt.timedelta(days=9), basis_points=Decimal(100))
    agree(cast, psp, currency="USD", valid_from=LONG_AGO)
    shown = costs.terms_of(psp, None)
    assert [(one.cost.currency, one.cost.percent, one.state) for one in shown] == [
        ("EUR", Decimal(1), "to_come"),
        ("EUR", Decimal("1.5"), "in_force"),
        ("EUR", Decimal(2), "replaced"),
        ("USD", Decimal(2), "in_force"),
    ]


def test_terms_whose_day_went_by_while_they_waited_are_not_agreed_to(cast, psp):
    agree(cast, psp)
    one = costs.propose_terms(psp_id=psp.pk, terms=terms(valid_from=today()), reason="Better terms", actor=cast.finance)
    PspCostProposal.objects.filter(pk=one.pk).update(valid_from=today() - dt.timedelta(days=3))
    with pytest.raises(DomainError, match="today or a later day"):
        approvals.approve(PspCostProposal, one.pk, actor=cast.second_finance)
    assert PspCost.objects.count() == 1


def test_the_database_changes_no_terms_and_drops_none_whose_day_has_come(cast, psp):
    cost = agree(cast, psp)
    with pytest.raises(DatabaseError, match="never change"), transaction.atomic():
        PspCost.objects.update(fixed_minor=0)
    with pytest.raises(DatabaseError, match="stay"), transaction.atomic():
        cost.delete()


def test_what_is_not_in_force_yet_is_taken_back_and_what_is_in_force_is_not(cast, psp):
    cost = agree(cast, psp)
    later = agree(cast, psp, valid_from=today() + dt.timedelta(days=3), basis_points=Decimal(900))
    with pytest.raises(WrongState):
        costs.withdraw_terms(cost_id=cost.pk, actor=cast.finance)
    with pytest.raises(NotAllowed):
        costs.withdraw_terms(cost_id=later.pk, actor=cast.auditor)
    costs.withdraw_terms(cost_id=later.pk, actor=cast.finance)
    assert list(PspCost.objects.all()) == [cost]
    ended = PspCostProposal.objects.get(basis_points=900)
    assert (ended.state, ended.ended_by) == (ApprovalState.APPROVED, cast.finance)
    assert AuditEvent.objects.filter(action="wallet.cost_terms_taken_back").count() == 1
    agree(cast, psp, valid_from=later.valid_from)


def test_refused_and_withdrawn_terms_count_for_nothing(cast, psp):
    for end in ("refuse", "withdraw"):
        one = costs.propose_terms(psp_id=psp.pk, terms=terms(), reason="Contract", actor=cast.finance)
        with pytest.raises(WrongState):
            costs.propose_terms(psp_id=psp.pk, terms=terms(), reason="again", actor=cast.administrator)
        if end == "refuse":
            with pytest.raises(DomainError):
                approvals.reject(PspCostProposal, one.pk, actor=cast.second_finance, note="")
            approvals.reject(PspCostProposal, one.pk, actor=cast.second_finance, note="The contract says 1.4 %")
        else:
            with pytest.raises(NotAllowed):
                approvals.withdraw(PspCostProposal, one.pk, actor=cast.second_finance)
            approvals.withdraw(PspCostProposal, one.pk, actor=cast.finance)
    assert not PspCost.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_who_agree_at_once_agree_once(cast, psp):
    one = costs.propose_terms(psp_id=psp.pk, terms=terms(), reason="Contract", actor=cast.administrator)

    def decide(number):
        try:
            approvals.approve(PspCostProposal, one.pk, actor=(cast.finance, cast.second_finance)[number])
        except WrongState:
            return "late"
        return "agreed"

    answers = at_once(decide, 2)
    assert sorted(answers) == ["agreed", "late"]
    assert PspCost.objects.count() == 1


# ── the page ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def filled(**changes):
    return {
        "type": "payment",
        "currency": "eur",
        "percent": "1.4",
        "fixed": "0.25",
        "tolerance": "",
        "valid_from": "2026-01-01",
        "reason": "Contract of 3 March, § 4",
    } | changes


def test_terms_are_written_and_agreed_to_in_the_browser(cast, psp, browse):
    page, new = reverse("wallet:psp_costs", args=[psp.pk]), reverse("wallet:psp_cost_new", args=[psp.pk])
    finance, second = browse(cast.finance), browse(cast.second_finance)
    assert "No terms yet" in finance.get(page).content.decode()
    assert finance.get(new).status_code == 200
    assert finance.post(new, filled()).status_code == 302
    one = PspCostProposal.objects.get()
    assert (one.basis_points, one.fixed_minor, one.tolerance_minor, one.currency) == (Decimal(140), 25, 1, "EUR")
    shown = finance.get(page).content.decode()
    assert "Someone else must decide" in shown and "1.40" in shown
    address = f"/approvals/cost-terms/{one.pk}/"
    assert second.post(f"{address}reject/", {"note": ""}).status_code == 422
    assert second.post(f"{address}approve/", {"next": page}).url == page
    assert PspCost.objects.get().basis_points == 140
    assert 'data-key="n"' in finance.get(page).content.decode()
    assert browse(cast.auditor).get(new).status_code == 403


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"currency": "jpy", "fixed": "0.5"}, "Too many decimal places"),
        ({"currency": "eur, usd"}, "one currency only"),
        ({"percent": "51"}, "less than or equal to 50"),
        ({"percent": "1.23456"}, "4 decimal places"),
        ({"valid_from": "soon"}, "valid date"),
        ({"reason": ""}, "required"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(cast, psp, browse, changes, words):
    answer = browse(cast.finance).post(reverse("wallet:psp_cost_new", args=[psp.pk]), filled(**changes))
    assert answer.status_code == 422
    shown = answer.content.decode()
    assert words in shown
    assert ("Contract of" in shown) == ("reason" not in changes)
    assert not PspCostProposal.objects.exists()


def test_three_decimals_are_kept(cast, psp, browse):
    browse(cast.finance).post(
        reverse("wallet:psp_cost_new", args=[psp.pk]), filled(currency="kwd", fixed="0.125", percent="0.0125")
    )
    one = PspCostProposal.objects.get()
    assert (one.fixed_minor, one.tolerance_minor, one.basis_points) == (125, 1, Decimal("1.25"))


def test_the_page_says_what_of_the_last_report_disagrees_and_which_currencies_have_no_terms(cast, psp, browse):
    agree(cast, psp)
    for number in (1, 2, 3):
        recon.movement(psp, cast.client, f"D-{number}", 10_000)
    report = recon.report(psp, [recon.row(f"D-{number}", 10_000, fee=400) for number in (1, 2)], last=10)
    shown = browse(cast.auditor).get(reverse("wallet:psp_costs", args=[psp.pk])).content.decode()
    assert "2 rows differ" in shown and report.file_name in shown
    late = recon.report(psp, [recon.row("D-3", 10_000, fee=225)], first=11, match=True)
    late.totals = {"EUR": {}, "USD": {}}
    late.save()
    shown = browse(cast.auditor).get(reverse("wallet:psp_costs", args=[psp.pk])).content.decode()
    assert "all match" in shown and "rows in USD" in shown
    agree(cast, psp, valid_from=today())
    assert [(one.state, one.disagree) for one in costs.terms_of(psp, late)] == [("in_force", None), ("replaced", None)]


def test_out_of_reach_is_not_there(cast, browse):
    other = make_psp(cast.other_brand, "elsewhere")
    assert browse(cast.finance).get(reverse("wallet:psp_costs", args=[other.pk])).status_code == 404


def test_the_page_asks_a_bounded_number_of_questions(cast, psp, browse):
    for number in range(6):
        agree(cast, psp, valid_from=today() + dt.timedelta(days=number), type="refund")
        costs.propose_terms(
            psp_id=psp.pk, terms=terms(valid_from=today() + dt.timedelta(days=number)), reason="x", actor=cast.finance
        )
    recon.movement(psp, cast.client, "D-1", 10_000)
    recon.report(psp, [recon.row("D-1", 10_000, fee=400)])
    browser = browse(cast.second_finance)
    browser.get("/profile/")
    with CaptureQueriesContext(connection) as asked:
        assert browser.get(reverse("wallet:psp_costs", args=[psp.pk])).status_code == 200
    assert len(asked) <= 16, len(asked)
