"""Subscriptions as rows: what is sent to whom, what isn't, and who may set one up."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from crm import events
from crm.choices import DeliveryState, Role
from crm.errors import DomainError, NotAllowed, WrongState
from crm.events import targets
from crm.models import AuditEvent, EventDelivery, EventSubscription, Notification
from crm.staff import event_subscriptions as verbs
from tests.cast import make_staff, signed_in

pytestmark = pytest.mark.django_db
SENT: list[list[int]] = []


@pytest.fixture
def target(monkeypatch):
    """A target that notes what it gets, and fails on lead 13."""
    SENT.clear()

    def send(subscription, envelopes):
        numbers = [envelope.data["lead_id"] for envelope in envelopes]
        if 13 in numbers:
            raise ValueError("unlucky")
        SENT.append(numbers)

    made = targets.Target("noted", "Noted", lambda user: {}, lambda values: {}, lambda row: {}, send)
    monkeypatch.setitem(targets.TARGETS, "noted", made)
    return made


def subscribe(cast, *, brand="own", target="noted", name="Leads", heard=("lead.captured",), actor=None, **options):
    return verbs.create_subscription(
        brand_id=cast.brand.pk if brand == "own" else brand,
        target=target,
        actor=actor or cast.administrator,
        details=verbs.SubscriptionDetails(name, list(heard), options),
    )


def capture(cast, lead_id, **given):
    whose = {"client_id": None, "brand_id": cast.brand.pk, **given}
    events.publish(events.LeadCaptured(lead_id=lead_id, **whose))


def deliveries(row):
    return EventDelivery.objects.filter(handler=row.handler)


def test_a_subscription_gets_its_events_of_its_brand(cast, target):
    row = subscribe(cast)
    capture(cast, 1)
    capture(cast, 2)
    capture(cast, 3, brand_id=cast.other_brand.pk)
    events.publish(events.LeadAssigned(lead_id=4, agent_id=5, brand_id=cast.brand.pk))
    events.drain()
    assert SENT == [[1, 2]]
    assert deliveries(row).filter(state=DeliveryState.DONE).count() == 2


def test_one_of_all_brands_gets_those_of_each(cast, target):
    root = make_staff("root@meridian.example", Role.ADMINISTRATOR, brand=cast.brand, reaches=cast.brand)
    root.is_superuser = True
    root.save(update_fields=["is_superuser"])
    subscribe(cast, brand=None, actor=root)
    capture(cast, 1)
    capture(cast, 2, brand_id=cast.other_brand.pk)
    events.drain()
    assert SENT == [[1, 2]]


def test_a_set_of_events_goes_to_rows_too(cast, target):
    from django.db.models import F, Value

    from clients.models import Client

    subscribe(cast, heard=["lead.assigned"])
    people = Client.objects.filter(pk=cast.client.pk)
    rows = people.values("brand_id", client_id=F("pk"), lead_id=Value(7), agent_id=Value(8))
    assert events.publish_set(events.LeadAssigned, rows) == 1
    events.drain()
    assert SENT == [[7]]


def test_one_event_that_the_target_refuses_stops_no_other_and_is_retried(cast, target):
    row = subscribe(cast)
    for number in (12, 13, 14):
        capture(cast, number)
    events.deliver_due()
    assert SENT == [[12], [14]]
    left = deliveries(row).get(state=DeliveryState.PENDING)
    assert left.attempts == 1 and "unlucky" in left.error


def test_a_dead_delivery_of_a_subscription_is_sent_again(cast, target):
    row = subscribe(cast)
    capture(cast, 1)
    deliveries(row).update(state=DeliveryState.DEAD, finished_at="2026-01-01T00:00Z", attempts=9)
    dead = deliveries(row).get()
    page = signed_in(cast.administrator).get(reverse("event_delivery", args=[dead.pk])).content.decode()
    assert reverse("event_subscription", args=[row.pk]) in page
    events.replay(delivery_id=dead.pk, actor=cast.administrator)
    events.drain()
    assert SENT == [[1]]


def test_a_pause_drops_what_waits_and_what_happens_meanwhile(cast, target):
    row = subscribe(cast)
    capture(cast, 1)
    verbs.set_subscription_enabled(subscription_id=row.pk, is_enabled=False, actor=cast.administrator)
    capture(cast, 2)
    verbs.set_subscription_enabled(subscription_id=row.pk, is_enabled=True, actor=cast.administrator)
    capture(cast, 3)
    events.drain()
    assert SENT == [[3]]
    assert sorted(deliveries(row).values_list("state", flat=True)) == [DeliveryState.DONE, DeliveryState.SKIPPED]


def test_an_archived_one_is_over_and_its_name_is_free(cast, target):
    row = subscribe(cast)
    with pytest.raises(DomainError, match="Enter a reason"):
        verbs.archive_subscription(subscription_id=row.pk, actor=cast.administrator, reason=" ")
    verbs.archive_subscription(subscription_id=row.pk, actor=cast.administrator, reason="No longer needed")
    capture(cast, 1)
    events.drain()
    assert SENT == []
    for change in (
        lambda: verbs.set_subscription_enabled(subscription_id=row.pk, is_enabled=True, actor=cast.administrator),
        lambda: verbs.archive_subscription(subscription_id=row.pk, actor=cast.administrator, reason="again"),
    ):
        with pytest.raises(WrongState, match="archived"):
            change()
    subscribe(cast)


def test_what_is_changed_is_in_the_audit_log(cast, target):
    row = subscribe(cast)
    details = verbs.SubscriptionDetails("New leads", ["lead.assigned", "lead.captured"])
    verbs.change_subscription(subscription_id=row.pk, actor=cast.administrator, details=details)
    verbs.change_subscription(subscription_id=row.pk, actor=cast.administrator, details=details)
    actions = AuditEvent.objects.filter(target_type="crm.eventsubscription").order_by("pk")
    assert list(actions.values_list("action", "brand_id")) == [
        ("crm.event_subscription_created", cast.brand.pk),
        ("crm.event_subscription_changed", cast.brand.pk),
    ]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"heard": ["lead.lost"]}, "Unknown events: lead.lost"),
        ({"heard": []}, "at least one event"),
        ({"name": " "}, "Enter a name"),
        ({"target": "pigeon"}, "Choose where"),
    ],
)
def test_bad_input_is_refused_in_words(cast, target, given, says):
    with pytest.raises(DomainError, match=says):
        subscribe(cast, **given)
    assert not EventSubscription.objects.exists()


def test_a_name_is_taken_once_per_brand(cast, target):
    subscribe(cast)
    with pytest.raises(DomainError, match="already a subscription called"):
        subscribe(cast)


def test_their_number_is_limited_per_brand(cast, target, monkeypatch):
    monkeypatch.setattr(verbs, "PER_BRAND_MAX", 1)
    row = subscribe(cast)
    with pytest.raises(DomainError, match="already 1 subscriptions"):
        subscribe(cast, name="Another")
    verbs.archive_subscription(subscription_id=row.pk, actor=cast.administrator, reason="full")
    subscribe(cast, name="Another")


def test_who_does_not_reach_the_whole_brand_subscribes_to_nothing(cast, target):
    for actor, brand in (
        (cast.agent, cast.brand.pk),
        (cast.administrator, cast.other_brand.pk),
        (cast.administrator, None),
    ):
        with pytest.raises(NotAllowed):
            subscribe(cast, brand=brand, actor=actor)
    assert not EventSubscription.objects.exists()


@pytest.mark.parametrize("wrong", [{"events": []}, {"archived_at": "2026-01-01T00:00Z"}])
def test_the_database_refuses_a_subscription_that_makes_no_sense(cast, wrong):
    values = {"name": "x", "events": ["a.b"], "target": "noted", "created_by": cast.administrator, **wrong}
    with pytest.raises(IntegrityError, match="subscription"), transaction.atomic():
        EventSubscription.objects.create(**values)


class TestNotices:
    def subscribe(self, cast, heard, **options):
        return subscribe(cast, target="notice", name="Watch this", heard=heard, **{"role": "", "people": [], **options})

    def told(self):
        return set(Notification.objects.filter(kind="crm.event").values_list("user_id", flat=True))

    def test_who_reaches_the_client_is_notified_with_a_link(self, cast):
        people = [cast.agent.pk, cast.other_agent.pk]
        self.subscribe(cast, ["client.registered"], people=people)
        events.publish(events.ClientRegistered(user_id=1, client_id=cast.client.pk, brand_id=cast.brand.pk))
        events.drain()
        row = Notification.objects.get(kind="crm.event")
        assert (row.user, row.title, row.url) == (cast.agent, "Watch this", cast.client.get_absolute_url())
        assert row.body == f"Client registered: {cast.client}"

    def test_sales_learn_nothing_of_screenings(self, cast):
        people = [cast.agent.pk, cast.desk_head.pk, cast.mlro.pk]
        self.subscribe(cast, ["compliance.client_screened"], people=people)
        events.publish(events.ClientScreened(screening_id=1, hits=0, client_id=cast.client.pk, brand_id=cast.brand.pk))
        EventDelivery.objects.exclude(handler__startswith="subscription:").delete()
        events.drain()
        assert self.told() == {cast.mlro.pk}

    def test_many_at_once_are_one_notice_for_a_role(self, cast):
        self.subscribe(cast, ["lead.captured"], role=Role.DESK_HEAD.value)
        for number in range(4):
            capture(cast, number)
        events.drain()
        row = Notification.objects.get(kind="crm.event")
        assert (row.user, row.body, row.url) == (cast.desk_head, "Lead captured: 4 new", "")


class TestPages:
    def test_an_administrator_adds_changes_pauses_and_archives_one(self, cast):
        browser = signed_in(cast.administrator)
        address = reverse("event_subscription_new", args=["notice"])
        values = {"name": "Failed", "events": ["wallet.deposit_failed"], "brand": cast.brand.pk, "role": "finance"}
        answer = browser.post(address, values)
        row = EventSubscription.objects.get()
        page = reverse("event_subscription", args=[row.pk])
        assert answer["Location"] == page and row.options == {"role": "finance", "people": []}
        assert "Failed" in browser.get(reverse("event_subscriptions")).content.decode()
        browser.post(page, {**values, "name": "Failed deposits"})
        browser.post(reverse("event_subscription_enabled", args=[row.pk]))
        row.refresh_from_db()
        assert (row.name, row.is_enabled) == ("Failed deposits", False)
        browser.post(reverse("event_subscription_archive", args=[row.pk]), {"reason": "done"})
        assert "Archived" in browser.get(page).content.decode()

    def test_a_refusal_keeps_what_was_typed(self, cast):
        answer = signed_in(cast.administrator).post(
            reverse("event_subscription_new", args=["notice"]),
            {"name": "Nobody", "events": ["lead.captured"], "brand": cast.brand.pk},
        )
        page = answer.content.decode()
        assert answer.status_code == 422 and "Choose a role or at least one person" in page
        assert 'value="Nobody"' in page and not EventSubscription.objects.exists()

    def test_another_brands_subscription_is_not_found(self, cast, target):
        row = EventSubscription.objects.create(
            name="x", brand=cast.other_brand, events=["lead.captured"], target="noted", created_by=cast.administrator
        )
        browser = signed_in(cast.administrator)
        assert browser.get(reverse("event_subscription", args=[row.pk])).status_code == 404
        assert browser.post(reverse("event_subscription_enabled", args=[row.pk])).status_code == 404


# ── conditions ───────────────────────────────────────────────────────────────────────────────────────────────────────

FROM_GOOGLE = {"version": 1, "all": [{"field": "source", "is": "in", "value": ["google"]}]}


def conditional(cast, condition, heard=("lead.captured",), name="Some"):
    details = verbs.SubscriptionDetails(name, list(heard), {}, condition)
    return verbs.create_subscription(brand_id=cast.brand.pk, target="noted", actor=cast.administrator, details=details)


def test_only_events_that_meet_the_condition_are_delivered(cast, target):
    row = conditional(cast, FROM_GOOGLE)
    for number, source in enumerate(("google", "bing", "google", "")):
        events.publish(events.LeadCaptured(lead_id=number, brand_id=cast.brand.pk, source=source))
    assert deliveries(row).count() == 2, "those that don't meet it have no delivery at all"
    events.drain()
    assert SENT == [[0, 2]]


def test_a_set_of_events_is_decided_in_the_database(cast, target):
    from django.db.models import F, Value

    from clients.models import Client

    rule = {"version": 1, "all": [{"not": {"field": "rule", "is": "is", "value": "Spanish"}}]}
    conditional(cast, rule, heard=["lead.assigned"])
    people = Client.objects.filter(pk=cast.client.pk)
    for number, name in ((7, "Spanish"), (8, "German")):
        rows = people.values("brand_id", client_id=F("pk"), lead_id=Value(number), agent_id=Value(8), rule=Value(name))
        events.publish_set(events.LeadAssigned, rows)
    events.drain()
    assert SENT == [[8]]


def test_amounts_and_lists_are_asked(cast, monkeypatch):
    got = []
    made = targets.Target(
        "noted", "Noted", lambda user: {}, lambda values: {}, lambda row: {}, lambda row, many: got.extend(many)
    )
    monkeypatch.setitem(targets.TARGETS, "noted", made)
    condition = {
        "version": 1,
        "all": [
            {"field": "amount", "is": "ge", "value": "1000"},
            {"field": "reasons", "is": "has", "value": ["payer"]},
        ],
    }
    conditional(cast, condition, heard=["wallet.deposit_held"])
    for number, (amount, reasons) in enumerate((("999.99", ("payer",)), ("1000.00", ("payer", "x")), ("5000", ()))):
        events.publish(
            events.DepositHeld(
                deposit_id=number, amount=amount_of(amount), currency="EUR", reasons=reasons, brand_id=cast.brand.pk
            )
        )
    events.drain()
    assert [envelope.data["deposit_id"] for envelope in got] == [1]


def amount_of(text):
    from decimal import Decimal

    return Decimal(text)


def test_each_chosen_event_needs_the_fields_asked_for(cast, target):
    with pytest.raises(DomainError, match="“Lead assigned” has no field “Source”"):
        conditional(cast, FROM_GOOGLE, heard=["lead.captured", "lead.assigned"])
    for wrong in (
        {"version": 1, "all": [{"field": "nothing", "is": "empty"}]},
        {"version": 1, "all": [{"field": "source", "is": "ge", "value": 5}]},
        {"version": 1, "all": [{"field": "lead_id", "is": "eq", "value": 5}]},
    ):
        with pytest.raises(DomainError):
            conditional(cast, wrong)
    assert not EventSubscription.objects.exists()


def test_taking_the_condition_away_sends_every_event_again(cast, target):
    row = conditional(cast, FROM_GOOGLE)
    details = verbs.SubscriptionDetails(row.name, row.events)
    verbs.change_subscription(subscription_id=row.pk, actor=cast.administrator, details=details)
    row.refresh_from_db()
    assert (row.condition, row.path) == ({}, None)
    capture(cast, 1)
    events.drain()
    assert SENT == [[1]]


def test_a_path_that_is_none_cannot_be_stored(cast, target):
    row = conditional(cast, FROM_GOOGLE)
    with pytest.raises(Exception, match="jsonpath"), transaction.atomic():
        EventSubscription.objects.filter(pk=row.pk).update(path="$.source ==")


def test_the_page_names_events_and_their_apps_and_keeps_the_condition(cast, target):
    import json

    browser = signed_in(cast.administrator)
    page = browser.get(reverse("event_subscription_new", args=["noted"])).content.decode()
    assert "Deposit settled · wallet.deposit_settled" in page and '<div class="k-nav-section">Money</div>' in page
    sent = {"name": "Google", "events": ["lead.captured"], "brand": cast.brand.pk, "condition": json.dumps(FROM_GOOGLE)}
    assert browser.post(reverse("event_subscription_new", args=["noted"]), sent).status_code == 302
    row = EventSubscription.objects.get()
    assert row.condition["all"] == FROM_GOOGLE["all"] and row.path is not None
    listed = browser.get(reverse("event_subscriptions")).content.decode()
    assert "Lead captured" in listed and "Source is google" in listed
    wrong = browser.post(reverse("event_subscription", args=[row.pk]), {**sent, "events": ["lead.assigned"]})
    assert wrong.status_code == 422 and "has no field" in wrong.content.decode() and "google" in wrong.content.decode()
