"""What holds for every kind of approval, whatever its effect: one test over all that are registered."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import IntegrityError, connections, transaction
from django.db.models import Q, UniqueConstraint
from django.utils import timezone
from guardian.models import UserObjectPermission
from guardian.shortcuts import assign_perm

from crm import approvals
from crm.approvals.kinds import all_kinds
from crm.approvals.queries import _decider, _kinds_waiting, _to_decide, count_to_decide, waiting_for
from crm.choices import ApprovalState
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, Book, Notification, User
from crm.models.approvals import ApprovalMixin
from tests.cast import make_staff
from tests.crm.approvals.cases import CASES, Case, load

load()
KINDS = sorted(CASES)
pytestmark = pytest.mark.django_db


@pytest.fixture(params=KINDS)
def case(request, cast) -> Case:
    case = CASES[request.param](cast, request.getfixturevalue)
    case.outsider = case.outsider or cast.support
    return case


def approve(case: Case, actor: Any) -> Any:
    return approvals.approve(type(case.item), case.item.pk, actor=actor, **case.given)


def strangers(case: Case, cast) -> list[Any]:
    """Who has the right at another brand, where it is about a brand."""
    return [make_staff("stranger@example.com", case.role, brand=cast.other_brand)] if case.has_brand else []


def test_every_registered_kind_has_a_case():
    assert {kind.code for kind in all_kinds()} == set(KINDS)


def test_only_a_second_person_with_the_right_and_reach_approves(case, cast):
    for actor in (case.maker, case.outsider, cast.client_user, None, *strangers(case, cast)):
        with pytest.raises(NotAllowed):
            approve(case, actor)
        assert case.effects() == 0
    approve(case, case.checker)
    assert case.effects() == 1
    for again in (case.checker, case.maker):
        with pytest.raises(DomainError):
            approve(case, again)
    assert case.effects() == 1
    assert_both_names(case)


def assert_both_names(case: Case) -> None:
    """The audit says who proposed it and who decided."""
    actors = set(AuditEvent.objects.values_list("actor_id", flat=True))
    assert {case.maker.pk, case.checker.pk} <= actors


def test_a_rejection_needs_a_reason_and_has_no_effect(case, cast):
    for actor in (case.outsider, None, *([] if case.maker_may_reject else [case.maker])):
        with pytest.raises(NotAllowed):
            approvals.reject(type(case.item), case.item.pk, actor=actor, note="No")
    if not case.kind.is_rejectable:
        with pytest.raises(NotAllowed):
            approvals.reject(type(case.item), case.item.pk, actor=case.checker, note="No")
        return
    with pytest.raises(DomainError) as refusal:
        approvals.reject(type(case.item), case.item.pk, actor=case.checker, note=" ")
    assert not isinstance(refusal.value, (NotAllowed, WrongState)), "it is the reason that is missing"
    told = Notification.objects.filter(user=case.maker).count()
    approvals.reject(type(case.item), case.item.pk, actor=case.checker, note="Not so")
    assert case.effects() == 0
    if case.kind.notice:
        assert Notification.objects.filter(user=case.maker).count() == told + 1
    with pytest.raises((WrongState, NotAllowed)):
        approve(case, case.checker)
    assert case.effects() == 0


def test_only_the_maker_withdraws_and_that_has_no_effect(case, cast):
    for actor in (case.checker, case.outsider, None):
        with pytest.raises(NotAllowed):
            approvals.withdraw(type(case.item), case.item.pk, actor=actor)
    approvals.withdraw(type(case.item), case.item.pk, actor=case.maker)
    assert case.effects() == 0
    assert AuditEvent.objects.filter(action=case.kind.withdrawn, actor=case.maker).exists()
    with pytest.raises((WrongState, NotAllowed)):
        approvals.withdraw(type(case.item), case.item.pk, actor=case.maker)
    if case.is_first_again:
        approve(case, case.checker)
    else:
        with pytest.raises((WrongState, NotAllowed)):
            approve(case, case.checker)
    assert case.effects() == 0


def test_the_database_refuses_one_person_for_both(case):
    row = type(case.item)._default_manager.filter(pk=case.item.pk) if case.forged_row is None else case.forged_row
    own = {
        "state": ApprovalState.REJECTED,
        "decided_by": case.maker,
        "decided_at": timezone.now(),
        "decision_note": "No",
    }
    with pytest.raises(IntegrityError, match=case.check), transaction.atomic():
        row.update(**(case.forged or own))


def test_the_database_holds_who_decided_and_when(case):
    """Of every kind whose table is the kit's: a row written past it is refused as well."""
    model = type(case.item)
    if not issubclass(model, ApprovalMixin):
        pytest.skip("its states belong to a longer life; its table has CHECKs of its own")
    now, checker = timezone.now(), case.checker
    forgeries: dict[str, list[dict[str, Any]]] = {
        "is_decided_by_a_person": [
            {"decided_by": checker, "decided_at": now},
            {"state": ApprovalState.REJECTED, "decision_note": "No"},
            {"state": ApprovalState.REJECTED, "decision_note": "No", "decided_by": checker},
            {"state": ApprovalState.WITHDRAWN, "decided_at": now},
        ],
        "is_withdrawn_by_its_maker": [{"state": ApprovalState.WITHDRAWN, "decided_by": checker, "decided_at": now}],
        "is_rejected_with_a_reason": [{"state": ApprovalState.REJECTED, "decided_by": checker, "decided_at": now}],
        "has_a_reason": [{"reason": ""}],
    }
    for check, rows in forgeries.items():
        for values in rows:
            with pytest.raises(IntegrityError, match=check), transaction.atomic():
                model._default_manager.filter(pk=case.item.pk).update(**values)


