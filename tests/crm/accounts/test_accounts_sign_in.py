"""Signing in as staff: password, second factor, and no road around it."""

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth import SESSION_KEY
from django.core.cache import cache
from django.test import Client as Browser
from django.utils import timezone

from crm.models import AccessEvent, User
from tests.cast import PASSWORD
from tests.crm.factors import SECRET, code, give_app, give_recovery_codes, sign_in
from tests.outbox import published

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"
SECOND = "/accounts/2fa/authenticate/"


def rows(kind):
    return list(
        AccessEvent.objects.filter(kind=kind).order_by("at", "id").values("user_id", "target", "reason", "session")
    )


def signed_in_user(browser):
    return browser.session.get(SESSION_KEY)


def test_the_password_alone_leads_to_the_second_factor_and_signs_nobody_in(cast):
    give_app(cast.agent)
    browser = Browser()
    answer = browser.post(LOGIN, {"login": cast.agent.email, "password": PASSWORD})
    assert answer.status_code == 302 and answer["Location"] == SECOND
    assert signed_in_user(browser) is None
    assert browser.get("/home/")["Location"].startswith(LOGIN)
    assert rows("login") == []


def test_password_and_code_open_the_house_and_leave_one_access_row(cast):
    give_app(cast.agent)
    browser = Browser()
    browser.post(LOGIN, {"login": " Alice@Meridian.example ", "password": PASSWORD})
    answer = browser.post(SECOND, {"code": code()})
    assert answer["Location"] == "/home/"
    assert browser.get("/home/").status_code == 200
    (row,) = rows("login")
    assert row["user_id"] == cast.agent.pk and row["reason"] == "password+totp" and row["session"]


def test_the_page_asked_for_opens_after_signing_in(cast):
    give_app(cast.agent)
    browser = Browser()
    assert "next=/profile/" in browser.get("/profile/")["Location"]
    browser.post(f"{LOGIN}?next=/profile/", {"login": cast.agent.email, "password": PASSWORD, "next": "/profile/"})
    assert browser.post(SECOND, {"code": code()})["Location"] == "/profile/"


def test_a_page_outside_is_never_the_next_one(cast):
    give_app(cast.agent)
    browser = Browser()
    outside = {"login": cast.agent.email, "password": PASSWORD, "next": "https://evil.example/"}
    browser.post(LOGIN, outside)
    assert browser.post(SECOND, {"code": code()})["Location"] == "/home/"


def test_a_wrong_password_says_what_to_do_keeps_the_email_and_is_noted_without_what_was_typed(cast):
    answer = Browser().post(LOGIN, {"login": cast.agent.email, "password": "not mine at all"})
    text = answer.content.decode()
    assert "Incorrect e-mail or password" in text and f'value="{cast.agent.email}"' in text
    Browser().post(LOGIN, {"login": "my-secret-password@typed.here", "password": "x"})
    assert [row["target"] for row in rows("login_failed")] == [f"user:{cast.agent.pk}", "unknown"]


def test_five_wrong_codes_lock_the_second_factor(cast):
    give_app(cast.agent)
    browser = Browser()
    browser.post(LOGIN, {"login": cast.agent.email, "password": PASSWORD})
    for _try in range(5):
        browser.post(SECOND, {"code": "000000"})
    answer = browser.post(SECOND, {"code": code()})
    assert answer.status_code == 200 and signed_in_user(browser) is None
    assert "Too many failed attempts" in answer.content.decode()
    assert [row["reason"] for row in rows("login_failed")] == ["second factor"] * 5


def test_a_code_works_once_also_after_the_half_minute_it_was_used_in(cast, time_machine):
    time_machine.move_to(timezone.now(), tick=False)  # a slow machine would be asked for the next code
    give_app(cast.agent)
    sign_in(cast.agent)
    cache.clear()  # as after a Redis that was away, or forgot
    browser = Browser()
    browser.post(LOGIN, {"login": cast.agent.email, "password": PASSWORD})
    answer = browser.post(SECOND, {"code": code()})
    assert answer.status_code == 200 and "was already used" in answer.content.decode()


