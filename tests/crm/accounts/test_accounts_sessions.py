"""Sessions: listed, ended, timed out; networks; passwords; the demo's helping hand."""

import time

import pytest
from allauth.usersessions.models import UserSession
from django.core import mail as outbox
from django.test import Client as Browser

from crm.accounts import demo_mode, network, sessions
from crm.models import AuditEvent
from crm.notices import mail
from tests.brand_policies import set_policies
from tests.cast import PASSWORD, signed_in
from tests.crm.factors import SECRET, code, give_app, sign_in

pytestmark = pytest.mark.django_db
CHANGE = "/accounts/password/change/"


def idle(browser, seconds):
    session = browser.session
    session[sessions.SEEN] = time.time() - seconds
    session.save()


def actions():
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


def test_the_list_shows_each_device_and_marks_this_one(cast):
    give_app(cast.agent)
    phone = Browser(headers={"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/604.1"})
    browser = sign_in(cast.agent)
    phone.force_login(cast.agent, backend="crm.accounts.backends.SignInBackend")
    session = phone.session
    session["second_factor_of"] = cast.agent.pk
    session.save()
    phone.get("/home/")
    shown = browser.get("/accounts/security/").context["sessions"]
    assert {(one.device, one.is_current) for one in shown} == {("Safari · iPhone", False), ("?", True)}


def test_one_session_is_ended_and_only_ones_own(cast):
    first, second, stranger = signed_in(cast.agent), signed_in(cast.agent), signed_in(cast.finance)
    for browser in (first, second, stranger):
        browser.get("/home/")
    row = UserSession.objects.get(session_key=second.session.session_key)
    assert stranger.post(f"/accounts/sessions/{row.pk}/end/").status_code == 404
    assert second.get("/home/").status_code == 200
    first.post(f"/accounts/sessions/{row.pk}/end/")
    assert second.get("/home/").status_code == 302 and first.get("/home/").status_code == 200
    assert "crm.session_ended" in actions()


def test_all_others_are_ended_at_once(cast):
    browsers = [signed_in(cast.agent) for _n in range(3)]
    for browser in browsers:
        browser.get("/home/")
    browsers[0].post("/accounts/sessions/end-others/")
    assert [browser.get("/home/").status_code for browser in browsers] == [200, 302, 302]


def test_a_new_password_ends_every_other_session_and_tells_the_owner(cast, django_capture_on_commit_callbacks):
    give_app(cast.agent)
    mine, other = sign_in(cast.agent), signed_in(cast.agent)
    other.get("/home/")
    answer = mine.post(CHANGE, {"oldpassword": "wrong", "password1": "a new phrase 1", "password2": "a new phrase 1"})
    assert "Please type your current password" in answer.content.decode()
    answer = mine.post(CHANGE, {"oldpassword": PASSWORD, "password1": "a new phrase 1", "password2": "a new phrase 1"})
    assert answer["Location"] == "/accounts/security/"
    assert mine.get("/home/").status_code == 200 and other.get("/home/").status_code == 302
    assert "crm.password_changed" in actions()
    mail.deliver_due()
    assert outbox.outbox[-1].subject == "Your password was changed" and outbox.outbox[-1].to == [cast.agent.email]


def test_a_clients_new_password_is_part_of_their_trail(cast):
    browser = signed_in(cast.client_user)
    browser.post(CHANGE, {"oldpassword": PASSWORD, "password1": "a new phrase 1", "password2": "a new phrase 1"})
    event = AuditEvent.objects.get(action="crm.password_changed")
    assert event.client_id == cast.client.pk


def test_an_idle_session_ends_and_comes_back_to_its_page(cast, settings):
    settings.STAFF_IDLE_SECONDS = 600
    browser = signed_in(cast.agent)
    browser.get("/home/")
    idle(browser, 599)
    assert browser.get("/profile/").status_code == 200
    idle(browser, 601)
    answer = browser.get("/profile/")
    assert answer["Location"] == "/accounts/login/?next=%2Fprofile%2F"
    page = browser.get(answer["Location"]).content.decode()
    assert "after a period of inactivity" in page


def test_a_brand_says_how_long_a_session_may_lie_idle(cast):
    set_policies(cast.brand, staff_idle_seconds=60, portal_idle_seconds=120)
    staff, client = signed_in(cast.agent), signed_in(cast.client_user)
    for browser, page in ((staff, "/profile/"), (client, "/portal/")):
        browser.get(page)
        idle(browser, 90)
    assert staff.get("/profile/").status_code == 302
    assert client.get("/portal/").status_code == 200
    idle(client, 150)
    assert client.get("/portal/")["Location"].startswith("/b/meridian/login/")


def test_a_page_that_asks_by_itself_keeps_no_session_alive(cast):
    browser = signed_in(cast.agent)
    browser.get("/home/")
    idle(browser, 1000)
    browser.get("/notifications/recent/", headers={"x-keelson-background": "1"})
    assert time.time() - browser.session[sessions.SEEN] > 900
    browser.get("/notifications/recent/")
    assert time.time() - browser.session[sessions.SEEN] < 100


def test_activity_is_written_once_a_minute_not_with_each_request(cast, django_assert_num_queries):
    browser = signed_in(cast.agent)
    browser.get("/profile/")
    before = UserSession.objects.get().last_seen_at
    browser.get("/profile/")
    assert UserSession.objects.get().last_seen_at == before


