"""A login given to a client whom the platform's data doesn't name: one person proposes the client, another attaches the login."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, Book, Desk, Notification
from tests.cast import Cast, make_client
from tests.trading.factories import make_account, make_type
from tests.trading.imports.test_imports import new_login, read, row, run
from tests.trading.sandbox_server import Sandbox
from trading.imports.attach import NO_TYPE, SecondPersonNeeded, attach, ignore
from trading.imports.client_proposals import approve_client, propose_client, refuse_client, withdraw_client
from trading.models import AccountType, StagedLogin, TradingAccount, TradingServer

pytestmark = pytest.mark.django_db
WHY = "Their contract of 2019 names the login"


@pytest.fixture
def standard(cast: Cast, server: TradingServer) -> AccountType:
    return make_type(cast.brand, server)


@pytest.fixture
def stranger(cast: Cast, standard: AccountType, sandbox: Sandbox) -> StagedLogin:
    """A login of somebody who is no client here."""
    login = new_login(sandbox, NAME="Rich Stranger", EMAIL="rich@example.org")
    read(cast, standard.server, login)
    return row(login)


def propose(cast: Cast, stranger: StagedLogin) -> StagedLogin:
    return propose_client(row_id=stranger.pk, actor=cast.support, client_id=cast.client.pk, reason=WHY)


def test_one_person_gives_no_strangers_login_to_a_client(cast: Cast, stranger) -> None:
    with pytest.raises(SecondPersonNeeded, match="second person"):
        attach(row_id=stranger.pk, actor=cast.support, client_id=cast.client.pk)
    with pytest.raises(DomainError, match="Enter a reason"):
        propose_client(row_id=stranger.pk, actor=cast.support, client_id=cast.client.pk, reason=" ")
    with pytest.raises(NotAllowed):
        propose_client(row_id=stranger.pk, actor=cast.agent, client_id=cast.client.pk, reason=WHY)
    propose(cast, stranger)
    for actor in (cast.support, cast.agent, cast.client_user):
        with pytest.raises(NotAllowed):
            approve_client(row_id=stranger.pk, actor=actor)
    with pytest.raises(WrongState, match="awaiting second approval"):
        attach(row_id=stranger.pk, actor=cast.support, client_id=cast.client.pk)
    assert not TradingAccount.objects.exists()
    told = Notification.objects.filter(kind="trading.client_proposed", url=stranger.get_absolute_url())
    assert set(told.values_list("user_id", flat=True)) == {cast.administrator.pk}
    account = approve_client(row_id=stranger.pk, actor=cast.administrator)
    done = row(stranger.login)
    assert (account.client, account.login, account.account_type) == (cast.client, stranger.login, done.account_type)
    assert (done.state, done.proposed_by, done.decided_by) == ("attached", cast.support, cast.administrator)
    heard = AuditEvent.objects.filter(client_id=cast.client.pk).values_list("action", "actor_id")
    assert {("trading.client_proposed", cast.support.pk), ("trading.account_imported", cast.administrator.pk)} <= set(
        heard
    )


def test_one_person_is_enough_where_the_platforms_data_agrees(cast: Cast, standard, sandbox) -> None:
    """Several fit equally: the machine chooses nobody, a person chooses one of them, by phone; or the name of a client."""
    twin = make_client(
        brand=cast.brand, book=cast.book, email="klara@example.com", phone=cast.client.phone, country="DE"
    )
    by_phone = new_login(sandbox, PHONE=cast.client.phone)
    by_mail = new_login(sandbox, EMAIL="late@example.com")
    read(cast, standard.server, by_phone, by_mail)
    assert (row(by_phone).verdict, row(by_mail).verdict) == ("several", "no_client")
    assert attach(row_id=row(by_phone).pk, actor=cast.support, client_id=twin.pk).client == twin
    late = make_client(brand=cast.brand, book=cast.book, email="late@example.com")
    assert attach(row_id=row(by_mail).pk, actor=cast.support, client_id=late.pk).client == late
    assert row(by_mail).proposed_by is None


def test_a_namesake_gets_no_login_from_one_person(cast: Cast, standard, sandbox) -> None:
    """Another client fits better, whether the person who chooses reaches them or not."""
    make_type(cast.other_brand, standard.server)
    desk = Desk.objects.create(brand=cast.other_brand, name="Far", languages=[], countries=[])
    book = Book.objects.create(brand=cast.other_brand, desk=desk, name="Far book")
    make_client(brand=cast.other_brand, book=book, email="far@example.com")
    near = new_login(sandbox, EMAIL=cast.other_client.email, NAME="Clara Weber")
    far = new_login(sandbox, EMAIL="far@example.com", NAME="Clara Weber")
    only = new_login(sandbox, NAME="Clara Weber")
    read(cast, standard.server, near, far, only)
    assert (row(near).verdict, row(near).client) == ("clean", cast.other_client)
    assert (row(far).verdict, row(far).client) == ("perhaps", cast.client)
    for login in (near, far):
        with pytest.raises(SecondPersonNeeded):
            attach(row_id=row(login).pk, actor=cast.support, client_id=cast.client.pk)
    StagedLogin.objects.filter(login=only).update(client=None)
    assert attach(row_id=row(only).pk, actor=cast.support, client_id=cast.client.pk).client == cast.client


def test_a_proposed_login_waits_for_the_second_person(cast: Cast, stranger, standard, sandbox) -> None:
    """Reading, matching and taking over in bulk pass it by; nobody ignores it meanwhile."""
    propose(cast, stranger)
    make_client(brand=cast.brand, book=cast.book, email="rich@example.org")
    batch = read(cast, standard.server, stranger.login)
    run(batch, cast, "trading.match_logins")
    run(batch, cast, "trading.attach_logins")
    with pytest.raises(WrongState):
        ignore(row_id=stranger.pk, actor=cast.support, note="A dealer")
    with pytest.raises(WrongState, match="already awaiting"):
        propose_client(row_id=stranger.pk, actor=cast.administrator, client_id=cast.other_client.pk, reason=WHY)
    assert (row(stranger.login).state, row(stranger.login).proposed_client) == ("proposed", cast.client)


def test_a_proposed_client_is_refused_with_a_note_or_withdrawn(cast: Cast, stranger) -> None:
    propose(cast, stranger)
    with pytest.raises(DomainError, match="note"):
        refuse_client(row_id=stranger.pk, actor=cast.administrator, note=" ")
    with pytest.raises(NotAllowed):
        withdraw_client(row_id=stranger.pk, actor=cast.administrator)
    refuse_client(row_id=stranger.pk, actor=cast.administrator, note="Another person")
    refused = row(stranger.login)
    assert (refused.state, refused.note, refused.proposed_by) == ("waiting", "Another person", None)
    with pytest.raises(NotAllowed, match="decided"):
        approve_client(row_id=stranger.pk, actor=cast.administrator)
    propose_client(
        row_id=stranger.pk, actor=cast.support, client_id=cast.client.pk, account_type_id=NO_TYPE, reason=WHY
    )
    withdraw_client(row_id=stranger.pk, actor=cast.support)
    assert row(stranger.login).state == "waiting" and not TradingAccount.objects.exists()
    actions = set(AuditEvent.objects.filter(client_id=cast.client.pk).values_list("action", flat=True))
    assert {"trading.client_proposed", "trading.client_refused", "trading.client_withdrawn"} <= actions


def test_the_database_holds_that_a_proposed_client_is_attached_by_two(cast: Cast, stranger) -> None:
    propose(cast, stranger)
    rows = StagedLogin.objects.filter(pk=stranger.pk)
    own = make_account(cast.client, stranger.server, login=stranger.login)
    attached = {"state": "attached", "account": own, "decided_at": timezone.now()}
    for fields, name in (
        ({**attached, "decided_by": cast.support}, "proposed_client_is_attached_by_somebody_else"),
        (attached, "proposed_client_is_attached_by_somebody_else"),
        ({"state": "waiting"}, "proposed_client_is_attached_by_somebody_else"),
        ({"proposal_reason": ""}, "proposed_client_has_a_reason"),
        ({"proposed_client": None}, "proposed_client_has_a_reason"),
    ):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            rows.update(**fields)


def test_the_pages_from_choosing_to_approving(cast: Cast, stranger, browse) -> None:
    page, maker, checker = f"/trading/imports/logins/{stranger.pk}/", browse(cast.support), browse(cast.administrator)
    answer = maker.post(page, {"other": str(cast.client.pk)})
    assert answer.status_code == 422 and "a second person must then approve" in answer.content.decode()
    assert str(cast.client.pk) in answer.content.decode() and row(stranger.login).state == "waiting"
    maker.post(page, {"other": str(cast.client.pk), "reason": WHY})
    assert row(stranger.login).state == "proposed"
    assert "Withdraw proposal" in maker.get(page).content.decode()
    assert maker.post(f"{page}approve/").status_code == 422 and row(stranger.login).state == "proposed"
    listed = checker.get(f"/trading/imports/{stranger.batch_id}/").content.decode()
    assert "1 login awaits second approval" in listed and "?state=proposed" in listed
    assert stranger.login in checker.get(f"/trading/imports/{stranger.batch_id}/?state=proposed").content.decode()
    assert "Awaiting second approval" in checker.get("/trading/imports/").content.decode()
    shown = checker.get(page).content.decode()
    assert WHY in shown and "No matching data" in shown and "Attach login" in shown
    assert checker.post(f"{page}refuse/", {"note": ""}).status_code == 422
    checker.post(f"{page}approve/", {"note": "Seen the contract"})
    done = checker.get(page).content.decode()
    assert row(stranger.login).state == "attached" and WHY in done and "Seen the contract" in done