def test_a_code_of_the_half_minute_before_is_taken(cast):
    give_app(cast.agent)
    browser = Browser()
    browser.post(LOGIN, {"login": cast.agent.email, "password": PASSWORD})
    assert browser.post(SECOND, {"code": code(steps=-1)}).status_code == 302


def test_a_recovery_code_works_once(cast):
    give_app(cast.agent)
    spare = give_recovery_codes(cast.agent)[0]
    for expected in (302, 200):
        browser = Browser()
        browser.post(LOGIN, {"login": cast.agent.email, "password": PASSWORD})
        assert browser.post(SECOND, {"code": spare}).status_code == expected


def test_clients_and_partners_do_not_sign_in_at_the_staff_page(cast):
    for login in (cast.client_user.email, cast.client_user.username):
        browser = Browser()
        answer = browser.post(LOGIN, {"login": login, "password": PASSWORD})
        assert answer.status_code == 200 and signed_in_user(browser) is None
    # Not even where a client's user name would look like an e-mail.
    User.objects.filter(pk=cast.client_user.pk).update(username="clara@example.com")
    answer = browser.post(LOGIN, {"login": "clara@example.com", "password": PASSWORD})
    assert "Incorrect e-mail or password" in answer.content.decode() and signed_in_user(browser) is None


PAGES = [
    "/home/",
    "/",
    "/profile/",
    "/notifications/",
    "/jobs/",
    "/setup/",
    "/setup/crm/user/",
    "/palette/",
    "/accounts/security/",
    "/accounts/password/change/",
    "/accounts/2fa/totp/activate/",
    "/accounts/2fa/webauthn/add/",
    "/accounts/2fa/totp/deactivate/",
    "/accounts/2fa/recovery-codes/",
    "/accounts/2fa/recovery-codes/generate/",
    "/accounts/reauthenticate/",
]


def password_only(user):
    """A session by some road that asked for the password only."""
    browser = Browser()
    browser.force_login(user, backend="crm.accounts.backends.SignInBackend")
    return browser


@pytest.mark.parametrize("page", PAGES)
def test_a_session_without_the_second_factor_reaches_nothing(cast, page):
    give_app(cast.administrator)
    User.objects.filter(pk=cast.administrator.pk).update(is_staff=True, is_superuser=True)
    browser = password_only(cast.administrator)
    for answer in (browser.get(page), browser.post(page, {"code": "1"})):
        assert answer.status_code == 302 and answer["Location"].startswith("/accounts/2fa/reauthenticate/"), page
    assert browser.session.get("second_factor_of") is None


def test_such_a_session_opens_when_it_shows_the_factor(cast):
    give_app(cast.agent)
    browser = password_only(cast.agent)
    answer = browser.post("/accounts/2fa/reauthenticate/", {"code": code(), "next": "/home/"})
    assert answer.status_code == 302
    assert browser.get("/home/").status_code == 200


def test_the_mark_of_another_person_counts_for_nothing(cast):
    give_app(cast.agent)
    browser = password_only(cast.agent)
    session = browser.session
    session["second_factor_of"] = cast.finance.pk
    session.save()
    assert browser.get("/home/").status_code == 302


def test_staff_without_a_factor_are_led_to_set_one_up_and_reach_nothing_else(cast):
    browser = Browser()
    answer = browser.post(LOGIN, {"login": cast.agent.email, "password": PASSWORD}, follow=True)
    assert answer.redirect_chain[-1][0] == "/accounts/security/set-up/"
    for page in PAGES:
        if page not in ("/accounts/2fa/totp/activate/", "/accounts/2fa/webauthn/add/", "/accounts/reauthenticate/"):
            assert browser.get(page)["Location"] == "/accounts/security/set-up/", page


