"""The verdict in production: approved without a person, sent back with the flaw named, or left to one."""

import datetime as dt
import hashlib

import orjson
import pytest
from django.db import IntegrityError, transaction

from clients.choices import RiskRating
from clients.models import Client, Message, TimelineEntry
from crm import events, work
from crm.models import AuditEvent, Notification, OutboxEvent, WorkItem
from crm.security import audit
from kyc import pipeline, specimens
from kyc.choices import DocumentState, Outcome, QueueReason
from kyc.models import Document, MachineDecision, VerdictPolicy
from kyc.verdicts.reaching import digest_of, draw, is_drawn
from tests.kyc.factories import BORN, files_read_once, passport_jpeg, registered, uploaded, waiting, with_policy

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def registration(cast):
    registered(cast.client)


def checked(client, **fields):
    return waiting(client, is_automatic=True, **fields)


def spoilt(spoil, **changes):
    holder = specimens.Holder("Clara", "Weber", BORN, number="C01X00T47", expires_on=dt.date(2033, 4, 15))
    return specimens.jpeg(spoil(specimens.passport(holder)))


def card_sides(number="C01X00T47", back_number=""):
    holder = specimens.Holder("Clara", "Weber", BORN, number=number, expires_on=dt.date(2033, 4, 15))
    front, back = specimens.id_card(holder)
    if back_number:
        other = specimens.Holder("Clara", "Weber", BORN, number=back_number, expires_on=dt.date(2033, 4, 15))
        back = specimens.id_card(other)[1]
    return specimens.jpeg(front), specimens.jpeg(back)


# ── approved ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_good_passport_is_approved_without_a_person(cast):
    with_policy(cast.brand)
    document = checked(cast.client)
    assert document.state == DocumentState.APPROVED and document.work is None
    assert document.reviewed_by is None and document.settled_at and document.decided_by_policy.number == 1
    assert str(document.decider) == "Automatic · policy 1"
    assert Client.objects.get(pk=cast.client.pk).kyc_level == 1
    assert not WorkItem.objects.exists()
    events.drain()
    cast.client.refresh_from_db()
    assert cast.client.stage == "verified"
    assert Message.objects.filter(client=cast.client, template="kyc.verified").count() == 1
    titles = set(TimelineEntry.objects.filter(client=cast.client).values_list("title", flat=True))
    assert "Passport approved automatically" in titles
    assert not Notification.objects.filter(kind="kyc.document_waiting").exists()


def test_the_audit_names_policy_version_and_results(cast):
    policy = with_policy(cast.brand)
    document = checked(cast.client)
    row = AuditEvent.objects.get(action="kyc.document_approved_automatically")
    assert row.actor is None
    evidence = audit.body_of(row)["evidence"]
    run = document.runs.get()
    digest = hashlib.sha256(orjson.dumps(run.results, option=orjson.OPT_SORT_KEYS)).hexdigest()
    assert evidence["policy"] == policy.pk and evidence["policy_number"] == 1
    assert evidence["results_sha256"] == digest == digest_of(run) == document.machine_decision.digest
    assert evidence["version"] == pipeline.VERSION and evidence["run"] == run.pk
    assert OutboxEvent.objects.get(name="kyc.document_reviewed").payload["decision"] == "approved"


def test_the_shipped_policy_decides_and_becomes_a_version(cast):
    document = checked(cast.client)
    version = VerdictPolicy.objects.get()
    assert (version.number, version.set_by, version.brand) == (1, None, cast.brand)
    assert document.decided_by_policy == version
    other = checked(cast.client, kind="proof_of_address")
    assert other.decided_by_policy == version and VerdictPolicy.objects.count() == 1


def test_checking_twice_decides_once(cast):
    document = checked(cast.client)
    assert pipeline.check(document.pk) is None
    assert MachineDecision.objects.count() == 1
    assert AuditEvent.objects.filter(action="kyc.document_approved_automatically").count() == 1