def test_every_kind_stores_the_same_states_and_can_be_withdrawn():
    for kind in all_kinds():
        assert kind.withdrawn, f"{kind.code}: its maker can't take it back"
        if issubclass(kind.model, ApprovalMixin):
            assert kind.states is ApprovalState and kind.note == "decision_note"
    assert [state.value for state in ApprovalState] == ["pending", "approved", "rejected", "withdrawn"]


def test_where_a_subject_has_one_open_proposal_the_database_holds_it():
    for kind in all_kinds():
        if kind.one_open:
            held = [
                constraint.fields
                for constraint in kind.model._meta.constraints
                if isinstance(constraint, UniqueConstraint) and constraint.condition == Q(state=ApprovalState.PENDING)
            ]
            assert kind.one_open in held, kind.code


def test_the_checker_finds_it_in_the_list_and_the_maker_can_withdraw_there(case, cast, browse):
    code, pk = case.kind.code, case.item.pk
    page = f"/approvals/{code}/{pk}/"
    assert page in browse(case.checker).get("/approvals/").content.decode()
    assert counted(case.checker) == sum(not one.is_own for one in waiting_for(case.checker)) > 0
    if not case.maker.is_team:
        return  # a partner's own request is withdrawn on their pages
    assert page in browse(case.maker).get(f"/approvals/?kind={code}").content.decode()
    for user in (*strangers(case, cast), case.outsider):
        assert page not in browse(user).get(f"/approvals/?kind={code}").content.decode()
        assert browse(user).get(page).status_code in (403, 404)
        assert browse(user).post(f"{page}approve/").status_code in (403, 404)
    shown = browse(case.checker).get(page).content.decode()
    if case.kind.is_rejectable:
        assert f"{page}reject/" in shown
    else:
        assert case.kind.url(case.item) in shown and f"{page}reject/" not in shown
    if case.kind.is_sensitive:
        asked = browse(case.checker).post(f"{page}approve/")
        assert "reauthenticate" in asked.url and case.effects() == 0, "the person signs in again before"
        return
    if not case.maker_may_reject:
        kept = browse(case.maker).post(f"{page}reject/", {"note": "typed by hand"})
        assert kept.status_code == 422 and case.effects() == 0
    assert f"{page}withdraw/" in browse(case.maker).get(page).content.decode()
    assert browse(case.maker).post(f"{page}withdraw/").status_code == 302
    assert page not in browse(case.checker).get(f"/approvals/?kind={code}").content.decode()


