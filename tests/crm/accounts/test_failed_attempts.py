"""Wrong passwords and codes slow down whoever types them, and not the owner of the login."""

import threading

import pytest
from allauth.account import app_settings
from django.core import mail as outbox
from django.core.cache import cache
from django.test import Client as Browser

from crm.accounts import attempts, link_requests
from crm.models import LinkRequest, Notification, OutgoingMail
from crm.notices import mail
from tests.cast import PASSWORD
from tests.crm.factors import code, give_app, sign_in

pytestmark = pytest.mark.django_db(transaction=True)
LOGIN = "/accounts/login/"
SECOND = "/accounts/2fa/authenticate/"
FORGOTTEN = "/accounts/password/forgotten/"


@pytest.fixture(autouse=True)
def counted_anew():
    cache.clear()


def at(address):
    return Browser(REMOTE_ADDR=address)


def wrong(browser, login, times):
    for _try in range(times):
        answer = browser.post(LOGIN, {"login": login, "password": "wrong wrong wrong"})
    return answer.content.decode()


def right(browser, user):
    return browser.post(LOGIN, {"login": user.email, "password": PASSWORD})


def many_addresses_fail(user, addresses=5, times=5):
    for number in range(addresses):
        wrong(at(f"198.51.100.{number + 1}"), user.email, times)


def test_wrong_passwords_from_elsewhere_do_not_lock_the_owner_out(cast):
    give_app(cast.agent)
    stranger, owner = at("198.51.100.7"), at("203.0.113.5")
    wrong(stranger, cast.agent.email, 5)
    assert "Too many failed attempts from this network" in right(stranger, cast.agent).content.decode()
    assert right(owner, cast.agent)["Location"] == SECOND
    give_app(cast.finance)
    assert right(stranger, cast.finance)["Location"] == SECOND, "somebody else's login is not locked by it"


def test_a_known_device_stays_in_while_many_addresses_guess(cast):
    give_app(cast.agent)
    owner = sign_in(cast.agent, browser=at("203.0.113.5"))
    kept = owner.cookies[attempts.COOKIE]
    assert kept["httponly"] and kept["samesite"] == "Lax" and cast.agent.email not in kept.value
    many_addresses_fail(cast.agent)
    newcomer = at("203.0.113.99")
    assert "Sign in on a device you&#x27;ve used before" in right(newcomer, cast.agent).content.decode()
    again = at("192.0.2.8")  # the same laptop, elsewhere
    again.cookies[attempts.COOKIE] = kept.value
    assert right(again, cast.agent)["Location"] == SECOND


def test_a_login_that_does_not_exist_is_slowed_down_alike(cast):
    give_app(cast.agent)
    for login in (cast.agent.email, "nobody@meridian.example"):
        page = wrong(at("198.51.100.9"), login, 6)
        assert "Too many failed attempts from this network" in page


def test_a_known_device_guesses_no_quicker_than_anybody(cast):
    give_app(cast.agent)
    owner = sign_in(cast.agent, browser=at("203.0.113.5"))
    laptop = at("203.0.113.5")
    laptop.cookies[attempts.COOKIE] = owner.cookies[attempts.COOKIE].value
    wrong(laptop, cast.agent.email, 5)
    assert "Too many failed attempts from this network" in right(laptop, cast.agent).content.decode()


def test_a_device_is_known_for_its_own_logins_alone(cast):
    give_app(cast.agent)
    give_app(cast.finance)
    mine = sign_in(cast.agent, browser=at("203.0.113.5"))
    many_addresses_fail(cast.finance)
    other = at("203.0.113.5")
    other.cookies[attempts.COOKIE] = mine.cookies[attempts.COOKIE].value
    assert "used before" in right(other, cast.finance).content.decode()
    forged = at("203.0.113.6")
    forged.cookies[attempts.COOKIE] = "eyJkZXZpY2UiOiAieCJ9:forged:signature"
    assert "used before" in right(forged, cast.finance).content.decode()