# ── left to a person ───────────────────────────────────────────────────────────────────────────────────────────────


def test_high_risk_is_never_approved_by_machine(cast):
    with_policy(cast.brand)
    Client.objects.filter(pk=cast.client.pk).update(risk_rating=RiskRating.HIGH)
    document = checked(cast.client)
    assert document.state == DocumentState.PENDING_REVIEW
    decision = document.machine_decision
    assert (decision.outcome, decision.reasons, decision.risk) == (Outcome.QUEUE, [QueueReason.HIGH_RISK], "high")


def test_the_database_refuses_high_risk(cast):
    policy = with_policy(cast.brand)
    document = checked(cast.client)
    decision = document.machine_decision
    with pytest.raises(IntegrityError), transaction.atomic():
        MachineDecision.objects.filter(pk=decision.pk).update(risk="high")
    queued = waiting(cast.other_client, content=passport_jpeg("Óscar", "Núñez", number="X1X1X1X1X"))
    Client.objects.filter(pk=cast.other_client.pk).update(risk_rating=RiskRating.HIGH)
    now = document.reviewed_at
    with pytest.raises(IntegrityError, match="high-risk client"), transaction.atomic():
        Document.objects.filter(pk=queued.pk).update(
            state="approved", decided_by_policy=policy, reviewed_at=now, settled_at=now
        )


@pytest.mark.parametrize("fields", [{"reviewed_by": None, "decided_by_policy": None}, {"reviewed_by": "officer"}])
def test_a_decision_has_exactly_one_decider(cast, fields):
    document = checked(cast.client)
    values = {key: cast.kyc_officer if value == "officer" else value for key, value in fields.items()}
    with pytest.raises(IntegrityError), transaction.atomic():
        Document.objects.filter(pk=document.pk).update(**values)


def test_a_wrong_name_goes_to_the_queue_with_the_worst_first(cast):
    registered(cast.client, last_name="Schmidt", date_of_birth=dt.date(1990, 5, 18))
    document = checked(cast.client)
    assert document.state == DocumentState.PENDING_REVIEW and document.work is not None
    decision = document.machine_decision
    assert decision.outcome == Outcome.QUEUE and set(decision.reasons[:2]) == {"NAME_MISMATCH", "DOB_MISMATCH"}


def test_a_policy_that_is_off_leaves_it_to_officers(cast):
    with_policy(cast.brand, approves=False)
    document = checked(cast.client)
    assert document.machine_decision.reasons == [QueueReason.APPROVAL_OFF]
    assert document.state == DocumentState.PENDING_REVIEW


def test_a_child_that_dies_leaves_it_to_a_person(cast, monkeypatch):
    from crm.files.parsing import ParsingRefused
    from kyc.examination import apart

    def ended(*_args, **_options):
        raise ParsingRefused("memory")

    document = uploaded(cast.client, is_automatic=True)
    monkeypatch.setattr(apart.CHILD, "ask", ended)
    pipeline.check(document.pk)
    document.refresh_from_db()
    assert document.state == DocumentState.PENDING_REVIEW
    assert {issue.code for issue in document.issues.all()} == {"CHECK_FAILED"}
    assert document.machine_decision.reasons == ["CHECK_FAILED"]


# ── sent back ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_expired_passport_is_sent_back_in_the_clients_language(cast):
    Client.objects.filter(pk=cast.client.pk).update(language="de")
    document = checked(cast.client, content=passport_jpeg(expires_on=dt.date(2024, 1, 1)))
    assert document.state == DocumentState.REJECTED and document.reviewed_by is None and document.settled_at
    assert document.reason_code == "expired" and document.reason.startswith("Das Dokument ist abgelaufen")
    assert AuditEvent.objects.filter(action="kyc.document_rejected_automatically", actor=None).count() == 1
    events.drain()
    mail = Message.objects.get(client=cast.client, template="kyc.document_rejected")
    assert document.reason in mail.body
    assert Notification.objects.filter(user=cast.client_user, kind="portal.document").count() == 1


