"""A client's check at the provider: started once, looked up, its result counted, its pictures kept, faults survived."""

import datetime as dt

import httpx
import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from clients.models import Client, Message
from crm.errors import NotAllowed, WrongState
from crm.models import AuditEvent, DueRow, Notification, OutboxEvent, SubjectKey
from crm.privacy.erasures import destroy_client_key
from crm.security import audit
from kyc import pipeline
from kyc.choices import DocumentState
from kyc.models import Document, KycProvider, MachineDecision, ProviderCheck
from kyc.providers import checks, erasure, lookups
from kyc.providers.calls import probe_failing
from kyc.providers.choices import ProviderCheckState, VerifiedBy
from kyc.providers.modes import verified_by
from tests.brand_policies import set_policies
from tests.kyc.factories import bill_pdf, passport_jpeg

pytestmark = pytest.mark.django_db


def looked_up(check: ProviderCheck, *, answered: bool = True) -> ProviderCheck:
    assert lookups.look_up(check.pk) is answered
    check.refresh_from_db()
    return check


def judged(client: Client) -> list[Document]:
    pipeline.check_due()
    return list(Document.objects.filter(client=client).order_by("pk"))


def test_green_approves_with_the_provider_as_evidence(cast, sandbox, check):
    assert (check.state, sandbox.applicant(check)["id"]) == (ProviderCheckState.OPEN, check.applicant_id)
    assert sandbox.applicant(check)["fixedInfo"] == {"firstName": "Clara", "lastName": "Weber", "dob": "1990-05-17"}
    link = checks.link_for(check, return_url="http://testserver/portal/verification/back/")
    assert "Clara Weber" in httpx.get(link).text
    pictures = [{"type": "PASSPORT", "content": passport_jpeg()}, {"type": "UTILITY_BILL", "content": bill_pdf()}]
    sandbox.play(check, pictures=pictures)
    looked_up(check)
    assert (check.state, check.has_pictures, check.look_due_at) == (ProviderCheckState.PASSED, True, None)
    assert check.result["applicant"]["review"]["reviewResult"] == {"reviewAnswer": "GREEN"}
    assert [document.state for document in judged(cast.client)] == [DocumentState.APPROVED] * 2
    decision = MachineDecision.objects.get(document__kind="passport")
    assert (decision.check_at_provider, decision.outcome, decision.policy.number) == (check, "approve", 1)
    evidence = AuditEvent.objects.filter(action="kyc.document_approved_automatically").first()
    assert audit.body_of(evidence)["evidence"]["provider_result_sha256"] == check.result_sha256
    assert Client.objects.get(pk=cast.client.pk).kyc_level == 2
    lookups.look_up(check.pk)  # once more: nothing is fetched or decided again
    assert Document.objects.count() == 2
    with pytest.raises(WrongState, match="already"):
        checks.start_check(client_id=cast.client.pk, actor=cast.client_user)


def test_high_risk_and_another_person_are_for_an_officer(cast, sandbox, check):
    Client.objects.filter(pk=cast.client.pk).update(risk_rating="high")
    sandbox.play(check)
    looked_up(check)
    (document,) = judged(cast.client)
    assert (document.state, document.machine_decision.reasons) == (DocumentState.PENDING_REVIEW, ["HIGH_RISK"])
    # The provider saw somebody else than who is registered.
    Client.objects.filter(pk=cast.client.pk).update(risk_rating="low")
    sandbox.play(
        check, pictures=[{"type": "SELFIE", "content": passport_jpeg(number="C01X00T48")}], info={"lastName": "Kraus"}
    )
    looked_up(check)
    selfie = judged(cast.client)[-1]
    assert (selfie.kind, selfie.state) == ("selfie", DocumentState.PENDING_REVIEW)
    assert selfie.machine_decision.reasons == ["NAME_MISMATCH"]


