import threading

import pytest
from django.db import connections
from django.utils import timezone

from clients.choices import Stage
from clients.models import Client, Identifier, TimelineEntry
from crm.errors import DomainError, IdempotencyConflict
from crm.models import AuditEvent, Book, Notification, OutboxEvent, PolicyValue
from leads.models import Lead
from tests.cast import make_client

pytestmark = pytest.mark.django_db


def test_a_new_person_is_recorded_scored_routed_and_told_in_one_go(cast, german_rule, landing_page, capture):
    taken = capture(
        landing_page=landing_page,
        campaign="de-search",
        ip="203.0.113.9",
        user_agent="Firefox",
        utm={"utm_campaign": "de-search", "utm_term": "forex"},
        landing_url="https://x.example/l/?utm_campaign=de-search",
        accept_language="de-DE,de;q=0.9",
        message="Bitte anrufen",
    )
    client, lead = Client.objects.get(pk=taken.client.pk), Lead.objects.get(pk=taken.lead.pk)
    assert (client.stage, client.email, client.phone) == (Stage.LEAD, "erika@web.de", "+4915123456789")
    assert (client.book, client.owner, client.time_zone) == (cast.book, cast.agent, "Europe/Berlin")
    assert (client.source, client.campaign, client.score) == ("google", "de-search", lead.score)
    assert (lead.campaign.code, lead.medium, lead.ip, lead.country_guess) == ("de-search", "cpc", "203.0.113.9", "DE")
    assert lead.utm["utm_term"] == "forex"
    assert lead.score == sum(reason["points"] for reason in lead.score_reasons) > 50
    assert (lead.assigned_to, lead.routing_rule) == (cast.agent, german_rule)
    assert [reason["code"] for reason in lead.routing_reasons] == ["rule", "language", "round_robin"]
    assert (lead.sla_due_at - lead.assigned_at).total_seconds() == 600
    assert OutboxEvent.objects.filter(client_id=client.pk, name__in=["lead.captured", "lead.assigned"]).count() == 2
    bell = Notification.objects.get(user=cast.agent)
    assert bell.title == "New lead: Erika Mustermann" and bell.url == f"/clients/{client.pk}/"
    assert AuditEvent.objects.filter(action="leads.captured", client_id=client.pk).count() == 1
    assert TimelineEntry.objects.get(client=client).body == "Bitte anrufen"


def test_a_capture_takes_a_bounded_number_of_queries(
    cast, german_rule, landing_page, capture, django_assert_max_num_queries
):
    capture(landing_page=landing_page)
    with django_assert_max_num_queries(35):
        capture(landing_page=landing_page, email="another@web.de", phone="0151 99999999")


def test_the_same_person_again_is_one_client_with_two_leads(cast, german_rule, campaign, capture):
    first = capture(source="google", phone="")
    again = capture(email="Erika+fx@web.de", source="facebook", campaign="de-search")
    assert again.is_duplicate and again.client.pk == first.client.pk
    client = Client.objects.get(pk=first.client.pk)
    assert client.email == "erika@web.de"
    assert client.phone == "+4915123456789"  # it was blank
    assert (client.source, client.campaign) == ("google", "")  # the first touch keeps the credit
    assert client.score == again.lead.score  # the newest is what sales works on
    assert [lead.source for lead in client.leads.order_by("id")] == ["google", "facebook"]
    assert again.lead.match_reasons == [
        {"code": "email", "weight": 4},
        {"code": "country", "weight": 1},
        {"code": "first_name", "weight": 1},
        {"code": "last_name", "weight": 1},
    ]
    assert again.lead.typed == {"email": "erika+fx@web.de"}
    assert again.lead.assigned_to == cast.agent and again.lead.sla_due_at is None
    titles = list(Notification.objects.filter(user=cast.agent).order_by("id").values_list("title", flat=True))
    assert titles == ["New lead: Erika Mustermann", "Repeat enquiry from Erika Mustermann"]


def test_a_phone_alone_does_not_make_two_people_one(cast, german_rule, capture):
    first = capture()
    stranger = capture(
        email="hans@gmx.at", last_name="Gruber", country="AT", first_name="Hans", phone="+49 151 23456789"
    )
    assert not stranger.is_duplicate
    hint = TimelineEntry.objects.get(client=stranger.client, data__has_key="similar")
    assert hint.data["similar"] == [first.client.pk]


def test_a_phone_with_the_same_name_does(cast, german_rule, capture):
    first = capture()
    again = capture(email="other@gmx.de", last_name="MUSTERMANN", country="", phone="+49 151 23456789")
    assert again.is_duplicate and again.client.pk == first.client.pk
    assert Client.objects.get(pk=first.client.pk).email == "erika@web.de"


def test_a_household_with_one_phone_stays_two_people(cast, german_rule, capture):
    first = capture()
    partner = capture(email="peter@web.de", first_name="Peter")
    assert not partner.is_duplicate and partner.client.pk != first.client.pk
    hint = TimelineEntry.objects.get(client=partner.client, data__has_key="similar")
    assert hint.data["similar"] == [first.client.pk]