def test_the_flaw_is_named_and_not_only_unreadable(cast):
    Client.objects.filter(pk=cast.client.pk).update(language="en")
    document = checked(cast.client, content=spoilt(lambda page: specimens.blurred(page, 7)))
    assert document.state == DocumentState.REJECTED and "blurred" in document.reason


def test_after_two_in_a_row_a_person_looks(cast):
    with_policy(cast.brand, asks_in_a_row=2)
    states = [checked(cast.client, content=passport_jpeg(expires_on=dt.date(2024, 1, day))).state for day in (1, 2, 3)]
    assert states == [DocumentState.REJECTED, DocumentState.REJECTED, DocumentState.PENDING_REVIEW]
    last = MachineDecision.objects.order_by("pk").last()
    assert last.reasons == [QueueReason.ASKED_ENOUGH, "EXPIRED"]


# ── two sides ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_both_sides_of_a_card_are_approved_together(cast):
    with_policy(cast.brand)
    front_file, back_file = card_sides()
    front = checked(cast.client, kind="id_card", content=front_file)
    assert front.state == DocumentState.PENDING_REVIEW
    assert front.machine_decision.reasons == [QueueReason.OTHER_SIDE]
    back = checked(cast.client, kind="id_card", side="back", content=back_file)
    front.refresh_from_db()
    assert (front.state, back.state) == (DocumentState.APPROVED, DocumentState.APPROVED)
    assert front.work.state == "closed" and back.work is None
    assert Client.objects.get(pk=cast.client.pk).kyc_level == 1
    assert [row.outcome for row in MachineDecision.objects.all()] == [Outcome.APPROVE, Outcome.APPROVE]


def test_sides_of_two_cards_go_to_the_queue(cast):
    with_policy(cast.brand)
    front_file, back_file = card_sides(back_number="K99Y11T52")
    checked(cast.client, kind="id_card", content=front_file)
    back = checked(cast.client, kind="id_card", side="back", content=back_file)
    assert back.state == DocumentState.PENDING_REVIEW
    assert back.machine_decision.reasons == [QueueReason.SIDES_DIFFER]
    assert not Document.objects.filter(state=DocumentState.APPROVED).exists()


def test_a_side_that_an_officer_holds_is_left_to_them(cast):
    with_policy(cast.brand)
    front_file, back_file = card_sides()
    front = checked(cast.client, kind="id_card", content=front_file)
    work.claim(item_id=front.work_id, actor=cast.kyc_officer)
    back = checked(cast.client, kind="id_card", side="back", content=back_file)
    assert back.machine_decision.reasons == [QueueReason.BEING_REVIEWED]


# ── the sample ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_draw_is_a_keyed_hash_that_can_be_proved(cast):
    draws = [draw(number) for number in range(2_000)]
    assert draws == [draw(number) for number in range(2_000)]
    assert all(0 <= one < 10_000 for one in draws)
    # Of 2,000 draws at 10 %, 200 ± five standard deviations.
    assert 133 < sum(is_drawn(one, 10) for one in draws) < 267
    assert not is_drawn(0, 0) and is_drawn(9_999, 100) and not is_drawn(None, 100)
    assert is_drawn(999, 10) and not is_drawn(1_000, 10)


def test_what_the_sample_draws_opens_a_second_look(cast):
    with_policy(cast.brand, sample_percent=100)
    document = checked(cast.client)
    assert document.machine_decision.is_sampled and document.machine_decision.draw == draw(document.pk)
    assert document.second_look.state == "open" and document.second_look.work.kind == "kyc.second_look"
    with files_read_once():
        with_policy(cast.brand, sample_percent=0)
        assert not hasattr(checked(cast.client, kind="proof_of_address"), "second_look")