def test_a_fragment_sends_the_whole_page_to_sign_in(cast):
    answer = Browser().get("/notifications/recent/", headers={"hx-request": "true", "hx-current-url": "http://x/home/"})
    assert answer.status_code == 200 and answer["HX-Redirect"].startswith("/accounts/login/")


def test_staff_work_from_the_networks_of_their_brand_only(cast):
    give_app(cast.agent)
    set_policies(cast.brand, staff_networks=["10.1.0.0/16", "2001:db8::/32"])
    inside = Browser(REMOTE_ADDR="10.1.2.3")
    assert sign_in(cast.agent, browser=inside).get("/home/").status_code == 200
    outside = Browser(REMOTE_ADDR="10.2.0.1")
    answer = outside.post("/accounts/login/", {"login": cast.agent.email, "password": PASSWORD})
    assert answer.status_code == 403 and "10.2.0.1" in answer.content.decode()
    # A session that is carried out of the house ends too.
    inside.defaults["REMOTE_ADDR"] = "192.0.2.7"
    assert inside.get("/home/").status_code == 403
    inside.defaults["REMOTE_ADDR"] = "10.1.2.3"
    assert inside.get("/home/").status_code == 302
    # Clients sign in from anywhere.
    assert signed_in(cast.client_user).get("/notifications/", REMOTE_ADDR="192.0.2.7").status_code == 200


@pytest.mark.parametrize(
    ("proxies", "header", "expected"),
    [
        (0, "1.1.1.1", "10.0.0.9"),
        (1, "6.6.6.6, 203.0.113.5", "203.0.113.5"),
        (2, "6.6.6.6, 203.0.113.5, 10.0.0.1", "203.0.113.5"),
        (2, "203.0.113.5", "10.0.0.9"),
        (1, "rubbish", None),
    ],
)
def test_the_callers_address_is_what_our_own_proxies_say(rf, settings, proxies, header, expected):
    settings.TRUSTED_PROXIES = proxies
    request = rf.get("/", REMOTE_ADDR="10.0.0.9", headers={"x-forwarded-for": header})
    assert network.client_ip(request) == expected


# ── the demo ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nothing_of_the_demo_shows_on_a_real_installation(cast, settings):
    from crm.accounts.demo_mode import PASSWORD as DEMO_PASSWORD
    from crm.accounts.demo_mode import TOTP_SECRET

    give_app(cast.agent, TOTP_SECRET)
    assert settings.DEMO is False
    browser = Browser()
    page = browser.get("/accounts/login/").content.decode()
    assert "Demo logins" not in page and DEMO_PASSWORD not in page and cast.agent.email not in page
    browser.post("/accounts/login/", {"login": cast.agent.email, "password": PASSWORD})
    assert "data-demo-code" not in browser.get("/accounts/2fa/authenticate/").content.decode()
    assert demo_mode.brand_logins(cast.brand) == [] and demo_mode.current_code(cast.agent) == ""
    assert browser.get("/demo/mail/").status_code == 404


def test_a_demo_lists_a_login_per_role_and_shows_the_current_code(cast, settings):
    from crm.accounts.demo_mode import TOTP_SECRET

    settings.DEMO = True
    give_app(cast.agent, TOTP_SECRET)
    browser = Browser()
    page = browser.get("/accounts/login/")
    assert {login.label for login in page.context["demo_logins"]} >= {"Sales agent", "MLRO", "Administrator"}
    finance = [login.email for login in page.context["demo_logins"] if login.label.startswith("Finance")]
    assert finance == [cast.finance.email, cast.second_finance.email], "four eyes can be tried"
    browser.post("/accounts/login/", {"login": cast.agent.email, "password": PASSWORD})
    shown = browser.get("/accounts/2fa/authenticate/").context["demo_code"]
    assert shown == code(TOTP_SECRET)
    assert browser.post("/accounts/2fa/authenticate/", {"code": shown})["Location"] == "/home/"


def test_a_demo_shows_no_code_of_a_secret_that_is_not_its_own(cast, settings):
    settings.DEMO = True
    give_app(cast.agent, SECRET)
    assert demo_mode.current_code(cast.agent) == ""


def test_a_password_change_sent_twice_answers_kindly(cast, monkeypatch):
    """The twin ends every other session, this request's new one too, before that is written."""
    from allauth.account.views import PasswordChangeView

    browser = signed_in(cast.agent)
    form_valid = PasswordChangeView.form_valid

    def and_the_twin_is_done(self, form):
        answer = form_valid(self, form)
        kept = self.request.session
        type(kept)(kept.session_key).delete()
        return answer

    monkeypatch.setattr(PasswordChangeView, "form_valid", and_the_twin_is_done)
    new = {"oldpassword": PASSWORD, "password1": "a quiet long phrase", "password2": "a quiet long phrase"}
    late = browser.post(CHANGE, new)
    assert (late.status_code, late["Location"]) == (303, CHANGE)
    monkeypatch.undo()
    assert browser.get(CHANGE).status_code in (200, 302), "its own page, or the sign-in page: never an error"
    cast.agent.refresh_from_db()
    assert cast.agent.check_password("a quiet long phrase")
