"""Who may set up a webhook and with what; personal data by four eyes; its pages; what is kept of it, and for how long."""

import datetime as dt

import pytest
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from crm import approvals, events
from crm.choices import Role, WebhookDeliveryState, WebhookState
from crm.errors import DomainError, NotAllowed, WrongState
from crm.events.bus import EVENT_TYPES
from crm.models import AuditEvent, WebhookDataProposal, WebhookDelivery
from crm.outbound import endpoints, personal_data, pruning, replaying, versions
from crm.outbound.endpoints import EndpointDetails
from crm.outbound.secrets import secret_of
from tests.cast import make_staff, signed_in
from tests.crm.outbound.conftest import assign, go, leads

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"url": "http://example.com/in"}, "https"),
        ({"url": "https://127.0.0.1/in"}, "private"),
        ({"url": "https://169.254.169.254/latest/meta-data"}, "private"),
        ({"url": "https://me:secret@example.com/"}, "without a username"),
        ({"url": "https://" + "x" * 1000}, "too long"),
        ({"events": []}, "at least one event"),
        ({"events": ["no.such"]}, "Unknown events"),
        ({"name": " "}, "Enter a name"),
        ({"condition": {"version": 1, "all": [{"field": "amount", "is": "ge", "value": "1"}]}}, "has no field"),
    ],
)
@override_settings(OUTGOING_PRIVATE=[])
def test_bad_input_is_refused_in_words(cast, given, says):
    details = EndpointDetails(**{"name": "X", "url": "https://1.1.1.1/in", "events": ["lead.assigned"], **given})
    with pytest.raises(DomainError, match=says):
        endpoints.create_endpoint(brand_id=cast.brand.pk, actor=cast.administrator, details=details)


def test_their_number_is_limited_and_strangers_have_none(cast, hook, monkeypatch):
    monkeypatch.setattr(endpoints, "PER_BRAND_MAX", 1)
    endpoint = hook()
    with pytest.raises(DomainError, match="already 1"):
        hook("/more")
    with pytest.raises(NotAllowed):
        hook("/other", brand=cast.other_brand)
    for stranger in (cast.agent, cast.finance):
        with pytest.raises(NotAllowed):
            endpoints.pause_endpoint(endpoint_id=endpoint.pk, actor=stranger)
    endpoints.archive_endpoint(endpoint_id=endpoint.pk, actor=cast.administrator, reason="Replaced")
    with pytest.raises(WrongState):
        endpoints.show_secret(endpoint_id=endpoint.pk, actor=cast.administrator)
    assert hook("/more").pk != endpoint.pk


def test_a_pause_keeps_what_waits_and_drops_what_happens_meanwhile(cast, hook, receiver):
    endpoint = hook()
    assign(cast, 1)
    events.drain()
    endpoints.pause_endpoint(endpoint_id=endpoint.pk, actor=cast.administrator)
    assign(cast, 2)
    go()
    assert leads(receiver) == []
    endpoints.resume_endpoint(endpoint_id=endpoint.pk, actor=cast.administrator)
    assign(cast, 3)
    go()
    assert leads(receiver) == [1, 3]


def test_personal_data_needs_a_second_person_and_holds_for_one_address(cast, hook, receiver):
    endpoint = hook()
    asked = personal_data.propose_personal_data(
        endpoint_id=endpoint.pk, actor=cast.administrator, reason="The dialler needs the number"
    )
    with pytest.raises(NotAllowed):
        approvals.approve(WebhookDataProposal, asked.pk, actor=cast.administrator)
    second = make_staff("second.admin@keelson.example", Role.ADMINISTRATOR, brand=cast.brand)
    approvals.approve(WebhookDataProposal, asked.pk, actor=second)
    assign(cast, 1, client=cast.client)
    go()
    assert receiver.bodies()[0]["person"]["phone"] == cast.client.phone
    details = EndpointDetails("To /other", receiver.url + "/other", ["lead.assigned"])
    endpoint = endpoints.change_endpoint(endpoint_id=endpoint.pk, actor=cast.administrator, details=details)
    assert not endpoint.has_personal_data
    asked = personal_data.propose_personal_data(endpoint_id=endpoint.pk, actor=cast.administrator, reason="Again")
    details = EndpointDetails("To /third", receiver.url + "/third", ["lead.assigned"])
    endpoints.change_endpoint(endpoint_id=endpoint.pk, actor=cast.administrator, details=details)
    with pytest.raises(WrongState, match="address has changed"):
        approvals.approve(WebhookDataProposal, asked.pk, actor=second)


