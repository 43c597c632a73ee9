"""Outcomes that need a second person: a match on a watchlist, by the kit of work and that of approvals."""

import threading

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from clients.models import Client
from compliance import hits, screening
from compliance.choices import HitState
from compliance.models import Hit
from crm import approvals, work
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import Notification, WorkItem, WorkProposal
from crm.security import audit
from crm.work.entries import entries_of
from crm.work.kinds import Outcome, WorkKind
from crm.work.queries import figures
from tests.brand_policies import set_policies
from tests.compliance.factories import load
from tests.crm.work.factories import MINUTE, NOW

pytestmark = pytest.mark.django_db
REASON = "The passport number agrees. " + "Seen by video. " * 30


@pytest.fixture
def hit(cast, tmp_path):
    load(tmp_path, {"first": "Klara", "second": "Weber"})
    screening.screen_client(client_id=cast.client.pk, trigger="demand")
    return Hit.objects.get()


def confirm(hit, actor):
    return hits.confirm_hit(hit_id=hit.pk, actor=actor, reason=REASON)


def clear(hit, actor):
    return hits.clear_hit(hit_id=hit.pk, actor=actor, reason_code="document", reason="Another passport")


def rate_high(client):
    Client.objects.filter(pk=client.pk).update(risk_rating="high")


def test_a_true_match_takes_effect_with_the_second_person(cast, hit):
    assert confirm(hit, cast.kyc_officer).state == HitState.OPEN
    item = WorkItem.objects.get()
    assert (item.proposed_outcome, item.proposed_by, item.state) == ("confirmed", cast.kyc_officer, "open")
    assert Client.objects.get(pk=cast.client.pk).risk_rating != "high"
    proposal = WorkProposal.objects.get()
    assert Notification.objects.filter(user=cast.mlro, kind="crm.work_proposed").count() == 1
    approvals.approve(WorkProposal, proposal.pk, actor=cast.mlro)
    hit.refresh_from_db()
    item.refresh_from_db()
    assert (hit.state, hit.decided_by, hit.reason) == (HitState.CONFIRMED, cast.mlro, REASON.strip())
    assert (item.state, item.outcome, item.decided_by, item.proposed_by) == (
        "final",
        "confirmed",
        cast.mlro,
        cast.kyc_officer,
    )
    assert Client.objects.get(pk=cast.client.pk).risk_rating == "high"
    assert [shown.entry.act for shown in entries_of(item)] == ["proposed", "decided"]


def test_who_proposed_neither_decides_nor_claims(cast, hit):
    confirm(hit, cast.mlro)
    proposal, item = WorkProposal.objects.get(), WorkItem.objects.get()
    for verb in (approvals.approve, approvals.reject):
        with pytest.raises(NotAllowed, match="someone else must decide"):
            verb(WorkProposal, proposal.pk, actor=cast.mlro, note="No")
    with pytest.raises(NotAllowed, match="someone else must decide"):
        work.claim(item_id=item.pk, actor=cast.mlro)
    assert work.claim_next(hits.MATCH, actor=cast.mlro) is None
    (line,) = work.plan(item_ids=[item.pk], user=cast.mlro, to=cast.mlro)
    assert "someone else must decide" in line.problem
    assert work.claim_next(hits.MATCH, actor=cast.kyc_officer) == item


def test_nothing_else_is_decided_while_it_waits(cast, hit):
    confirm(hit, cast.mlro)
    for verb in (confirm, clear):
        with pytest.raises(DomainError):
            verb(hit, cast.kyc_officer)
    hit.refresh_from_db()
    assert hit.state == HitState.OPEN and WorkProposal.objects.count() == 1


def test_a_rejection_gives_it_back_to_the_queue_with_the_reason(cast, hit):
    confirm(hit, cast.kyc_officer)
    approvals.reject(WorkProposal, WorkProposal.objects.get().pk, actor=cast.mlro, note="The photo differs")
    item = WorkItem.objects.get()
    assert (item.state, item.proposed_by, item.proposed_outcome, item.outcome) == ("open", None, "", "")
    shown = entries_of(item)[-1]
    assert (shown.entry.act, shown.text, shown.entry.other) == ("rejected", "The photo differs", cast.kyc_officer)
    answer = Notification.objects.get(user=cast.kyc_officer, kind="crm.proposal_decided")
    assert answer.body == "The photo differs"
    assert clear(hit, cast.kyc_officer).state == HitState.FALSE_POSITIVE


def test_withdrawn_it_is_open_to_everybody_again(cast, hit):
    confirm(hit, cast.kyc_officer)
    approvals.withdraw(WorkProposal, WorkProposal.objects.get().pk, actor=cast.kyc_officer)
    assert WorkItem.objects.get().proposed_by is None
    confirm(hit, cast.mlro)
    assert WorkProposal.objects.filter(state="pending").get().requested_by == cast.mlro