def test_a_phone_without_a_first_name_stays_a_question(cast, german_rule, capture):
    first = capture()
    nameless = capture(email="", first_name="", last_name="")
    assert not nameless.is_duplicate
    assert TimelineEntry.objects.get(client=nameless.client, data__has_key="similar").data["similar"] == [
        first.client.pk
    ]


def test_the_points_of_the_brand_decide(cast, german_rule, capture):
    PolicyValue.objects.create(
        brand=cast.brand,
        key="dedupe_threshold",
        value=6,
        effective_on="2020-01-01",
        set_at=timezone.now(),
        reason="Strict",
    )
    first = capture()
    assert not capture(email="b@web.de", country="AT").is_duplicate, "phone, first name and last name: five points"
    assert capture(email="c@web.de").client == first.client


def test_a_registered_client_who_comes_again_stays_with_the_owner(cast, german_rule, capture):
    again = capture(email="clara@example.com", phone="", last_name="Weber")
    assert again.client.pk == cast.client.pk
    assert Client.objects.get(pk=cast.client.pk).stage == Stage.REGISTERED
    assert again.lead.routing_reasons[0]["code"] == "owner"


def test_someone_known_whom_nobody_owns_is_routed_when_they_come_again(cast, german_rule, capture):
    known = make_client(brand=cast.brand, book=cast.pool, email="pool@web.de", login=False, last_name="X")
    again = capture(email="pool@web.de")
    assert again.is_duplicate
    known.refresh_from_db()
    assert (known.owner, known.book) == (cast.agent, cast.book)
    assert Notification.objects.get(user=cast.agent).kind == "leads.assigned"


def test_brands_do_not_know_each_others_people(cast, german_rule, capture):
    other = Book.objects.create(brand=cast.other_brand, name="Pool", is_pool=True)
    make_client(brand=cast.other_brand, book=other, email="erika@web.de", login=False)
    assert not capture().is_duplicate


def test_nobody_is_lost_where_no_rule_fits(cast, capture):
    taken = capture(language="fr", country="FR", phone="+33 6 12 34 56 78")
    assert taken.client.book == cast.pool and taken.client.owner is None
    assert taken.lead.routing_reasons == [{"code": "no_rule"}]


def test_a_brand_without_a_pool_gets_one(cast, capture):
    Book.objects.filter(pk=cast.pool.pk).update(is_pool=False)
    assert capture().client.book.is_pool


@pytest.mark.parametrize(
    "typed", [{"email": "", "phone": ""}, {"email": "not an address", "phone": "12"}, {"email": "a@b", "phone": ""}]
)
def test_a_lead_without_a_way_to_reach_it_is_refused(cast, german_rule, capture, typed):
    with pytest.raises(DomainError, match="e-mail address or phone"):
        capture(**typed)
    assert not Lead.objects.exists() and not OutboxEvent.objects.exists()


def test_the_same_key_gives_the_first_lead_back(cast, german_rule, capture):
    first = capture(idempotency_key="abc")
    second = capture(idempotency_key="abc")
    assert second.is_replay and second.lead.pk == first.lead.pk
    assert Lead.objects.count() == 1
    with pytest.raises(IdempotencyConflict):
        capture(idempotency_key="abc", first_name="Someone else")


def test_an_agent_who_enters_someone_keeps_them(cast, german_rule, second_agent, capture):
    taken = capture(actor=cast.agent, keep_with=cast.book)
    assert taken.client.owner == cast.agent
    assert taken.lead.routing_reasons == [{"code": "own_book", "agent": str(cast.agent)}]
    assert not Notification.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_at_once_make_one_client(cast, german_rule, capture):
    gate = threading.Barrier(2)
    errors = []

    def go(n):
        gate.wait()
        try:
            capture(first_name=f"Erika {n}")
        except Exception as error:
            errors.append(error)
        connections.close_all()

    threads = [threading.Thread(target=go, args=(n,)) for n in range(2)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not errors
    assert Client.objects.filter(email="erika@web.de").count() == 1
    assert Lead.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_the_same_key_twice_at_once_is_one_lead(cast, german_rule, capture):
    gate = threading.Barrier(2)
    found = []

    def go():
        gate.wait()
        found.append(capture(idempotency_key="k").lead.pk)
        connections.close_all()

    threads = [threading.Thread(target=go) for _ in range(2)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(found) == 2 and len(set(found)) == 1


def test_a_capture_teaches_what_links_people_and_a_known_persons_other_number_too(capture):
    first = capture(ip="8.8.8.8")
    again = capture(ip="9.9.9.9", phone="0160 1234567")
    assert again.client == first.client
    kept = Identifier.objects.filter(client=first.client)
    assert sorted(kept.values_list("kind", flat=True)) == ["email", "ip_prefix", "ip_prefix", "phone", "phone"]


def test_the_country_of_the_address_counts_where_nothing_else_is_entered(cast, german_rule, capture):
    """By the offline database; a private address and a phone's own country come first or say nothing."""
    far = {"country": "", "phone": "", "accept_language": "en-US"}
    found = [
        capture(**{**far, "email": f"ip{number}@example.com", **more}).lead.country_guess
        for number, more in enumerate(
            ({"ip": "217.160.0.1"}, {"ip": "10.0.0.1"}, {"ip": "217.160.0.1", "country": "AT"})
        )
    ]
    assert found == ["DE", "US", "AT"]
