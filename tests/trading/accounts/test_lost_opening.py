"""An opening whose answer was lost: the page asks a person to look, who says the login that is there, or has it tried again."""

from __future__ import annotations

import re

import pytest

from crm.models import AuditEvent
from tests.cast import Cast
from tests.trading.factories import make_account, make_server, make_type
from tests.trading.sandbox_server import Sandbox
from trading.accounts import opening
from trading.choices import IssueKind
from trading.core import issues
from trading.models import LoginProposal, PlatformIssue, TradingAccount, TradingServer

pytestmark = pytest.mark.django_db
UNKNOWN_WORDS = "It’s unknown whether this account was created"
QUESTION = "Did you check Sandbox MT5, and the account isn't there? If it is, trying again creates a second account."


def lost(cast: Cast, server: TradingServer) -> TradingAccount:
    """As `opening._leave_to_a_person` leaves it."""
    account = make_account(
        cast.client,
        server,
        state="failed",
        opened_at=None,
        error="The answer was lost after 0.8 s.",
        account_type=make_type(cast.brand, server, kyc_level=0),
    )
    TradingAccount.objects.filter(pk=account.pk).update(login="")
    issues.open_issue(
        server_id=server.pk,
        kind=IssueKind.BY_HAND,
        subject=opening.reference_of(account.pk),
        details={"account": account.pk, "name": "Clara Weber", "group": account.group, "opening": True},
    )
    return account


ATTACH = "/attach/"


def page_of(account: TradingAccount, browser) -> str:
    return re.sub(r"\s+", " ", browser.get(f"/trading/accounts/{account.pk}/").content.decode())


def waits(account: TradingAccount) -> bool:
    return PlatformIssue.objects.filter(subject=opening.reference_of(account.pk), closed_at__isnull=True).exists()


def test_the_page_says_what_is_not_known_where_to_look_and_asks_before_a_second_attempt(cast: Cast, browse) -> None:
    account = lost(cast, make_server())
    page = page_of(account, browse(cast.support))
    assert UNKNOWN_WORDS in page and "The answer was lost after 0.8 s." in page
    assert "Check Sandbox MT5 for an account created in real\\standard-EUR at that time" in page
    dialog = browse(cast.support).get(f"/trading/accounts/{account.pk}/attach/").content.decode()
    assert 'name="login"' in dialog and 'name="reason"' in dialog and "Check Sandbox MT5" in dialog
    assert ATTACH in page and "Try again" in page and QUESTION in page
    assert "could not be opened" not in page


def test_a_plain_failure_asks_no_question_and_an_unknown_one_is_not_tried_by_hand(cast: Cast, browse) -> None:
    account, browser = lost(cast, make_server()), browse(cast.support)
    PlatformIssue.objects.all().delete()
    page = page_of(account, browser)
    assert "This account couldn’t be opened" in page and UNKNOWN_WORDS not in page
    assert "Try again" in page and QUESTION not in page
    TradingAccount.objects.filter(pk=account.pk).update(state="unknown")
    page = page_of(account, browser)
    assert "The platform didn’t respond" in page and ATTACH in page and "/retry/" not in page


def test_who_may_open_no_accounts_reads_it_and_can_neither_attach_nor_try_again(cast: Cast, browse) -> None:
    account = lost(cast, make_server())
    for user in (cast.agent, cast.kyc_officer, cast.auditor, cast.mlro):
        browser = browse(user)
        page = page_of(account, browser)
        assert UNKNOWN_WORDS in page, user
        assert ATTACH not in page and "/retry/" not in page, user
        attach = browser.post(f"/trading/accounts/{account.pk}/attach/", {"login": "500100", "reason": "I saw it"})
        retry = browser.post(f"/trading/accounts/{account.pk}/retry/")
        assert (attach.status_code, retry.status_code) == (403, 403), user
    for user in (cast.other_agent, cast.client_user):
        for verb in ("attach", "retry"):
            answer = browse(user).post(f"/trading/accounts/{account.pk}/{verb}/", {"login": "500100", "reason": "x"})
            assert (
                answer.status_code in (302, 403, 404)
                and "/trading/" not in answer.headers.get("Location", "").partition("?")[0]
            ), user
    account.refresh_from_db()
    assert (account.state, account.login, account.next_try_at) == ("failed", "", None) and waits(account)
    assert not AuditEvent.objects.filter(action__in=["trading.account_opened", "trading.account_retried"]).exists()


def test_a_login_that_was_found_is_attached_by_a_second_person_on_its_page(
    cast: Cast, server: TradingServer, sandbox: Sandbox, browse
) -> None:
    account, browser = lost(cast, server), browse(cast.support)
    path, made = f"/trading/accounts/{account.pk}/attach/", sandbox.new_account(NAME="Clara  WEBER")
    for data, words in (
        ({"login": made, "reason": " "}, "This field is required."),
        ({"login": "987654321", "reason": "Seen"}, "has no account 987654321"),
        ({"login": sandbox.new_account("real\\pro-EUR"), "reason": "Seen"}, "is in the group real\\pro-EUR"),
        ({"login": sandbox.new_account(), "reason": "Seen"}, "neither our reference nor"),
    ):
        answer = browser.post(path, data)
        page = answer.content.decode()
        assert (answer.status_code, data["login"] in page, waits(account)) == (422, True, True) and words in page, words
    page = browser.post(path, {"login": made, "reason": "Seen in the manager"}, follow=True).content.decode()
    assert "Login proposed" in page and "awaiting second approval" in page and ATTACH not in page
    account.refresh_from_db()
    assert (account.state, account.login) == ("failed", "") and waits(account), "nothing is attached by one"
    proposal = LoginProposal.objects.get()
    address = f"/trading/logins/{proposal.pk}/"
    assert "Withdraw proposal" in browser.get(address).content.decode()
    second = browse(cast.desk_head)
    shown = re.sub(r"\s+", " ", second.get(address).content.decode())
    assert (
        "Clara WEBER" in shown
        and "Seen in the manager" in shown
        and ">Approve<" in shown.replace("> ", ">").replace(" <", "<")
    )
    page = second.post(
        f"/approvals/login-proposal/{proposal.pk}/approve/", {"note": "", "next": address}, follow=True
    ).content.decode()
    assert "Login attached" in page and UNKNOWN_WORDS not in page
    account.refresh_from_db()
    assert (account.state, account.login, account.error) == ("open", made, "") and account.history_due_at
    issue = PlatformIssue.objects.get(subject=opening.reference_of(account.pk))
    assert issue.closed_by == cast.desk_head and issue.resolution == f"{made}: Seen in the manager"
    again = browser.post(path, {"login": made, "reason": "x"})
    assert again.status_code == 422 and "only for an account whose opening failed" in again.content.decode()


def test_trying_again_answers_the_question(cast: Cast, browse) -> None:
    account, browser = lost(cast, make_server()), browse(cast.support)
    page = browser.post(f"/trading/accounts/{account.pk}/retry/", follow=True).content.decode()
    assert "The account is being opened again." in page and UNKNOWN_WORDS not in page
    account.refresh_from_db()
    assert account.state == "requested" and not waits(account)
    issue = PlatformIssue.objects.get(subject=opening.reference_of(account.pk))
    assert issue.closed_by == cast.support and "Not found" in issue.resolution
    event = AuditEvent.objects.get(action="trading.account_retried")
    assert event.client_id == cast.client.pk
    TradingAccount.objects.filter(pk=account.pk).update(state="failed", error="No such group")
    page = page_of(account, browser)
    assert "This account couldn’t be opened" in page and UNKNOWN_WORDS not in page, "the new refusal is a plain one"
