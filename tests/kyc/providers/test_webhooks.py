"""Webhooks: stored as they came, believed by their digest only, a reason to look and never the result."""

import hashlib
import hmac

import pytest

from crm.connections.webhooks import BODY_BYTES_MAX, REFUSED_KEPT_A_DAY
from crm.errors import NotAllowed, WrongState
from kyc.models import KycProvider, ProviderCheck, ProviderMessage
from kyc.providers import lookups, webhooks
from kyc.providers.choices import ProviderCheckState
from kyc.providers.sumsub.signing import judge_digest
from sandbox.kyc.server import WEBHOOK_SECRET
from tests.kyc.providers.running import post

pytestmark = pytest.mark.django_db


def acted() -> None:
    webhooks.process_due()
    lookups.look_up_due()


def test_a_webhook_has_its_check_looked_up(cast, sandbox, check):
    assert sandbox.deliver(1) == [200]  # applicantCreated
    sandbox.play(check, "green", pictures=[])
    ((headers, body),) = sandbox.messages(1)
    assert post(headers, body) == 200
    message = ProviderMessage.objects.order_by("-pk").first()
    assert (message.verdict, message.state, message.event_type) == ("accepted", "waiting", "applicantReviewed")
    assert message.body == body and b"applicantReviewed" not in bytes(message.body_sealed)
    acted()
    message.refresh_from_db()
    check.refresh_from_db()
    assert (message.state, message.check_at_provider) == ("done", check)
    assert check.state == ProviderCheckState.PASSED
    assert KycProvider.objects.get().last_webhook_at == message.received_at
    # The same message again is counted on the first, and changes nothing.
    assert post(headers, body) == 200
    message.refresh_from_db()
    assert message.repeats == 1 and ProviderMessage.objects.count() == 2


def test_what_a_message_says_is_not_believed(cast, sandbox, check):
    """A genuine message of an earlier RED, replayed after a GREEN, or received out of order: the look-up's state counts."""
    sandbox.fault("webhook_hold")
    sandbox.play(check, "retry", pictures=[])  # held back
    sandbox.play(check, "green", pictures=[])  # goes out first
    assert sandbox.deliver(3) == [200, 200, 200]
    acted()
    check.refresh_from_db()
    assert check.state == ProviderCheckState.PASSED


def test_lost_and_doubled_webhooks_change_nothing(cast, sandbox, check):
    sandbox.messages(1)  # the first one is lost
    sandbox.fault("webhook_drop")
    sandbox.play(check, "retry", pictures=[])
    ProviderCheck.objects.update(look_due_at="2020-01-01T00:00:00Z")
    assert lookups.look_up_due() == 1  # the regular look-up finds it
    sandbox.fault("webhook_duplicate", 2)
    sandbox.play(check, "green", pictures=[])
    assert sandbox.deliver(3) == [200, 200, 200]
    acted()
    check.refresh_from_db()
    assert check.state == ProviderCheckState.PASSED
    assert [message.repeats for message in ProviderMessage.objects.all()] == [2]


@pytest.mark.parametrize(
    ("fault", "value", "verdict"),
    [("webhook_forge", True, "wrong_signature"), ("webhook_algorithm", "HMAC_SHA1_HEX", "wrong_algorithm")],
)
def test_what_is_not_signed_right_is_refused_and_bounded(cast, sandbox, check, fault, value, verdict):
    sandbox.messages(1)
    sandbox.fault(fault, value)
    sandbox.play(check, "green", pictures=[])
    ((headers, body),) = sandbox.messages(1)
    for _ in range(REFUSED_KEPT_A_DAY + 3):
        assert post(headers, body) == 400
    assert set(ProviderMessage.objects.values_list("verdict", "state")) == {(verdict, "refused")}
    assert ProviderMessage.objects.count() == REFUSED_KEPT_A_DAY
    assert KycProvider.objects.get().refused_count == REFUSED_KEPT_A_DAY + 3
    acted()
    check.refresh_from_db()
    assert check.state == ProviderCheckState.OPEN


def test_bodies_and_codes_that_are_none_are_refused(cast, sandbox, check):
    (headers, body), *_ = sandbox.messages(1)
    assert post(headers, body, code="nobody") == 404
    assert post({}, body) == 400
    assert post(headers, b"x" * (BODY_BYTES_MAX + 1)) == 413
    signed = {**headers, **{name.lower(): value for name, value in _signed(sandbox, b"[[[[1]]]]").items()}}
    assert post(signed, b"[[[[1]]]]") == 200  # ours to look at: sent again it would say the same
    assert ProviderMessage.objects.get(verdict="malformed").state == "refused"


def _signed(sandbox, body: bytes) -> dict[str, str]:
    digest = hmac.new(WEBHOOK_SECRET.encode(), body, hashlib.sha512).hexdigest()
    return {"X-Payload-Digest": digest, "X-Payload-Digest-Alg": "HMAC_SHA512_HEX"}


def test_an_unknown_applicant_is_kept_for_a_person(cast, sandbox, check):
    sandbox.messages(1)
    ProviderCheck.objects.filter(pk=check.pk).update(external_id="of-another-time", applicant_id="")
    sandbox.play(ProviderCheck(client=cast.client, external_id=check.external_id), "green", pictures=[])
    assert sandbox.deliver(1) == [200]
    acted()
    message = ProviderMessage.objects.get()
    assert message.state == "unmatched"
    with pytest.raises(NotAllowed):
        webhooks.retry_message(message_id=message.pk, actor=cast.agent)
    ProviderCheck.objects.filter(pk=check.pk).update(external_id=check.external_id)
    webhooks.retry_message(message_id=message.pk, actor=cast.kyc_officer)
    acted()
    check.refresh_from_db()
    assert check.state == ProviderCheckState.PASSED
    with pytest.raises(WrongState):
        webhooks.retry_message(message_id=message.pk, actor=cast.kyc_officer)


def test_a_digest_fits_either_of_two_secrets():
    """While a webhook's secret is exchanged, both count."""
    digest = hmac.new(b"old", b"{}", hashlib.sha256).hexdigest()
    headers = {"x-payload-digest": digest, "x-payload-digest-alg": "HMAC_SHA256_HEX"}
    allowed = ["HMAC_SHA256_HEX"]
    assert judge_digest(b"{}", headers, secrets=["new", "old"], allowed=allowed)[0] == "accepted"
    assert judge_digest(b"{}", headers, secrets=["new", ""], allowed=allowed)[0] == "wrong_signature"
