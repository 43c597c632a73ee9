"""What links people: learnt wherever it shows, kept as keyed hashes, gone with the client's key."""

import datetime as dt
import threading

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, connections, transaction
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from clients.identifiers import IdentifierKind, Seen, learn, learn_many, learn_of_staff
from clients.identifiers.keeping import ip_prefix, mark_of
from clients.identifiers.links import SHARED_MAX, linked_to
from clients.identifiers.places import note_country
from clients.merging.merge import merge_clients
from clients.models import Client, Identifier, SignInCountry
from crm.accounts import attempts
from crm.models import Book, User
from crm.privacy.erasures import destroy_client_key
from crm.security import crypto
from tests import cast as everybody

pytestmark = pytest.mark.django_db
IBAN = IdentifierKind.BANK_ACCOUNT


def make_client(cast, email, **fields) -> Client:
    where = {"brand": cast.brand, "book": cast.book, "login": False, **fields}
    return everybody.make_client(email=email, **where)


@pytest.fixture
def pair(cast):
    return make_client(cast, "one@x.example"), make_client(cast, "two@x.example")


def kinds_of(user, client) -> dict[str, set[str]]:
    return {str(link.person): {shared.kind for shared in link.shared} for link in linked_to(user, client).rows}


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (IdentifierKind.EMAIL, "A.Person+fx@Gmail.com", "aperson@googlemail.com"),
        (IdentifierKind.PHONE, "+44 20 7946 0018", "+442079460018"),
        (IdentifierKind.IP_PREFIX, "8.8.8.8", "8.8.8.200"),
        (IdentifierKind.IP_PREFIX, "2a00:1450:4001::1", "2a00:1450:4001:ffff::9"),
        (IBAN, "de89 3704 0044 0532 0130 00", "DE89370400440532013000"),
        (
            IdentifierKind.CRYPTO_ADDRESS,
            "0xAbCd000000000000000000000000000000000001",
            "0xabcd000000000000000000000000000000000001",
        ),
    ],
)
def test_two_spellings_of_one_thing_have_one_mark(kind, one, other):
    assert mark_of(kind, one) == mark_of(kind, other) != b""


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (IdentifierKind.CRYPTO_ADDRESS, "1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "1boatSLRHtKNngkdXEeobR76b53LETtpyT"),
        (IdentifierKind.IP_PREFIX, "8.8.8.8", "8.8.9.8"),
        (IdentifierKind.DEVICE, "aaaaaaaa", "AAAAAAAA"),
    ],
)
def test_two_things_have_two_marks(kind, one, other):
    assert mark_of(kind, one) != mark_of(kind, other)


def test_one_value_of_two_kinds_has_two_marks():
    assert mark_of(IBAN, "12345678") != mark_of(IdentifierKind.CARD, "12345678")


@pytest.mark.parametrize("value", ["", "   ", "127.0.0.1", "10.1.2.3", "fe80::1", "no address", "8.8.8.8.8"])
def test_a_network_that_is_not_of_the_public_internet_identifies_no_one(value):
    assert ip_prefix(value) == ""
    assert mark_of(IdentifierKind.IP_PREFIX, value) == b""


def test_a_known_one_only_counts_on_and_keeps_first_and_last(pair):
    early, late = timezone.now() - dt.timedelta(days=9), timezone.now()
    for at in (late, early, early):
        learn(pair[0].pk, IBAN, "DE89370400440532013000", at=at)
    kept = Identifier.objects.get(client=pair[0], kind=IBAN)
    assert (kept.first_seen, kept.last_seen, kept.times) == (early, late, 3)


def test_the_value_is_not_in_the_table(pair):
    learn(pair[0].pk, IBAN, "DE89370400440532013000")
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(i::text, ' ') FROM clients_identifier i")
        assert "370400440532" not in cursor.fetchone()[0]
        cursor.execute("SELECT octet_length(mark) FROM clients_identifier LIMIT 1")
        assert cursor.fetchone() == (32,)


def test_a_saved_record_is_learnt_by_itself_and_an_older_address_stays(pair):
    client = pair[0]
    client.email = "new@x.example"
    client.save(update_fields=["email"])
    marks = {
        bytes(mark) for mark in Identifier.objects.filter(client=client, kind="email").values_list("mark", flat=True)
    }
    assert marks == {mark_of(IdentifierKind.EMAIL, mail) for mail in ("one@x.example", "new@x.example")}