def test_red_retry_says_what_to_do_and_red_final_calls_an_officer(cast, sandbox, check):
    Client.objects.filter(pk=cast.client.pk).update(language="de")
    sandbox.play(check, "retry")
    looked_up(check)
    assert (check.state, check.labels, check.flaw) == (ProviderCheckState.RETRY, ["UNSATISFACTORY_PHOTOS"], "BLUR")
    assert check.message.startswith("Das Foto ist unscharf")
    assert Message.objects.filter(client=cast.client, template="kyc.verification_again").count() == 1
    assert not Document.objects.exists()  # pictures of a check that is repeated stay there
    assert checks.start_check(client_id=cast.client.pk, actor=cast.client_user) == check
    sandbox.play(check, "final")
    looked_up(check)
    (document,) = judged(cast.client)
    assert (check.state, document.state) == (ProviderCheckState.REFUSED, DocumentState.PENDING_REVIEW)
    assert document.machine_decision.reasons[0] == "PROVIDER_REFUSED"
    assert Notification.objects.filter(kind="kyc.provider_attention", user=cast.kyc_officer).count() == 1
    with pytest.raises(WrongState, match="compliance team"):
        checks.start_check(client_id=cast.client.pk, actor=cast.client_user)
    with pytest.raises(NotAllowed):
        checks.cancel_check(check_id=check.pk, actor=cast.agent, reason="Again")
    checks.cancel_check(check_id=check.pk, actor=cast.kyc_officer, reason="Client sends a new passport")
    assert checks.start_check(client_id=cast.client.pk, actor=cast.client_user) != check


def test_on_hold_then_green_and_a_withdrawn_green(cast, sandbox, check):
    sandbox.play(check, "hold")
    assert looked_up(check).state == ProviderCheckState.ON_HOLD
    sandbox.play(check, "green", pictures=[])
    assert looked_up(check).state == ProviderCheckState.PASSED
    sandbox.play(check, "final", pictures=[])
    assert looked_up(check).state == ProviderCheckState.REFUSED  # revised: the older approval isn't kept
    assert Notification.objects.filter(kind="kyc.provider_attention", user=cast.kyc_officer).exists()


def test_a_revised_green_withdraws_what_was_approved_on_it(cast, sandbox, check, browse):
    portal = browse(cast.client_user)
    page = portal.get(reverse("portal_documents")).content.decode()
    assert reverse("portal_verification_go") in page and reverse("portal_upload_choose", args=["identity"]) not in page
    sandbox.play(check)
    looked_up(check)
    (document,) = judged(cast.client)
    assert (document.state, Client.objects.get(pk=cast.client.pk).kyc_level) == (DocumentState.APPROVED, 1)
    # Nothing brought a proof of address along: that one is uploaded.
    assert (
        reverse("portal_upload_choose", args=["proof_of_address"])
        in portal.get(reverse("portal_documents")).content.decode()
    )
    sandbox.play(check, "hold")
    looked_up(check)
    document.refresh_from_db()
    assert document.state == DocumentState.APPROVED  # looked at again there, not revised yet
    sandbox.play(check, "final", pictures=[])
    looked_up(check)
    document.refresh_from_db()
    assert (document.state, document.flaw, document.decided_by_policy) == (
        DocumentState.PENDING_REVIEW,
        "PROVIDER_REVISED",
        None,
    )
    assert document.machine_decision.withdrawn_at is not None and document.work.state == "open"
    assert Client.objects.get(pk=cast.client.pk).kyc_level == 0
    lost = OutboxEvent.objects.get(name="kyc.level_lost").payload
    assert (lost["level_before"], lost["reason"]) == (1, "provider_revised")
    assert AuditEvent.objects.filter(action="kyc.approval_withdrawn").count() == 1
    letter = Message.objects.get(client=cast.client, template="kyc.documents_reviewed_again")
    assert "prüfen Ihre Dokumente erneut" in letter.subject
    assert Notification.objects.filter(user=cast.client_user, kind="kyc.reviewed_again").count() == 1
    assert not DueRow.objects.filter(kind="kyc.document_expiry", key=str(document.pk), state="pending").exists()
    assert "Revised by provider" in browse(cast.kyc_officer).get(reverse("kyc:queue")).content.decode()
    lookups.look_up(check.pk)  # the same answer again changes nothing
    assert Message.objects.filter(template="kyc.documents_reviewed_again").count() == 1


@pytest.mark.parametrize(
    ("result", "content", "outcome", "reason"),
    [
        ("green", passport_jpeg(), "approve", None),
        ("green", passport_jpeg("Klara", "Vogt"), "queue", "PROVIDER_DISAGREES"),
        ("final", passport_jpeg(), "queue", "PROVIDER_DISAGREES"),
    ],
)
def test_both_must_agree(cast, sandbox, check, result, content, outcome, reason):
    set_policies(cast.brand, kyc_verified_by="both")
    sandbox.play(check, result, pictures=[{"type": "PASSPORT", "content": content}])
    looked_up(check)
    (document,) = judged(cast.client)
    decision = document.machine_decision
    assert (decision.outcome, (decision.reasons or [None])[0]) == (outcome, reason)


