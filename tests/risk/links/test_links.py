"""Who is linked with a client, how strongly and why; households and crowds weigh less."""

import datetime as dt

from django.urls import reverse
from django.utils import timezone

from clients.models import Identifier
from crm.models import AccessEvent
from risk.links.graph import all_links, around, groups
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
    assert AccessEvent.objects.filter(target="risk.links", client_id=client.pk).count() == 1
    hidden = around(cast.agent, client)
    assert hidden.ties == () and hidden.beyond == 1


def test_groups_join_clients_through_others():
    assert groups([(1, 2), (2, 3), (7, 8)]) == [[1, 2, 3], [7, 8]]
