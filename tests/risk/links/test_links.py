"""Who is linked with a client, how strongly and why; households and crowds weigh less."""

import datetime as dt
import re

import pytest
from django.urls import reverse
from django.utils import timezone

from clients.models import Identifier
from crm.errors import DomainError, WrongState
from crm.models import AccessEvent, AuditEvent
from risk.abuse.book import Account, Book, Mark
from risk.abuse.detectors.money import multi
from risk.abuse.findings import Judgement
from risk.links.graph import all_links, around, groups
from risk.links.known import set_link_aside
from risk.links.models import KnownLink
from risk.links.weights import NEEDED, Shared, strength


def share(kind: str, *clients, mark: int = 1) -> None:
    at = timezone.now() - dt.timedelta(days=9)
    Identifier.objects.bulk_create(
        Identifier(kind=kind, mark=bytes([mark]) * 32, client=client, first_seen=at, last_seen=at) for client in clients
    )


def test_weights_tell_a_person_from_a_household_and_a_crowd():
    assert strength([Shared("document", 2)]) >= NEEDED
    home = [Shared(kind, 3) for kind in ("device", "card", "phone", "bank_account", "ip_prefix")]
    assert strength(home) < NEEDED and strength([*home, Shared("email", 2)]) >= NEEDED
    assert strength([Shared("device", 20)]) < strength([Shared("device", 2)])


def test_page_says_why_how_strongly_and_since_when(cast, browse, django_assert_max_num_queries):
    client, other = cast.client, cast.other_client
    share("device", client, other, mark=201)
    with django_assert_max_num_queries(8):
        (tie,) = around(cast.mlro, client).ties
    assert (tie.client, tie.strength, tie.is_strong) == (other, 4.0, False)
    share("document", client, other, mark=202)
    (tie,) = around(cast.mlro, client).ties
    assert tie.strength == 12 and tie.verdict == "Likely one person"
    assert all_links(client.brand_id)[min(client.pk, other.pk), max(client.pk, other.pk)] == 12
    page = browse(cast.mlro).get(reverse("risk_links", args=[client.pk])).content.decode()
    assert str(other) in page and "<svg" in page and "Document number" in page and "Likely one person" in page
    assert 'class="why">Device, Document number<' in page, "the picture says why, too"
    assert re.search(r'href="/risk/abuse/" aria-current="page"', page), "the page belongs to suspected abuse"
    assert AccessEvent.objects.filter(target="risk.links", client_id=client.pk).count() == 1
    hidden = around(cast.agent, client)
    assert hidden.ties == () and hidden.beyond == 1


def test_groups_join_clients_through_others():
    assert groups([(1, 2), (2, 3), (7, 8)]) == [[1, 2, 3], [7, 8]]


def test_a_link_set_aside_counts_for_nothing_until_it_counts_again(cast, browse):
    client, other = cast.client, cast.other_client
    share("device", client, other, mark=211)
    share("email", client, other, mark=212)
    pair = min(client.pk, other.pk), max(client.pk, other.pk)
    assert pair in all_links(client.brand_id)
    head, address = browse(cast.finance), reverse("risk_link_known", args=[client.pk])
    said = head.post(address, {"other_id": other.pk, "why": "household", "reason": " "}).content.decode()
    assert not KnownLink.objects.exists() and "This field is required" in said
    head.post(address, {"other_id": other.pk, "why": "household", "reason": "Married, both were on the phone"})
    assert pair not in all_links(client.brand_id)
    (tie,) = around(cast.finance, client).ties
    assert (tie.verdict, tie.strength) == ("One household", 0.0)
    assert set(AuditEvent.objects.filter(action="risk.link_set_aside").values_list("client_id", flat=True)) == set(pair)
    with pytest.raises(WrongState):
        set_link_aside(client_id=client.pk, other_id=other.pk, why="other", reason="Twice", actor=cast.finance)
    head.post(reverse("risk_link_counts", args=[client.pk, KnownLink.objects.get().pk]))
    assert pair in all_links(client.brand_id) and KnownLink.objects.get().ended_by == cast.finance


def test_who_shares_an_identity_document_is_not_set_aside(cast):
    share("document", cast.client, cast.other_client, mark=213)
    with pytest.raises(DomainError, match="Merge the records"):
        set_link_aside(
            client_id=cast.client.pk, other_id=cast.other_client.pk, why="household", reason="Twins", actor=cast.finance
        )


def test_the_check_for_several_accounts_leaves_out_who_is_known_to_be_two():
    accounts = {name: Account(name, name) for name in ("7", "8")}
    marks = [Mark(client, kind, "x") for client in accounts for kind in ("email", "device", "name")]
    found = [
        list(multi(Book([], accounts, marks=marks, known=known), None, Judgement([]))) for known in ((), [("8", "7")])
    ]
    assert [len(rows) for rows in found] == [1, 0]