@pytest.mark.django_db(transaction=True)
def test_setting_up_an_app_opens_the_house_and_shows_recovery_codes_once(cast):
    browser = Browser()
    browser.post(LOGIN, {"login": cast.agent.email, "password": PASSWORD})
    form = browser.get("/accounts/2fa/totp/activate/").context["form"]
    wrong = browser.post("/accounts/2fa/totp/activate/", {"code": "000000"})
    assert wrong.context["form"].secret == form.secret and "This code is incorrect" in wrong.content.decode()
    answer = browser.post("/accounts/2fa/totp/activate/", {"code": code(form.secret)})
    assert answer["Location"] == "/accounts/2fa/recovery-codes/"
    shown = browser.get("/accounts/2fa/recovery-codes/")
    codes = shown.context["unused_codes"]
    assert len(codes) == 10 and all(one in shown.content.decode() for one in codes)
    assert codes[0] not in browser.get("/accounts/2fa/recovery-codes/").content.decode()
    assert browser.get("/home/").status_code == 200


def test_secrets_of_second_factors_are_not_readable_in_the_database(cast):
    row = give_app(cast.agent)
    give_recovery_codes(cast.agent)
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert SECRET not in stored and SECRET.lower() not in stored
    assert row.wrap().validate_code(code())


def test_the_set_up_tables_have_no_password_form_of_their_own(cast):
    User.objects.filter(pk=cast.administrator.pk).update(is_staff=True, is_superuser=True)
    answer = Browser().post("/setup/login/", {"username": cast.administrator.username, "password": PASSWORD})
    assert answer.status_code == 302 and answer["Location"].startswith(LOGIN)


@pytest.mark.parametrize("page", ["signup/", "email/", "password/reset/", "password/set/", "confirm-email/"])
def test_pages_of_the_library_that_we_do_not_use_are_not_there(page, cast):
    assert Browser().get(f"/accounts/{page}").status_code == 404


def test_a_login_that_is_switched_off_is_out_at_once(cast):
    give_app(cast.agent)
    browser = sign_in(cast.agent)
    assert browser.get("/home/").status_code == 200
    cast.agent.is_active = False
    cast.agent.save(update_fields=["is_active"])
    assert browser.get("/home/").status_code == 302
    assert sign_in(cast.agent).get("/home/").status_code == 302


def test_signing_out_is_noted_and_ends_the_session(cast):
    give_app(cast.agent)
    browser = sign_in(cast.agent)
    assert browser.post("/accounts/logout/")["Location"] == LOGIN
    assert browser.get("/home/").status_code == 302
    assert [row["user_id"] for row in rows("logout")] == [cast.agent.pk]


def test_a_client_outside_the_traders_room_is_a_stranger(cast, browse):
    browser = browse(cast.client_user)
    assert browser.get("/home/")["Location"].startswith(LOGIN)
    assert browser.get("/")["Location"] == "/portal/"
    assert browser.get("/accounts/login/?next=/home/")["Location"] == "/portal/"
    assert browser.get("/notifications/").status_code == 200


def test_the_sign_in_pages_ask_the_database_little(cast, django_assert_max_num_queries):
    give_app(cast.agent)
    with django_assert_max_num_queries(1):
        Browser().get(LOGIN)
    browser = sign_in(cast.agent)
    with django_assert_max_num_queries(19):
        browser.get("/accounts/security/")


def test_a_sign_in_is_published_once_with_whoever_signed_in(cast):
    give_app(cast.agent)
    browser = Browser()
    browser.post(LOGIN, {"login": cast.agent.email, "password": PASSWORD})
    assert published("crm.signed_in") == []
    browser.post(SECOND, {"code": code()})
    (event,) = published("crm.signed_in")
    assert event.data == {"user_id": cast.agent.pk, "kind": "staff", "method": "password+totp"}
    assert (event.actor.kind, event.actor.id, event.brand) == ("staff", cast.agent.pk, cast.agent.brand_id)
