"""Importing accounts that are on a platform already: read, matched, confirmed, and in sync from then on."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from crm.errors import DomainError, NotAllowed, WrongState
from crm.files.jobs import run_job
from crm.models import AccessEvent, AuditEvent, OutboxEvent
from tests.cast import Cast, make_client
from tests.trading.factories import make_account, make_type
from tests.trading.sandbox_server import Sandbox
from tests.trading.sync.test_sync import made_up
from trading import job_kinds
from trading.choices import StagedState, Verdict
from trading.imports import attach, history, matching, reading
from trading.imports.countries import country_code
from trading.models import AccountImport, AccountType, Deal, PlatformIssue, StagedLogin, TradingAccount, TradingServer
from trading.platforms.errors import ReadTimedOut
from trading.platforms.mt5.platform import Mt5Platform
from trading.sync import deals, money, reconcile

pytestmark = pytest.mark.django_db
GROUP = "real\\standard-EUR"


@pytest.fixture
def standard(cast: Cast, server: TradingServer) -> AccountType:
    """The test's server sees only its own groups' accounts: other tests leave theirs on the shared sandbox."""
    return make_type(cast.brand, server)


def new_login(sandbox: Sandbox, **fields: object) -> str:
    return sandbox.new_account(**{"GROUP": GROUP, **fields})


def read(cast: Cast, server: TradingServer, *logins: str, mask: str = "*") -> AccountImport:
    """Read the range of these logins, as the job does."""
    numbers = [int(login) for login in logins]
    batch = reading.start_import(
        server_id=server.pk, actor=cast.support, mask=mask, first_login=min(numbers), last_login=max(numbers)
    )
    assert batch.job is not None
    run_job(batch.job.pk)
    batch.refresh_from_db()
    return batch


def row(login: str) -> StagedLogin:
    return StagedLogin.objects.get(login=login)


def test_each_login_says_whom_it_fits_and_why(cast: Cast, standard: AccountType, sandbox: Sandbox) -> None:
    server = standard.server
    make_client(brand=cast.brand, book=cast.book, email="klara@example.com", phone=cast.client.phone, country="AT")
    mine = make_account(cast.client, server, login=new_login(sandbox))
    logins = {
        "mailbox": new_login(sandbox, EMAIL="Clara+mt5@Example.com"),
        "phone and name": new_login(sandbox, PHONE="0034 612 345 678", NAME="oscar nunez", COUNTRY="España"),
        "name only": new_login(sandbox, NAME="Clara  WEBER", COUNTRY="Deutschland"),
        "phone of two": new_login(sandbox, PHONE="+4915112345678", NAME="K. Weber"),
        "nobody": new_login(sandbox, NAME="Ivan Nobody", EMAIL="ivan@nowhere.example"),
        "no type": new_login(sandbox, GROUP="real\\pro-USD", EMAIL="clara@example.com"),
    }
    batch = read(cast, server, mine.login, *logins.values())
    assert (batch.state, batch.read) == ("ready", 7) and batch.job is not None
    found = {name: row(login) for name, login in logins.items()}
    assert {name: one.verdict for name, one in found.items()} == {
        "mailbox": Verdict.CLEAN,
        "phone and name": Verdict.CLEAN,
        "name only": Verdict.PERHAPS,
        "phone of two": Verdict.SEVERAL,
        "nobody": Verdict.NO_CLIENT,
        "no type": Verdict.NO_TYPE,
    }
    assert (found["mailbox"].client, found["mailbox"].account_type) == (cast.client, standard)
    assert (
        matching.words_of(found["phone and name"].reasons[0]["codes"]) == "same phone number, same name, same country"
    )
    assert "real\\pro-USD in USD" in found["no type"].problem
    assert len(found["phone of two"].reasons) == 2 and found["phone of two"].client is None
    known = row(mine.login)
    assert (known.state, known.verdict, known.account) == ("attached", "known", mine)
    assert TradingAccount.objects.count() == 1


def test_all_clean_ones_are_taken_over_at_once_and_a_repeat_changes_nothing(
    cast: Cast, standard: AccountType, sandbox: Sandbox
) -> None:
    clean = [new_login(sandbox, EMAIL="clara@example.com"), new_login(sandbox, EMAIL="oscar@example.com")]
    other = new_login(sandbox, NAME="Nobody Known")
    batch = read(cast, standard.server, *clean, other)
    job = run(batch, cast, "trading.attach_logins")
    assert job.state == "done", job.error
    accounts = {one.login: one for one in TradingAccount.objects.filter(login__in=clean)}
    assert {one.client for one in accounts.values()} == {cast.client, cast.other_client}
    one = accounts[clean[0]]
    assert (one.state, one.group, one.currency, one.account_type) == ("open", GROUP, "EUR", standard)
    assert one.imported_at and one.opened_at and row(other).state == "waiting"
    assert OutboxEvent.objects.filter(name="trading.account_imported").count() == 2
    assert AuditEvent.objects.filter(action="trading.account_imported", actor_id=cast.support.pk).count() == 2
    again = read(cast, standard.server, *clean, other)
    run(again, cast, "trading.attach_logins")
    assert (
        TradingAccount.objects.count() == 2 and OutboxEvent.objects.filter(name="trading.account_imported").count() == 2
    )
    assert [row(login).state for login in (*clean, other)] == ["attached", "attached", "waiting"]
    assert attach.attach(row_id=row(clean[0]).pk, actor=cast.support) == one


def run(batch: AccountImport, cast: Cast, kind: str) -> Any:
    from crm.files.jobs import start_job

    job = start_job(kind, owner=cast.support, parameters={"import": batch.pk})
    run_job(job.pk)
    job.refresh_from_db()
    return job


def test_deals_that_came_before_get_their_account_and_the_question_is_answered(
    cast: Cast, standard: AccountType, sandbox: Sandbox
) -> None:
    server, login, dealers = standard.server, new_login(sandbox, EMAIL="clara@example.com"), new_login(sandbox)
    now = timezone.now()
    deals.take_in(server, [made_up(1, login=login, executed_at=now), made_up(2, login=dealers, executed_at=now)])
    assert Deal.objects.filter(account__isnull=True).count() == 2
    assert PlatformIssue.objects.filter(kind="unknown_account", closed_at__isnull=True).count() == 1
    batch = read(cast, server, login, dealers)
    account = attach.attach(row_id=row(login).pk, actor=cast.support)
    assert Deal.objects.get(ticket=1).account == account and account.last_trade_at == now.replace(
        second=0, microsecond=0
    )
    cast.client.refresh_from_db()
    assert cast.client.last_trade_at == now.replace(second=0, microsecond=0)
    told = OutboxEvent.objects.filter(name="trading.deals_synced").last()
    assert told is not None and told.payload["client_ids"] == [cast.client.pk]
    assert PlatformIssue.objects.filter(closed_at__isnull=True, kind="unknown_account").exists()
    attach.ignore(row_id=row(dealers).pk, actor=cast.support, note="A dealer's own account")
    issue = PlatformIssue.objects.get(kind="unknown_account")
    assert issue.closed_by == cast.support and "attached or ignored" in issue.resolution
    deals.take_in(server, [made_up(3, login=dealers, executed_at=now)])
    assert PlatformIssue.objects.filter(kind="unknown_account").count() == 1
    assert batch.rows.filter(state=StagedState.WAITING).count() == 0


def test_the_past_is_read_and_money_is_in_step_from_then_on(
    cast: Cast, standard: AccountType, sandbox: Sandbox
) -> None:
    server, login = standard.server, new_login(sandbox, EMAIL="clara@example.com")
    with sandbox.client() as client:
        for _number in range(3):
            client.write("TRADE_BALANCE", {"LOGIN": login, "TYPE": 2, "BALANCE": "100.00", "COMMENT": "before"})
    sandbox.post("trade", login=int(login), symbol="EURUSD", lots="0.01", hold_seconds=0)
    read(cast, server, login)
    account = attach.attach(row_id=row(login).pk, actor=cast.support)
    assert history.due_histories() == [account.pk]
    assert history.read_history(account.pk) == 5
    assert history.read_history(account.pk) is None and history.due_histories() == []
    money.sync_money(server)
    account.refresh_from_db()
    assert account.balance != 0 and account.balance == sum(deal.net for deal in Deal.objects.filter(account=account))
    assert reconcile.reconcile(server) == []


def test_a_bad_row_costs_no_other(
    cast: Cast, standard: AccountType, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = new_login(sandbox, EMAIL="clara@example.com"), new_login(sandbox)
    whole, single = Mt5Platform.read_accounts, Mt5Platform.read_account

    def many(self: Mt5Platform, logins: Any) -> Any:
        if bad in logins:
            raise ValueError("'1:abc' is not a number")
        return whole(self, logins)

    def one(self: Mt5Platform, login: str) -> Any:
        if login == bad:
            raise ValueError("'1:abc' is not a number")
        return single(self, login)

    monkeypatch.setattr(Mt5Platform, "read_accounts", many)
    monkeypatch.setattr(Mt5Platform, "read_account", one)
    batch = read(cast, standard.server, good, bad)
    assert batch.state == "ready" and row(good).verdict == "clean"
    assert row(bad).verdict == "broken" and "can't be read" in row(bad).problem
    with pytest.raises(DomainError, match="can't be read"):
        attach.attach(row_id=row(bad).pk, actor=cast.support, client_id=cast.client.pk)


def test_a_row_that_can_not_be_attached_waits_with_the_reason_and_the_others_go_on(
    cast: Cast, standard: AccountType, sandbox: Sandbox
) -> None:
    first, second = new_login(sandbox, EMAIL="clara@example.com"), new_login(sandbox, EMAIL="oscar@example.com")
    batch = read(cast, standard.server, first, second)
    make_account(cast.client, standard.server, login=first)
    assert run(batch, cast, "trading.attach_logins").state == "done"
    assert row(second).state == "attached"
    assert (row(first).state, row(first).problem) == ("waiting", "This login already belongs to an account in Keelson.")


def test_a_server_that_breaks_off_leaves_what_was_read_and_a_repeat_goes_on(
    cast: Cast, standard: AccountType, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    logins = [new_login(sandbox) for _number in range(3)]
    whole, calls = Mt5Platform.read_accounts, []

    def fails_later(self: Mt5Platform, some: Any) -> Any:
        calls.append(some)
        if len(calls) > 1:
            raise ReadTimedOut("no answer", command="USER_GET_BATCH")
        return whole(self, some)

    monkeypatch.setattr(reading, "BATCH", 2)
    monkeypatch.setattr(reading, "TRY_AGAIN_SECONDS", 0)
    with monkeypatch.context() as patch:
        patch.setattr(Mt5Platform, "read_accounts", fails_later)
        batch = read(cast, standard.server, *logins)
    assert batch.state == "failed" and "no answer" in batch.problem and StagedLogin.objects.count() == 2
    assert read(cast, standard.server, *logins).state == "ready" and StagedLogin.objects.count() == 3


def test_groups_that_are_not_read_and_ranges(cast: Cast, standard: AccountType, sandbox: Sandbox) -> None:
    server = standard.server
    server.group_mask = "real*"
    server.save()
    demo = new_login(sandbox, GROUP="demo\\standard-EUR", EMAIL="clara@example.com")
    real = new_login(sandbox, EMAIL="clara@example.com")
    read(cast, server, demo)
    assert row(demo).verdict == "not_read" and not StagedLogin.objects.filter(login=real).exists()
    with pytest.raises(DomainError, match="exclude this group"):
        attach.attach(row_id=row(demo).pk, actor=cast.support)
    with pytest.raises(DomainError, match="must not be lower"):
        reading.start_import(server_id=server.pk, actor=cast.support, mask="*", first_login=2, last_login=1)


def test_decisions_by_hand(cast: Cast, standard: AccountType, sandbox: Sandbox) -> None:
    login = new_login(sandbox, NAME="Nobody Known")
    read(cast, standard.server, login)
    pk = row(login).pk
    type(cast.client).objects.filter(pk=cast.client.pk).update(first_name="Nobody", last_name="Known")
    with pytest.raises(NotAllowed):
        attach.attach(row_id=pk, actor=cast.agent, client_id=cast.client.pk)
    with pytest.raises(DomainError, match="Choose a client"):
        attach.attach(row_id=pk, actor=cast.support)
    with pytest.raises(DomainError, match="Enter a reason"):
        attach.ignore(row_id=pk, actor=cast.support, note=" ")
    attach.put_off(row_id=pk, actor=cast.support)
    lead = make_client(brand=cast.brand, book=cast.book, email="lead@example.com", login=False)
    with pytest.raises(DomainError, match="is still a lead"):
        attach.attach(row_id=pk, actor=cast.support, client_id=lead.pk)
    attach.ignore(row_id=pk, actor=cast.support, note="Test account")
    with pytest.raises(WrongState, match="ignored"):
        attach.attach(row_id=pk, actor=cast.support, client_id=cast.client.pk)
    attach.reopen(row_id=pk, actor=cast.support)
    account = attach.attach(row_id=pk, actor=cast.support, client_id=cast.client.pk, account_type_id=attach.NO_TYPE)
    assert account.account_type is None and account.client == cast.client
    with pytest.raises(WrongState, match="another client"):
        attach.attach(row_id=pk, actor=cast.support, client_id=cast.other_client.pk)


def test_a_client_who_came_later_is_found_when_looked_for_again(
    cast: Cast, standard: AccountType, sandbox: Sandbox
) -> None:
    login = new_login(sandbox, EMAIL="late@example.com")
    batch = read(cast, standard.server, login)
    assert row(login).verdict == "no_client"
    late = make_client(brand=cast.brand, book=cast.book, email="late@example.com")
    assert run(batch, cast, "trading.match_logins").state == "done"
    assert (row(login).verdict, row(login).client) == ("clean", late)


def test_a_restricted_clients_account_may_not_trade_after_it_was_taken_over(
    cast: Cast, standard: AccountType, sandbox: Sandbox
) -> None:
    from trading.accounts import changes as accounts

    cast.client.restrictions = ["no_trading"]
    cast.client.save()
    login = new_login(sandbox, EMAIL="clara@example.com")
    read(cast, standard.server, login)
    account = attach.attach(row_id=row(login).pk, actor=cast.support)
    assert accounts.due_rights() == [account.pk] and accounts.apply_right_to_trade(account.pk)


def test_only_clients_in_reach_are_named(cast: Cast, standard: AccountType, sandbox: Sandbox) -> None:
    make_type(cast.other_brand, standard.server)
    login = new_login(sandbox, EMAIL="far@example.com")
    from crm.models import Book, Desk

    desk = Desk.objects.create(brand=cast.other_brand, name="Far", languages=[], countries=[])
    book = Book.objects.create(brand=cast.other_brand, desk=desk, name="Far book")
    far = make_client(brand=cast.other_brand, book=book, email="far@example.com")
    read(cast, standard.server, login)
    assert row(login).verdict == "no_client"
    with pytest.raises(NotAllowed, match="have access"):
        attach.attach(row_id=row(login).pk, actor=cast.support, client_id=far.pk)


def test_the_database_keeps_staged_logins_sound(cast: Cast, standard: AccountType) -> None:
    batch = AccountImport.objects.create(server=standard.server, mask="*", owner=cast.support)
    values = {
        "server": standard.server,
        "batch": batch,
        "login": "1",
        "group": GROUP,
        "leverage": 30,
        "balance": Decimal(0),
        "credit": Decimal(0),
        "verdict": "no_client",
        "read_at": timezone.now(),
    }
    StagedLogin.objects.create(**values)
    for name, other in (
        ("login_is_staged_once", {}),
        ("attached_login_has_its_account", {"login": "2", "state": "attached"}),
        ("clean_login_has_client_and_type", {"login": "3", "verdict": "clean"}),
        ("ignored_login_says_why", {"login": "4", "state": "ignored"}),
    ):
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            StagedLogin.objects.create(**{**values, **other})


@pytest.mark.parametrize(
    ("text", "code"),
    [("Germany", "DE"), ("deutschland", "DE"), ("de", "DE"), ("UK", "GB"), ("Österreich", "AT"), ("Xx", "")],
)
def test_countries_are_understood_as_people_type_them(text: str, code: str) -> None:
    assert country_code(text) == code


def test_the_pages_from_reading_to_deciding(
    cast: Cast, standard: AccountType, sandbox: Sandbox, browse, django_assert_max_num_queries
) -> None:
    browser = browse(cast.support)
    assert "Read logins" in browser.get("/trading/imports/new/").content.decode()
    wrong = browser.post(
        "/trading/imports/new/", {"server": standard.server.pk, "mask": "*", "first_login": 2, "last_login": 1}
    )
    assert wrong.status_code == 422 and "must not be lower" in wrong.content.decode()
    logins = [new_login(sandbox, EMAIL="clara@example.com"), new_login(sandbox, NAME="Clara Weber"), new_login(sandbox)]
    logins += [new_login(sandbox, NAME="Óscar Núñez", PHONE="+34612345678") for _number in range(6)]
    numbers = [int(login) for login in logins]
    browser.post(
        "/trading/imports/new/",
        {"server": standard.server.pk, "mask": "*", "first_login": min(numbers), "last_login": max(numbers)},
    )
    batch = AccountImport.objects.get()
    assert "every 1s" in browser.get(f"/trading/imports/{batch.pk}/").content.decode()
    assert batch.job is not None
    run_job(batch.job.pk)
    page = browser.get(f"/trading/imports/{batch.pk}/").content.decode()
    assert "Import 7 accounts" in page and "Clara Weber: same e-mail address" in page
    assert logins[1] in browser.get(f"/trading/imports/{batch.pk}/?verdict=perhaps").content.decode()
    assert AccessEvent.objects.filter(target=f"trading.accountimport:{batch.pk}", user_id=cast.support.pk).exists()
    perhaps = row(logins[1])
    shown = browser.get(f"/trading/imports/logins/{perhaps.pk}/").content.decode()
    assert "same name" in shown and "Attach to client" in shown
    assert AccessEvent.objects.filter(client_id=cast.client.pk, target=f"trading.stagedlogin:{perhaps.pk}").exists()
    answer = browser.post(f"/trading/imports/logins/{perhaps.pk}/", {"other": "nobody@example.com"})
    assert answer.status_code == 422 and "Not found" in answer.content.decode()
    browser.post(f"/trading/imports/logins/{perhaps.pk}/", {"client": str(cast.client.pk)})
    assert row(logins[1]).state == "attached"
    stranger = row(logins[2])
    assert browser.post(f"/trading/imports/logins/{stranger.pk}/ignore/", {"note": ""}).status_code == 422
    browser.post(f"/trading/imports/logins/{stranger.pk}/ignore/", {"note": "A dealer"})
    assert row(logins[2]).state == "ignored"
    for path, pin in {
        "/trading/imports/": 12,
        f"/trading/imports/{batch.pk}/": 16,
        f"/trading/imports/logins/{row(logins[3]).pk}/": 18,
    }.items():
        browser.get(path)
        with django_assert_max_num_queries(pin):
            browser.get(path)
    browser.post(f"/trading/imports/{batch.pk}/confirm/")
    batch.refresh_from_db()
    run_job(batch.job_id)
    assert TradingAccount.objects.count() == 8
    assert browse(cast.agent).get("/trading/imports/").status_code == 403
    assert job_kinds.BATCH