def test_saving_something_else_writes_no_identifier(pair):
    pair[0].city = "Oslo"
    before = Identifier.objects.get(client=pair[0], kind="email").times
    pair[0].save(update_fields=["city"])
    assert Identifier.objects.get(client=pair[0], kind="email").times == before


def test_who_shares_an_account_is_linked_and_who_does_not_is_not(cast, pair):
    one, two = pair
    three = make_client(cast, "three@x.example")
    for client in (one, two):
        learn(client.pk, IBAN, "DE89370400440532013000")
    learn(three.pk, IBAN, "NO9386011117947")
    assert kinds_of(cast.finance, one) == {str(two): {IBAN}}
    assert kinds_of(cast.finance, three) == {}


def test_what_many_people_share_links_none_of_them(cast):
    clients = [make_client(cast, f"c{number}@x.example") for number in range(SHARED_MAX + 2)]
    now = timezone.now()
    learn_many(Seen(client.pk, IdentifierKind.IP_PREFIX, "8.8.8.8", now) for client in clients[:-1])
    assert len(linked_to(cast.finance, clients[0]).rows) == SHARED_MAX
    learn(clients[-1].pk, IdentifierKind.IP_PREFIX, "8.8.8.8")
    assert linked_to(cast.finance, clients[0]).rows == ()


def test_a_linked_client_out_of_reach_is_only_counted_and_another_brands_not_even_that(cast, pair):
    book = Book.objects.create(brand=cast.other_brand, name="Theirs")
    theirs = make_client(cast, "far@x.example", brand=cast.other_brand, book=book)
    beside = make_client(cast, "near@x.example", book=cast.other_book)
    for client in (pair[0], theirs, beside):
        learn(client.pk, IBAN, "DE89370400440532013000")
    links = linked_to(cast.desk_head, pair[0])
    assert (links.rows, links.beyond) == ((), 1)


def test_staff_who_use_a_clients_device_are_named(cast, pair):
    learn(pair[0].pk, IdentifierKind.DEVICE, "0123456789abcdef")
    learn_of_staff(cast.agent.pk, IdentifierKind.DEVICE, "0123456789abcdef")
    (link,) = linked_to(cast.finance, pair[0]).rows
    assert link.is_staff
    assert link.person == cast.agent


def test_the_tab_shows_links_to_who_may_see_them_and_to_no_one_else(cast, pair, browse):
    for client in pair:
        learn(client.pk, IBAN, "DE89370400440532013000")
    address = reverse("client_tab", args=[pair[0].pk, "linked"])
    page = browse(cast.finance).get(address).content.decode()
    assert str(pair[1]) in page
    assert "Bank account" in page
    assert browse(cast.agent).get(address).status_code in (403, 404)


def test_links_take_three_queries_however_many_they_are(cast, django_assert_max_num_queries):
    clients = [make_client(cast, f"c{number}@x.example") for number in range(12)]
    now = timezone.now()
    learn_many(Seen(client.pk, IBAN, "DE89370400440532013000", now) for client in clients)
    user = User.objects.get(pk=cast.finance.pk)
    with django_assert_max_num_queries(4):
        assert len(linked_to(user, clients[0]).rows) == 11


def test_destroying_the_clients_key_deletes_their_identifiers_and_no_one_elses(pair):
    for client in pair:
        learn(client.pk, IBAN, "DE89370400440532013000")
        note_country(client.pk, "8.8.8.8", timezone.now())
        crypto.encrypt_for_client(client.pk, b"something")
    destroy_client_key(pair[0].pk)
    assert list(SignInCountry.objects.values_list("client_id", flat=True)) == [pair[1].pk]
    assert not Identifier.objects.filter(client=pair[0]).exists()
    assert Identifier.objects.filter(client=pair[1]).exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"mark": b"short"},
        {"kind": "shoe_size"},
        {"client": None},
        {"first_seen": timezone.now() + dt.timedelta(days=1)},
    ],
)
def test_the_database_refuses_what_is_no_identifier(pair, wrong):
    now = timezone.now()
    row = {"kind": "card", "mark": b"x" * 32, "client": pair[0], "first_seen": now, "last_seen": now, **wrong}
    with pytest.raises(IntegrityError), transaction.atomic():
        Identifier.objects.create(**row)


