"""Webhooks: stored before they are judged, believed by signature and age only, processed once, a reason to ask."""

import pytest

from compliance import hits, screening
from compliance.choices import HitState, ScreeningTrigger
from compliance.models import Delisting, Hit, ListEntry, Restriction, VendorNotice
from compliance.vendors import notices
from crm.connections import webhooks
from crm.errors import NotAllowed, WrongState
from crm.models import Notification
from tests.compliance.factories import confirm_match
from tests.compliance.vendors.running import post, settle

pytestmark = pytest.mark.django_db


@pytest.fixture
def hit(cast, sandbox, vendor) -> Hit:
    sandbox.put("NK-1", "Klara Weber")
    screening.screen_client(client_id=cast.client.pk, trigger=ScreeningTrigger.REGISTERED)
    settle()
    return Hit.objects.get()


def test_a_new_match_is_asked_about_and_never_taken_from_the_message(cast, sandbox, vendor):
    screening.screen_client(client_id=cast.client.pk, trigger=ScreeningTrigger.REGISTERED)
    settle()
    sandbox.put("NK-2", "Klara Weber")
    ((headers, body),) = sandbox.messages(1)
    assert post(headers, body) == 200
    notice = VendorNotice.objects.get()
    assert (notice.verdict, notice.state, notice.event_type) == ("accepted", "waiting", "match.new")
    assert notice.body == body and b"match.new" not in bytes(notice.body_sealed)
    settle()
    assert Hit.objects.get().entry.external_id == "NK-2"
    assert Restriction.objects.get(lifted_at=None).cause == "screening_hold"
    # The same message again is counted on the first, and asks nobody.
    asked = len(sandbox.queries)
    assert post(headers, body) == 200
    settle()
    notice.refresh_from_db()
    assert (notice.repeats, notice.state, VendorNotice.objects.count()) == (1, "done", 1)
    assert len(sandbox.queries) == asked


def test_a_changed_entity_opens_what_was_decided_again(cast, sandbox, vendor, hit):
    hits.clear_hit(hit_id=hit.pk, actor=cast.kyc_officer, reason_code="document", reason="Passport checked")
    sandbox.put("NK-1", "Klara Weber", birthDate=["1970-03-04"])
    assert sandbox.deliver(1) == [200]
    settle()
    again = Hit.objects.order_by("-pk").first()
    assert again.pk != hit.pk and (again.state, again.entry_id) == (HitState.OPEN, hit.entry_id)
    assert Restriction.objects.get(lifted_at=None).hit == again


def test_a_delisted_entity_lets_go_and_tells(cast, sandbox, vendor, hit):
    sandbox.delist("NK-1")
    assert sandbox.deliver(1) == [200]
    settle()
    hit.refresh_from_db()
    assert hit.state == HitState.OUTDATED and not Restriction.objects.filter(lifted_at=None).exists()
    assert Notification.objects.filter(kind="compliance.delisted", user=cast.mlro).exists()


def test_a_delisted_true_match_stays_restricted_and_is_a_task(cast, sandbox, vendor, hit):
    confirm_match(hit, cast)
    sandbox.delist("NK-1")
    sandbox.deliver(1)
    settle()
    assert Delisting.objects.get().hit == hit
    assert Restriction.objects.get(lifted_at=None).cause == "confirmed_match"


def test_nobody_is_let_go_while_the_vendors_dataset_is_gone(cast, sandbox, vendor, hit):
    sandbox.delist("NK-1")
    sandbox.fault("empty_catalog", times=None)
    sandbox.deliver(1)
    notices.process_due()
    hit.refresh_from_db()
    assert hit.state == HitState.OPEN and VendorNotice.objects.get().state == "waiting"


def test_a_merged_entity_keeps_its_match(cast, sandbox, vendor, hit):
    sandbox.merge("NK-1", "NK-9")
    sandbox.server.announce("entity.changed", entity_id="NK-1")
    sandbox.deliver(1)
    settle()
    assert ListEntry.objects.get(pk=hit.entry_id).external_id == "NK-9"


@pytest.mark.parametrize(
    ("fault", "value", "verdict"), [("webhook_forge", True, "wrong_signature"), ("webhook_age", 400, "too_old")]
)
def test_what_is_not_signed_right_and_lately_is_refused(cast, sandbox, vendor, fault, value, verdict):
    sandbox.fault(fault, value)
    sandbox.server.announce("entity.delisted", entity_id="NK-1")
    ((headers, body),) = sandbox.messages(1)
    for _ in range(webhooks.REFUSED_KEPT_A_DAY + 2):
        assert post(headers, body) == 400
    assert set(VendorNotice.objects.values_list("verdict", "state")) == {(verdict, "refused")}
    assert VendorNotice.objects.count() == webhooks.REFUSED_KEPT_A_DAY
    vendor.refresh_from_db()
    assert vendor.refused_count == webhooks.REFUSED_KEPT_A_DAY + 2
    assert post({}, body) == 400 and post(headers, body, code="nobody") == 404
    assert post(headers, b"x" * (webhooks.BODY_BYTES_MAX + 1)) == 413


def test_an_unknown_entity_is_kept_for_a_person(cast, sandbox, vendor):
    sandbox.server.announce("entity.changed", entity_id="NK-77")
    sandbox.deliver(1)
    settle()
    notice = VendorNotice.objects.get()
    assert notice.state == "unmatched"
    with pytest.raises(NotAllowed):
        notices.retry_notice(notice_id=notice.pk, actor=cast.agent)
    notices.retry_notice(notice_id=notice.pk, actor=cast.mlro)
    with pytest.raises(WrongState):
        notices.retry_notice(notice_id=notice.pk, actor=cast.mlro)
