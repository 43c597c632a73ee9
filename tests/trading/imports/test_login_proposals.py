"""The login of an account whose opening was not answered: one person proposes it, the platform shows it, another attaches it."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from crm import approvals
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, Notification
from tests.cast import Cast
from tests.trading.accounts.test_lost_opening import lost
from tests.trading.sandbox_server import Sandbox
from trading.accounts import opening
from trading.imports.login_proposals import evidence_of, propose_login
from trading.models import LoginProposal, TradingAccount, TradingServer

pytestmark = pytest.mark.django_db
WHY = "Seen in the manager"


@pytest.fixture
def account(cast: Cast, server: TradingServer) -> TradingAccount:
    return lost(cast, server)


@pytest.fixture
def made(account: TradingAccount, sandbox: Sandbox) -> str:
    """As the lost attempt left it on the platform."""
    return sandbox.new_account(COMMENT=opening.reference_of(account.pk))


def login_of(account: TradingAccount) -> tuple[str, str]:
    account.refresh_from_db()
    return account.state, account.login


def test_one_person_attaches_no_login(cast: Cast, account, made) -> None:
    proposal = propose_login(account_id=account.pk, login=made, actor=cast.support, reason=WHY)
    assert login_of(account) == ("failed", "")
    assert Notification.objects.filter(user=cast.desk_head, kind="trading.login_proposed").exists()
    with pytest.raises(NotAllowed, match="someone else"):
        approvals.approve(LoginProposal, proposal.pk, actor=cast.support)
    with pytest.raises(NotAllowed):
        approvals.approve(LoginProposal, proposal.pk, actor=cast.agent)
    with pytest.raises(NotAllowed):
        approvals.approve(LoginProposal, proposal.pk, actor=cast.client_user)
    assert login_of(account) == ("failed", "")
    approvals.approve(LoginProposal, proposal.pk, actor=cast.desk_head)
    assert login_of(account) == ("open", made)
    actions = set(AuditEvent.objects.filter(client_id=cast.client.pk).values_list("action", flat=True))
    assert {"trading.login_proposed", "trading.account_opened"} <= actions


def test_the_platform_shows_whose_login_it_is(cast: Cast, account, made, sandbox) -> None:
    """Our reference, or the client's own e-mail or name, in whatever letters; contacts stay masked."""
    by_mail = sandbox.new_account(EMAIL=cast.client.email.upper(), NAME="Somebody")
    rows = {row.label: row for row in evidence_of(account, by_mail)}
    assert (rows["E-mail"].agrees, rows["Name"].agrees, rows["Our reference"].agrees) == (True, False, None)
    assert cast.client.email not in (rows["E-mail"].ours, rows["E-mail"].theirs)
    assert [row.agrees for row in evidence_of(account, made)][:2] == [True, True]


def test_an_invented_login_or_another_persons_is_refused(cast: Cast, account, sandbox) -> None:
    """A login that nobody has, one that names nobody, and one that our reference of another account names."""
    stranger = sandbox.new_account(EMAIL="rich@example.org", NAME="Rich Stranger")
    other = sandbox.new_account(COMMENT="keelson-999999")
    for login, words in (("4711", "has no account 4711"), (stranger, "Nothing on"), (other, "Nothing on")):
        with pytest.raises(DomainError, match=words):
            propose_login(account_id=account.pk, login=login, actor=cast.support, reason=WHY)
    assert not LoginProposal.objects.exists() and login_of(account) == ("failed", "")


def test_the_platform_is_asked_again_before_the_login_is_attached(cast: Cast, account, made, server) -> None:
    proposal = propose_login(account_id=account.pk, login=made, actor=cast.support, reason=WHY)
    LoginProposal.objects.filter(pk=proposal.pk).update(login="4711")
    with pytest.raises(DomainError, match="has no account 4711"):
        approvals.approve(LoginProposal, proposal.pk, actor=cast.desk_head)
    LoginProposal.objects.filter(pk=proposal.pk).update(login=made)
    server.port = 1
    server.save()
    with pytest.raises(DomainError):
        approvals.approve(LoginProposal, proposal.pk, actor=cast.desk_head)
    assert login_of(account) == ("failed", "")


def test_nothing_is_made_a_second_time_while_a_login_waits(cast: Cast, account, made) -> None:
    proposal = propose_login(account_id=account.pk, login=made, actor=cast.support, reason=WHY)
    with pytest.raises(WrongState, match="already awaiting"):
        propose_login(account_id=account.pk, login=made, actor=cast.desk_head, reason=WHY)
    with pytest.raises(WrongState, match="awaiting second approval"):
        opening.retry_account(account_id=account.pk, actor=cast.support)
    with pytest.raises(NotAllowed):
        approvals.withdraw(LoginProposal, proposal.pk, actor=cast.desk_head)
    approvals.withdraw(LoginProposal, proposal.pk, actor=cast.support)
    opening.retry_account(account_id=account.pk, actor=cast.support)
    assert login_of(account)[0] == "requested"


def test_a_proposed_login_is_refused_with_a_note(cast: Cast, account, made) -> None:
    proposal = propose_login(account_id=account.pk, login=made, actor=cast.support, reason=WHY)
    with pytest.raises(DomainError, match="Enter a reason"):
        approvals.reject(LoginProposal, proposal.pk, actor=cast.desk_head, note=" ")
    approvals.reject(LoginProposal, proposal.pk, actor=cast.desk_head, note="It is the demo one")
    with pytest.raises(WrongState, match="decided"):
        approvals.approve(LoginProposal, proposal.pk, actor=cast.desk_head)
    assert login_of(account) == ("failed", "")


def test_the_database_holds_that_a_login_is_attached_by_two(cast: Cast, account, made) -> None:
    proposal = propose_login(account_id=account.pk, login=made, actor=cast.support, reason=WHY)
    rows = LoginProposal.objects.filter(pk=proposal.pk)
    for fields in (
        {"state": "approved", "decided_by": cast.support, "decided_at": timezone.now()},
        {"state": "approved"},
        {"reason": ""},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**fields)
