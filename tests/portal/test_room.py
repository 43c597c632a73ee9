"""The client portal: its pages open for their owner within their queries, and nothing of anybody else does."""

import html
from decimal import Decimal

import pytest
from django.test import Client as Browser
from django.urls import reverse

from clients.choices import TimelineKind
from clients.timeline import add_entry
from crm.choices import AccessKind
from crm.models import AccessEvent
from portal.platforms import sign_in
from tests.cast import signed_in
from tests.trading.factories import make_account, make_server
from wallet.choices.transfers import Direction
from wallet.models import Transfer
from wallet.transfers.verbs import start_transfer
from wallet.withdrawals.verbs import WithdrawalRequest, request_withdrawal

pytestmark = pytest.mark.django_db
PAGES = {
    "/portal/": 18,
    "/portal/activity/": 10,
    "/portal/profile/security/": 13,
    "/portal/profile/": 13,
    "/portal/profile/details/": 12,
    "/portal/documents/": 11,
    "/portal/wallet/": 12,
    "/portal/wallet/deposit/": 13,
    "/portal/wallet/withdraw/": 17,
    "/portal/wallet/transfer/": 14,
    "/portal/wallet/history/": 10,
    "/portal/accounts/": 11,
    "/portal/accounts/open/": 14,
}


@pytest.mark.parametrize("page", PAGES)
def test_each_page_opens_for_its_owner_within_its_queries(room, page, django_assert_max_num_queries):
    room.browser.get(page)
    with django_assert_max_num_queries(PAGES[page]):
        answer = room.browser.get(page)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "style=" not in text and "onclick" not in text and "<script>" not in text


@pytest.mark.parametrize("page", PAGES)
def test_staff_find_nothing_there_and_strangers_sign_in_first(room, page):
    assert signed_in(room.cast.administrator).get(page).status_code == 404
    assert signed_in(room.cast.administrator).post(page).status_code == 404
    assert Browser().get(page)["Location"].startswith("/b/")


def test_pages_speak_german(room):
    room.user.language = "de"
    room.user.save(update_fields=["language"])
    browser = signed_in(room.user)
    for page in PAGES:
        assert '<html lang="de"' in browser.get(page).content.decode()


def test_other_peoples_things_are_not_found(room):
    withdrawal = request_withdrawal(
        client_id=room.other.pk,
        request=WithdrawalRequest(
            psp_id=room.bank.pk, amount=Decimal(20), currency="EUR", destination={"iban": "DE89370400440532013000"}
        ),
        request_key="w",
        actor=room.other.user,
    )
    transfer = start_transfer(
        client_id=room.other.pk,
        trading_account_id=room.other_account.pk,
        direction=Direction.TO_TRADING,
        amount=Decimal(10),
        request_key="t",
        actor=room.other.user,
    )
    addresses = [
        reverse("portal_movement", args=[withdrawal.reference]),
        reverse("portal_movement", args=[transfer.reference]),
        reverse("portal_cancel_withdrawal", args=[withdrawal.reference]),
        reverse("portal_pay", args=["D-0000000000"]),
        reverse("portal_account", args=[room.other_account.pk]),
        reverse("portal_account_password", args=[room.other_account.pk]),
        reverse("portal_account_ask", args=[room.other_account.pk, "leverage"]),
    ]
    for address in addresses:
        for answer in (room.browser.get(address), room.browser.post(address, {"leverage": 10})):
            assert answer.status_code in (404, 405) or answer["Location"].startswith("/accounts/"), address
    withdrawal.refresh_from_db()
    assert withdrawal.state == "requested"
    assert str(room.other_account.login) not in room.browser.get("/portal/accounts/").content.decode()
    assert transfer.reference not in room.browser.get("/portal/wallet/history/").content.decode()
    assert Transfer.objects.filter(client=room.client).count() == 0
    # Whereas the owner opens them.
    other = signed_in(room.other.user)
    assert other.get(addresses[0]).status_code == other.get(addresses[1]).status_code == 200
    assert other.get(addresses[4]).status_code == 200


def test_the_form_offers_own_accounts_only(room):
    answer = room.browser.post(
        "/portal/wallet/transfer/",
        {"account": room.other_account.pk, "amount": "10", "request_key": "k", "direction": "to"},
    )
    assert answer.status_code == 422 and not Transfer.objects.exists()


def test_the_activity_shows_what_is_meant_for_the_client_page_by_page(room):
    for number in range(30):
        add_entry(
            client_id=room.client.pk,
            kind=TimelineKind.PAYMENT,
            title=f"Entry {number}",
            is_visible_to_client=True,
            url="/clients/1/",
        )
    add_entry(client_id=room.client.pk, kind=TimelineKind.NOTE, title="Difficult customer")
    add_entry(client_id=room.other.pk, kind=TimelineKind.PAYMENT, title="Somebody else's", is_visible_to_client=True)
    first = room.browser.get("/portal/activity/")
    text = first.content.decode()
    assert "Entry 29" in text and "Difficult" not in text and "Somebody" not in text and "/clients/" not in text
    rest = room.browser.get(
        f"/portal/activity/?cursor={first.context['activity'].cursor.replace('+', '%2B')}"
    ).content.decode()
    assert "Entry 9<" in rest and "Entry 29" not in rest
    assert room.browser.get("/portal/activity/?cursor=nonsense").status_code == 200


def test_a_client_login_without_a_record_finds_nothing(room, db):
    room.client.user = None
    room.client.save()
    assert room.browser.get("/portal/").status_code == 404


def test_a_look_at_ones_own_things_is_no_access_row(room):
    room.browser.get("/portal/")
    assert not AccessEvent.objects.filter(kind=AccessKind.VIEW).exists()


@pytest.mark.parametrize(
    ("kind", "label", "is_person"),
    [
        ("mt5", "Login", False),
        ("mt4", "Login", False),
        ("ctrader", "cTrader ID", True),
        ("matchtrader", "E-mail", True),
        ("sirix", "Login", False),
    ],
)
def test_an_account_s_page_says_who_signs_in_on_its_platform(room, kind, label, is_person):
    account = make_account(room.client, make_server(kind=kind, name="Live 2"), login="700123")
    said = sign_in(account)
    assert (said.server, said.name_label) == ("Live 2", label)
    assert said.name == (room.client.email if is_person else "700123")
    page = room.browser.get(f"/portal/accounts/{account.pk}/").content.decode()
    assert said.platform in page and said.name in page and said.password in html.unescape(page)