def test_who_resets_the_password_gets_in_on_a_new_device(cast):
    give_app(cast.agent)
    many_addresses_fail(cast.agent)
    browser = at("203.0.113.5")
    browser.post(FORGOTTEN, {"email": cast.agent.email})
    link_requests.answer_due()
    outbox.outbox.clear()
    mail.deliver_due()
    letter = next(one for one in outbox.outbox if "choose" in one.body)
    address = "/accounts/password/choose/" + letter.body.partition("/accounts/password/choose/")[2].split()[0]
    browser.post(address, {"password1": "quite another phrase", "password2": "quite another phrase"})
    assert browser.post(LOGIN, {"login": cast.agent.email, "password": "quite another phrase"})["Location"] == SECOND


def test_the_owner_hears_of_many_failed_attempts_once_a_day(cast):
    give_app(cast.agent)
    many_addresses_fail(cast.agent, addresses=4)
    letters = OutgoingMail.objects.filter(kind="accounts.failed_attempts", to=cast.agent.email)
    assert letters.count() == 1
    assert Notification.objects.filter(user=cast.agent, kind="crm.failed_attempts").count() == 1
    wrong(at("198.51.100.50"), cast.finance.email, 3)
    assert not OutgoingMail.objects.filter(to=cast.finance.email).exists(), "a few wrong ones happen to everybody"


def test_wrong_codes_from_elsewhere_leave_the_owners_codes_working(cast):
    give_app(cast.agent)
    thief, owner = at("198.51.100.7"), at("203.0.113.5")
    right(thief, cast.agent)
    for _try in range(6):
        page = thief.post(SECOND, {"code": "000000"}).content.decode()
    assert "Too many failed attempts" in page
    right(owner, cast.agent)
    assert owner.post(SECOND, {"code": code()})["Location"] == "/home/"


def test_codes_are_bounded_over_all_addresses(cast):
    give_app(cast.agent)
    for number in range(5):
        thief = at(f"198.51.100.{number + 1}")
        right(thief, cast.agent)
        for _try in range(5):
            thief.post(SECOND, {"code": "000000"})
    last = at("198.51.100.200")
    right(last, cast.agent)
    assert "used before" in last.post(SECOND, {"code": code()}).content.decode()


def test_a_code_sent_twice_at_once_opens_one_session(cast):
    give_app(cast.agent)
    cache.clear()
    browsers = [at("203.0.113.5"), at("203.0.113.6")]
    for browser in browsers:
        right(browser, cast.agent)
    now, answers = code(), []
    start = threading.Barrier(2)

    def send(browser):
        from django.db import connections

        start.wait()
        answers.append(browser.post(SECOND, {"code": now}).status_code)
        connections.close_all()

    threads = [threading.Thread(target=send, args=(browser,)) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 302]


def test_asking_for_a_link_does_the_same_whether_the_login_exists(cast):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    asked = []
    for email in (cast.agent.email, "nobody@meridian.example"):
        with CaptureQueriesContext(connection) as queries:
            answer = at("203.0.113.5").post(FORGOTTEN, {"email": email})
        asked.append((answer.status_code, [query["sql"].split()[:3] for query in queries]))
        asked[-1][1].sort()
    assert asked[0] == asked[1]
    assert LinkRequest.objects.count() == 2
    assert not OutgoingMail.objects.exists(), "the page does nothing that depends on the login"
    link_requests.answer_due()
    assert [row.to for row in OutgoingMail.objects.all()] == [cast.agent.email]
    assert not LinkRequest.objects.exists()


def test_a_stranger_neither_fills_a_mailbox_nor_uses_up_the_owners_links(cast):
    for number in range(12):
        assert at(f"198.51.100.{number + 1}").post(FORGOTTEN, {"email": cast.agent.email}).status_code == 200
    assert LinkRequest.objects.count() == 10
    for _try in range(3):
        at("198.51.100.1").post(FORGOTTEN, {"email": cast.finance.email})
    assert at("198.51.100.1").post(FORGOTTEN, {"email": cast.finance.email}).status_code == 429
    assert at("203.0.113.5").post(FORGOTTEN, {"email": cast.finance.email}).status_code == 200


def test_every_limit_that_is_asked_for_is_set():
    for action in (
        "login_failed",
        "failed_known_device",
        "failed_address",
        "failed_new_devices",
        "failed_unnoticed",
        "links_to_login",
        "reset_password",
    ):
        assert app_settings.RATE_LIMITS[action]