def test_a_rebuild_writes_what_is_missing_and_counts_nothing_twice(pair, capsys):
    call_command("rebuild_facts")
    before = sorted(Identifier.objects.values_list("client", "kind", "times"))
    Identifier.objects.filter(client=pair[0]).delete()
    with pytest.raises(SystemExit):
        call_command("rebuild_facts", "--check")
    assert f"client {pair[0].pk}: an identifier (email)" in capsys.readouterr().err
    call_command("rebuild_facts")
    call_command("rebuild_facts", "--check")
    assert sorted(Identifier.objects.values_list("client", "kind", "times")) == before


def test_what_a_merged_record_says_is_known_of_the_one_that_was_kept(pair, capsys):
    kept, merged = pair
    call_command("rebuild_facts")
    merge_clients(kept_id=kept.pk, merged_id=merged.pk, actor=None, reason="Same person")
    call_command("rebuild_facts", "--check")
    Identifier.objects.filter(kind=IdentifierKind.EMAIL).delete()
    with pytest.raises(SystemExit):
        call_command("rebuild_facts", "--check")
    assert capsys.readouterr().err.count(f"client {kept.pk}: an identifier (email)") == 2
    call_command("rebuild_facts")
    call_command("rebuild_facts", "--check")
    assert not Identifier.objects.filter(client=merged, kind=IdentifierKind.EMAIL).exists()


def test_many_are_written_with_few_statements(cast, pair, django_assert_max_num_queries):
    now = timezone.now()
    with django_assert_max_num_queries(3):
        learn_many(Seen(pair[0].pk, IdentifierKind.CARD, f"card-{number}", now) for number in range(6_000))
    assert Identifier.objects.filter(kind="card").count() == 6_000


@pytest.mark.django_db(transaction=True)
def test_two_who_learn_the_same_things_in_another_order_both_get_through(cast):
    one, now, problems = make_client(cast, "one@x.example"), timezone.now(), []

    def write(numbers) -> None:
        try:
            for _round in range(5):
                learn_many([Seen(one.pk, IdentifierKind.CARD, f"card-{number}", now) for number in numbers])
        except Exception as error:
            problems.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=write, args=[order]) for order in (range(300), range(299, -1, -1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert set(Identifier.objects.filter(kind="card").values_list("times", flat=True)) == {10}
    assert Client.objects.filter(pk=one.pk).exists()


def test_a_sign_in_teaches_the_device_and_the_network(cast, rf):
    for user in (cast.client_user, cast.agent):
        request = rf.get("/", REMOTE_ADDR="8.8.8.8")
        attempts.remember_device(request, HttpResponse(), user)
    kinds = {IdentifierKind.DEVICE, IdentifierKind.IP_PREFIX}
    assert set(Identifier.objects.filter(client=cast.client).values_list("kind", flat=True)) >= kinds
    assert set(Identifier.objects.filter(user=cast.agent).values_list("kind", flat=True)) == kinds
    (link,) = linked_to(cast.finance, cast.client).rows
    assert link.person == cast.agent
    assert [shared.kind for shared in link.shared] == [IdentifierKind.IP_PREFIX]


def test_a_client_who_signs_in_shows_the_country_of_the_address(cast, rf, browse):
    today = timezone.now().astimezone(dt.UTC).date()
    for address in ("77.88.8.8", "77.88.8.8", "8.8.8.8", "10.0.0.7", "2a02:6b8::1"):
        attempts.remember_device(rf.get("/", REMOTE_ADDR=address), HttpResponse(), cast.client_user)
    attempts.remember_device(rf.get("/", REMOTE_ADDR="1.1.1.1"), HttpResponse(), cast.agent)
    rows = SignInCountry.objects.filter(client=cast.client).order_by("country")
    assert list(rows.values_list("country", "day", "times")) == [("RU", today, 3), ("US", today, 1)]
    page = browse(cast.finance).get(reverse("client_tab", args=[cast.client.pk, "linked"])).content.decode()
    assert "Not the country of residence" in page
    assert "Russia" in page


def test_the_same_browser_is_the_same_device_for_two_people(cast, rf, pair):
    answer = HttpResponse()
    attempts.remember_device(rf.get("/"), answer, cast.client_user)
    request = rf.get("/")
    request.COOKIES[attempts.COOKIE] = answer.cookies[attempts.COOKIE].value
    attempts.remember_device(request, HttpResponse(), cast.agent)
    (link,) = linked_to(cast.finance, cast.client).rows
    assert [shared.kind for shared in link.shared] == [IdentifierKind.DEVICE]