@pytest.mark.parametrize(
    ("when", "is_high", "takes_two"),
    [("high_risk", False, False), ("high_risk", True, True), ("never", True, False), ("always", False, True)],
)
def test_the_brands_policy_says_when_clearing_takes_two(cast, hit, when, is_high, takes_two):
    set_policies(cast.brand, false_positive_second_person=when)
    if is_high:
        rate_high(cast.client)
    assert (clear(hit, cast.kyc_officer).state == HitState.OPEN) is takes_two
    if takes_two:
        approvals.approve(WorkProposal, WorkProposal.objects.get().pk, actor=cast.mlro)
        hit.refresh_from_db()
        assert (hit.state, hit.reason_code) == (HitState.FALSE_POSITIVE, "document")


def test_a_brand_may_leave_true_matches_to_one_person(cast, hit):
    set_policies(cast.brand, true_match_second_person="never")
    assert confirm(hit, cast.mlro).state == HitState.CONFIRMED and not WorkProposal.objects.exists()


def test_a_verb_that_forgets_to_propose_decides_nothing(cast, hit):
    with pytest.raises(NotAllowed, match="second person"):
        work.decide(hit, actor=cast.mlro, outcome="confirmed", reason="Sure")
    assert WorkItem.objects.get().state == "open"


def test_a_kind_with_second_persons_says_how_it_is_carried_out():
    class Forgetful(WorkKind):
        code, outcomes = "tests.forgetful", {"yes": Outcome("Yes", second_person=True)}

    with pytest.raises(TypeError, match="second person"):
        work.register(Forgetful)


def test_a_colleagues_claim_keeps_others_from_approving_until_it_expires(cast, hit, mlro_two):
    with time_machine.travel(NOW, tick=False):
        confirm(hit, cast.kyc_officer)
        proposal = WorkProposal.objects.get()
        work.claim(item_id=hit.work_id, actor=cast.mlro)
        with pytest.raises(NotAllowed, match="is working on this"):
            approvals.approve(WorkProposal, proposal.pk, actor=mlro_two)
    with time_machine.travel(NOW + 10 * MINUTE, tick=False):
        approvals.approve(WorkProposal, proposal.pk, actor=mlro_two)
    assert WorkItem.objects.get().decided_by == mlro_two


@pytest.fixture
def mlro_two(cast):
    from crm.choices import Role
    from tests.cast import make_staff

    return make_staff("second.mlro@meridian.example", Role.MLRO, brand=cast.brand)


def test_an_outdated_match_leaves_no_proposal_behind(cast, hit, browse):
    confirm(hit, cast.kyc_officer)
    Client.objects.filter(pk=cast.client.pk).update(first_name="Ingeborg", last_name="Zimmermann")
    screening.screen_client(client_id=cast.client.pk, trigger="demand")
    proposal = WorkProposal.objects.get()
    assert WorkItem.objects.get().state == "closed"
    with pytest.raises(WrongState, match="isn't open any more"):
        approvals.approve(WorkProposal, proposal.pk, actor=cast.mlro)
    assert f"/approvals/work/{proposal.pk}/" not in browse(cast.mlro).get("/approvals/").content.decode()


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"claimed_by": "maker"}, "proposed_work_is_for_a_second_person"),
        ({"state": "final", "outcome": "confirmed", "decided_by": "maker"}, "proposed_work_is_for_a_second_person"),
        ({"state": "final", "outcome": "false_positive", "decided_by": "mlro"}, "work_is_decided_as_proposed"),
        ({"proposed_by": None}, "proposed_work_says_who_when_and_what"),
    ],
)
def test_the_database_holds_the_second_person(cast, hit, fields, name):
    confirm(hit, cast.kyc_officer)
    people = {"maker": cast.kyc_officer, "mlro": cast.mlro}
    values = {key: people.get(value, value) for key, value in fields.items()}
    if "decided_by" in values:
        values |= {"decided_at": NOW, "final_at": NOW}
    if "claimed_by" in values:
        values |= {"claimed_at": NOW, "claimed_until": NOW + MINUTE}
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        WorkItem.objects.update(**values)


def test_figures_count_first_and_second_decisions(cast, hit):
    confirm(hit, cast.kyc_officer)
    approvals.reject(WorkProposal, WorkProposal.objects.get().pk, actor=cast.mlro, note="No")
    confirm(hit, cast.kyc_officer)
    approvals.approve(WorkProposal, WorkProposal.objects.get(state="pending").pk, actor=cast.mlro)
    counts = {row.person: (row.proposed, row.seconded, row.week) for row in figures(cast.mlro, code="compliance.hit")}
    assert counts == {cast.kyc_officer: (2, 0, 0), cast.mlro: (0, 2, 1)}


def test_the_audit_names_both(cast, hit):
    confirm(hit, cast.kyc_officer)
    approvals.approve(WorkProposal, WorkProposal.objects.get().pk, actor=cast.mlro)
    from crm.models import AuditEvent

    row = AuditEvent.objects.get(action="compliance.hit_confirmed")
    assert row.actor_id == cast.mlro.pk and audit.body_of(row)["evidence"]["proposed_by"] == cast.kyc_officer.pk
    assert AuditEvent.objects.get(action="crm.work_proposed").actor_id == cast.kyc_officer.pk