def test_a_lost_answer_is_looked_up_and_never_sent_again(cast, sandbox, provider):
    sandbox.fault("lose_answer")
    check = checks.start_check(client_id=cast.client.pk, actor=cast.client_user)
    with pytest.raises(checks.ProviderAway):
        checks.send_check(check.pk)
    check.refresh_from_db()
    assert check.state == ProviderCheckState.UNKNOWN
    assert checks.send_check(check.pk).state == ProviderCheckState.UNKNOWN  # only a look-up ends it
    assert looked_up(check).state == ProviderCheckState.OPEN
    assert len(sandbox.store.all_applicants()) == 1


def test_what_never_arrived_is_ended_and_started_again(cast, sandbox, provider):
    sandbox.fault("reset", times=1)
    check = checks.start_check(client_id=cast.client.pk, actor=cast.client_user)
    with pytest.raises(checks.ProviderAway):
        checks.send_check(check.pk)
    assert looked_up(check).state == ProviderCheckState.FAILED
    again = checks.start_check(client_id=cast.client.pk, actor=cast.client_user)
    assert again != check and checks.send_check(again.pk).state == ProviderCheckState.OPEN


def test_slowing_down_and_clock_skew_change_nothing(cast, sandbox, check):
    sandbox.fault("rate_limit", 700)
    looked_up(check, answered=False)
    assert check.look_due_at > timezone.now() + dt.timedelta(seconds=690)
    assert KycProvider.objects.get().failing_since is None  # it answered
    sandbox.fault("clock_skew", 300)
    looked_up(check, answered=False)
    assert "timestamp" in check.problem and check.state == ProviderCheckState.OPEN
    looked_up(check)
    assert check.problem == ""


def test_an_older_answer_does_not_undo_a_newer_one(cast, sandbox, check, monkeypatch):
    sandbox.play(check, "green", pictures=[])
    looked_up(check)
    stale = timezone.now() - dt.timedelta(minutes=1)
    monkeypatch.setattr(lookups.timezone, "now", lambda: stale)
    sandbox.play(check, "retry", pictures=[])
    lookups.look_up(check.pk)  # began earlier, came later
    check.refresh_from_db()
    assert check.state == ProviderCheckState.PASSED


def test_built_in_checks_replace_a_provider_that_is_away(cast, sandbox, check):
    sandbox.fault("outage", times=None)
    looked_up(check, answered=False)
    provider = KycProvider.objects.get()
    assert provider.failing_since is not None and verified_by(cast.brand) == VerifiedBy.PROVIDER
    set_policies(cast.brand, kyc_provider_fallback_hours=2)
    KycProvider.objects.update(failing_since=timezone.now() - dt.timedelta(hours=3))
    assert verified_by(cast.brand) == VerifiedBy.BUILT_IN
    sandbox.store.run("DELETE FROM faults")
    assert probe_failing() == 1
    assert verified_by(cast.brand) == VerifiedBy.PROVIDER


def test_erasing_a_client_reaches_the_provider(cast, sandbox, check):
    assert erasure.delete_erased() == 0
    SubjectKey.objects.get_or_create(client_id=cast.client.pk, defaults={"wrapped": b"x" * 60})
    destroy_client_key(cast.client.pk)
    sandbox.fault("outage")
    assert erasure.delete_erased() == 0
    ProviderCheck.objects.update(delete_due_at=None)
    assert erasure.delete_erased() == 1
    check.refresh_from_db()
    assert check.deleted_at is not None and sandbox.applicant(check)["deleted"] is True
    assert erasure.delete_erased() == 0


def test_who_may_start_and_when(cast, sandbox, provider):
    for stranger in (cast.other_client_user, cast.finance, cast.agent):
        with pytest.raises(NotAllowed):
            checks.start_check(client_id=cast.client.pk, actor=stranger)
    set_policies(cast.brand, kyc_verified_by="built_in")
    with pytest.raises(WrongState):
        checks.start_check(client_id=cast.client.pk, actor=cast.client_user)
    assert not ProviderCheck.objects.exists()
    set_policies(cast.brand, kyc_verified_by="both")
    check = checks.start_check(client_id=cast.client.pk, actor=cast.client_user)
    with pytest.raises(IntegrityError, match="one_open_provider_check"), transaction.atomic():
        ProviderCheck.objects.create(
            provider=provider, client=cast.client, external_id="x", level_name="x", started_at=timezone.now()
        )
    assert checks.start_check(client_id=cast.client.pk, actor=cast.kyc_officer) == check