def test_a_receiver_gets_the_version_that_it_was_built_for(cast, hook, receiver, monkeypatch):
    hook()
    monkeypatch.setattr(EVENT_TYPES["lead.assigned"], "version", 2)
    monkeypatch.setitem(
        versions.OLDER_FORMS, ("lead.assigned", 2), lambda data: {**data, "agent": data.pop("agent_id")}
    )
    hook("/new")
    assign(cast, 1)
    go()
    old, new = receiver.bodies("/in")[0], receiver.bodies("/new")[0]
    assert (old["version"], old["data"]["agent"]) == (1, cast.agent.pk)
    assert (new["version"], new["data"]["agent_id"]) == (2, cast.agent.pk)


def test_the_log_is_kept_within_bounds(cast, hook, receiver):
    hook()
    for number in range(3):
        assign(cast, number)
    go()
    now = timezone.now()
    rows = list(WebhookDelivery.objects.order_by("pk"))
    for row, state, days in zip(rows, ("delivered", "failed", "failed"), (31, 31, 91), strict=True):
        WebhookDelivery.objects.filter(pk=row.pk).update(state=state, done_at=now - dt.timedelta(days=days))
    assert pruning.prune() == 2 and pruning.prune() == 0
    assert list(WebhookDelivery.objects.values_list("pk", flat=True)) == [rows[1].pk]


def test_failed_messages_are_replayed_by_time(cast, hook, receiver):
    endpoint = hook()
    for number in range(3):
        assign(cast, number)
    events.drain()
    now = timezone.now()
    for row in WebhookDelivery.objects.order_by("pk"):
        row.state, row.done_at, row.created_at = "failed", now, now - dt.timedelta(hours=row.pk - endpoint.pk)
        row.save()
    _first, second, _third = WebhookDelivery.objects.order_by("-created_at")
    sent = replaying.replay_failed(
        endpoint_id=endpoint.pk, actor=cast.administrator, since=second.created_at, until=second.created_at
    )
    go()
    second.refresh_from_db()
    assert (sent, second.state) == (1, WebhookDeliveryState.DELIVERED)
    with pytest.raises(DomainError, match="Nothing failed"):
        replaying.replay_failed(endpoint_id=endpoint.pk, actor=cast.administrator, until=now - dt.timedelta(days=9))
    assert replaying.replay_failed(endpoint_id=endpoint.pk, actor=cast.administrator) == 2


def test_pages_set_up_show_and_replay(cast, receiver, django_assert_max_num_queries):
    client = signed_in(cast.administrator)
    given = {"brand": cast.brand.pk, "name": "Dialler", "url": receiver.url + "/in", "events": ["lead.assigned"]}
    made = client.post(reverse("webhook_endpoint_new"), given)
    page = made.headers["Location"]
    receiver.switch("status", 400, times=1)
    assign(cast, 1, client=cast.client)
    go()
    WebhookDelivery.objects.update(attempts=9, next_at=timezone.now())
    receiver.switch("status", 400, times=1)
    go()
    row = WebhookDelivery.objects.get()
    with django_assert_max_num_queries(30):
        text = client.get(page).content.decode()
    assert "Dialler" in text and "Send failed messages again" in text
    with django_assert_max_num_queries(24):
        assert "Not accepting" in client.get(reverse("webhook_endpoints")).content.decode()
    with django_assert_max_num_queries(24):
        client.get(reverse("webhook_deliveries"))
    shown = client.get(reverse("webhook_delivery", args=[row.pk])).content.decode()
    assert "as switched on" in shown and row.message_id.hex in shown
    client.post(reverse("webhook_delivery_replay", args=[row.pk]))
    go()
    row.refresh_from_db()
    assert row.state == WebhookDeliveryState.DELIVERED
    endpoint = row.endpoint
    secret = client.post(reverse("webhook_endpoint_do", args=[endpoint.pk, "secret"]))
    assert secret_of(endpoint) in secret.content.decode() and secret["Cache-Control"] == "no-store"
    for what in ("test", "rotate", "pause", "resume"):
        client.post(reverse("webhook_endpoint_do", args=[endpoint.pk, what]))
    client.post(reverse("webhook_endpoint_do", args=[endpoint.pk, "archive"]), {"reason": "Over"})
    endpoint.refresh_from_db()
    assert endpoint.state == WebhookState.ARCHIVED
    assert set(AuditEvent.objects.filter(action__startswith="crm.webhook").values_list("action", flat=True)) >= {
        f"crm.webhook_{did}" for did in ("created", "replayed", "secret_shown", "tested", "secret_rotated", "archived")
    }