def test_queue_and_page_show_what_waits_and_for_whom(cast, hit, browse):
    browser = browse(cast.kyc_officer)
    page = browser.get(hit.get_absolute_url()).content.decode()
    assert "Propose true match" in page and "A second person has to approve it" in page
    answer = browser.post(reverse("compliance:confirm", args=[hit.pk]), {"reason": "Same passport"})
    assert answer["Location"] == hit.get_absolute_url()
    queue = browse(cast.mlro).get(reverse("compliance:hits") + "?state=open&second=waiting").content.decode()
    assert "Awaiting second approval" in queue and str(cast.client) in queue
    decide = f"/approvals/work/{WorkProposal.objects.get().pk}/approve/"
    shown = browse(cast.mlro).get(hit.get_absolute_url()).content.decode()
    assert decide in shown and "Same passport" in shown and "Propose true match" not in shown
    mine = browser.get(hit.get_absolute_url()).content.decode()
    assert decide not in mine and "Withdraw proposal" in mine
    browse(cast.mlro).post(decide, {"next": hit.get_absolute_url()})
    done = browser.get(hit.get_absolute_url()).content.decode()
    assert "Proposed by" in done and "Approved by" in done


@pytest.mark.django_db(transaction=True)
def test_two_who_propose_at_once_leave_one_proposal(cast, hit):
    gate, results = threading.Barrier(2), []

    def run(verb, actor):
        gate.wait()
        try:
            verb(hit, actor)
            results.append("done")
        except DomainError:
            results.append("refused")
        finally:
            connection.close()

    rate_high(cast.client)
    pairs = [(confirm, cast.kyc_officer), (clear, cast.mlro)]
    threads = [threading.Thread(target=run, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(results) == ["done", "refused"]
    assert WorkProposal.objects.get().requested_by == WorkItem.objects.get().proposed_by


# ── many at once ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def matches(cast, tmp_path):
    """Three matches: of an ordinary client, of a high-risk one, and one that the comparison says is the same person."""
    for client, first in ((cast.client, "Clara"), (cast.other_client, "Klara")):
        Client.objects.filter(pk=client.pk).update(first_name=first, last_name="Weber", date_of_birth=None)
    load(tmp_path, {"first": "Klara", "second": "Weber"})
    for client in (cast.client, cast.other_client):
        screening.screen_client(client_id=client.pk, trigger="demand")
    rate_high(cast.other_client)
    return list(Hit.objects.order_by("client_id"))


def test_many_are_dismissed_or_proposed_with_a_preview(cast, matches, browse):
    browser, address = browse(cast.mlro), reverse("compliance:clear_selected")
    page = browser.post(address, {"ids": [hit.pk for hit in matches]}).content.decode()
    assert "Will be proposed" in page and "Decide 2 items" not in page
    given = {"items": [hit.work_id for hit in matches], "reason_code": "document", "reason": "Passports seen"}
    checked = browser.post(address, {**given, "step": "preview"}).content.decode()
    assert "Decide 2 items" in checked and "Will be decided" in checked
    assert not Hit.objects.exclude(state=HitState.OPEN).exists() and not WorkProposal.objects.exists()
    assert browser.post(address, {**given, "reason": "", "step": "confirm"}).status_code == 422
    assert browser.post(address, {**given, "step": "confirm"}).status_code == 302
    states = dict(Hit.objects.values_list("client_id", "state"))
    assert states == {cast.client.pk: HitState.FALSE_POSITIVE, cast.other_client.pk: HitState.OPEN}
    assert WorkProposal.objects.get().item == Hit.objects.get(client=cast.other_client).work


def test_what_one_can_not_decide_is_left_out_and_stops_no_other(cast, matches, browse):
    confirm(matches[1], cast.mlro)
    browser, address = browse(cast.kyc_officer), reverse("compliance:clear_selected")
    given = {"items": [hit.work_id for hit in matches], "reason_code": "name", "reason": "Other names"}
    page = browser.post(address, {**given, "step": "confirm"}).content.decode()
    assert "A decision was proposed" in page and "Decided: 1" in page
    assert Hit.objects.filter(state=HitState.FALSE_POSITIVE).count() == 1


@pytest.mark.parametrize("item", ["9" * 5000, "-1", "x", ""])
def test_what_is_no_item_decides_nothing(cast, hit, browse, item):
    given = {"items": [item], "reason_code": "document", "reason": "x", "step": "confirm"}
    answer = browse(cast.mlro).post(reverse("compliance:clear_selected"), given, follow=True)
    assert "None of these items is open any more" in answer.content.decode()


def test_who_reads_matches_only_dismisses_none(cast, hit, browse):
    assert browse(cast.auditor).post(reverse("compliance:clear_selected"), {"ids": [hit.pk]}).status_code in (403, 404)