def test_a_maker_who_no_longer_reaches_it_sees_it_no_more(case, cast, browse):
    if not (case.kind.client_path or case.kind.brand_path):
        pytest.skip("about the company, not about a client or brand")
    if not case.maker.is_team:
        pytest.skip("a partner's own request")
    page = f"/approvals/{case.kind.code}/{case.item.pk}/"
    assert browse(case.maker).get(page).status_code == 200
    UserObjectPermission.objects.filter(user=case.maker).delete()
    Book.objects.filter(owner=case.maker).update(owner=None)
    assert browse(case.maker).get(page).status_code == 404
    assert page not in browse(case.maker).get(f"/approvals/?kind={case.kind.code}").content.decode()


def counted(user: Any) -> int:
    """The menu's count, as the next request has it: rights and reach are read with the user."""
    return count_to_decide(User.objects.get(pk=user.pk)) or 0


def test_the_menu_counts_nothing_more_for_who_lost_right_or_reach(cast, request):
    case = CASES["bonus"](cast, request.getfixturevalue)
    before = counted(case.checker)
    assert before
    held = list(UserObjectPermission.objects.filter(user=case.checker))
    UserObjectPermission.objects.filter(user=case.checker).delete()
    assert counted(case.checker) < before
    UserObjectPermission.objects.bulk_create(held)
    assert counted(case.checker) == before
    case.checker.groups.clear()
    assert counted(case.checker) == 0


def test_the_kept_statements_read_nothing_while_they_are_written(cast, django_assert_num_queries):
    """Made of rights and reach alone: were a policy read while it is written, each process would keep an old one."""
    for person in (cast.mlro, cast.finance):
        decider = _decider(User.objects.get(pk=person.pk))
        with django_assert_num_queries(0):
            assert _to_decide.__wrapped__(decider) and _kinds_waiting.__wrapped__(decider)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("code", KINDS)
def test_two_checkers_at_once_cause_one_effect(code, cast, request):
    case = CASES[code](cast, request.getfixturevalue)
    other = make_staff("third@example.com", case.role, brand=cast.brand)
    assign_perm("crm.access_brand", other, cast.other_brand)
    gate, refused = threading.Barrier(2), []

    def go(actor: Any) -> None:
        gate.wait()
        try:
            approve(case, actor)
        except DomainError as error:
            refused.append(error)
        connections.close_all()

    threads = [threading.Thread(target=go, args=[actor]) for actor in (case.checker, other)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert (len(refused), case.effects()) == (1, 1)


def test_several_are_decided_in_one_step_each_for_itself(cast, browse):
    first, second, third = (
        CASES["policy"](cast, None),
        CASES["cost-terms"](cast, None),
        CASES["manual-journal"](cast, None),
    )
    items = [f"{case.kind.code}:{case.item.pk}" for case in (first, second, third)] + ["policy:999999", "nonsense"]
    page = browse(second.checker)
    shown = page.get("/approvals/").content.decode()
    assert items[1] in shown and items[2] not in shown, "what can't be undone is decided on its own page"
    preview = page.post("/approvals/decide/", {"items": items})
    assert "Open it and decide it on its own page." in preview.content.decode() and second.effects() == 0
    refused = page.post("/approvals/decide/", {"items": items[:2], "step": "reject", "note": " "})
    assert refused.content.decode().count("Enter a reason.") == 2
    done = page.post("/approvals/decide/", {"items": items, "step": "approve"})
    assert "Approved" in done.content.decode()
    assert (first.effects(), second.effects(), third.effects()) == (1, 1, 0)
    assert_both_names(second)
    again = page.post("/approvals/decide/", {"items": items[1:2], "step": "approve"})
    assert "Already decided." in again.content.decode() and second.effects() == 1
