"""Managing staff: invitations, roles and reach by four eyes, switching off."""

import datetime as dt
import re

import pytest
from django.core import mail as outbox
from django.db import IntegrityError, connection, transaction
from django.test import Client as Browser

from crm import approvals
from crm.accounts import link_requests
from crm.accounts.links import LinkProblem, issue, use
from crm.choices import ApprovalState, LinkKind, Role
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AccessLink, AuditEvent, GrantRequest, OutgoingMail, User
from crm.notices import mail
from crm.security.scope import reach_of
from crm.staff import grants, people, queries
from tests.cast import PASSWORD, make_staff, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def second(cast):
    return make_staff("second@meridian.example", Role.ADMINISTRATOR, brand=cast.brand)


def fresh(user):
    return User.objects.get(pk=user.pk)


def actions():
    return set(AuditEvent.objects.values_list("action", flat=True))


def invite(cast, email="nina@meridian.example", **fields):
    return people.invite_staff(
        actor=cast.administrator, email=email, first_name="Nina", last_name="New", brand=cast.brand, **fields
    )


def invitation_address():
    mail.deliver_due()
    return re.search(r"/accounts/invitation/\S+", outbox.outbox[-1].body)[0]


# ── invitations ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_invitation_sets_the_password_goes_on_to_the_second_factor_and_works_once(cast):
    user = invite(cast)
    address = invitation_address()
    browser = Browser()
    assert "Welcome, Nina" in browser.get(address).content.decode()
    weak = browser.post(address, {"password1": "12345", "password2": "12345"})
    assert "too short" in weak.content.decode()
    differs = browser.post(address, {"password1": "a good long password", "password2": "another long password"})
    assert "The passwords don&#x27;t match" in differs.content.decode()
    answer = browser.post(
        address, {"password1": "a good long password", "password2": "a good long password"}, follow=True
    )
    assert answer.redirect_chain[-1][0] == "/accounts/security/set-up/"
    again = Browser().get(address)
    assert again.status_code == 410 and "was already used" in again.content.decode()
    assert fresh(user).check_password("a good long password")
    assert {"crm.staff_invited", "crm.password_chosen"} <= actions()


def test_an_invited_login_reaches_nothing_until_somebody_approved_something(cast):
    user = invite(cast)
    assert reach_of(fresh(user)).books == frozenset() and not user.get_all_permissions()


def test_a_newer_invitation_replaces_the_older(cast, second):
    user = invite(cast)
    old = invitation_address()
    people.invite_again(user=user, actor=second)
    new = invitation_address()
    assert "A newer link has been sent" in Browser().get(old).content.decode()
    assert Browser().get(new).status_code == 200


def test_an_invitation_expires_after_72_hours(cast, age_links):
    invite(cast)
    address = invitation_address()
    age_links(hours=73)
    answer = Browser().get(address)
    assert answer.status_code == 410 and "has expired" in answer.content.decode()


@pytest.fixture
def age_links():
    """Makes links older, without moving the clock for everything else."""

    def move(*, hours):
        for link in AccessLink.objects.all():
            AccessLink.objects.filter(pk=link.pk).update(expires_at=link.expires_at - dt.timedelta(hours=hours))

    return move


def test_a_forged_link_says_so(cast):
    invite(cast)
    address = invitation_address()
    answer = Browser().get(address.replace("/accounts/invitation/", "/accounts/invitation/9"))
    assert answer.status_code == 410 and "incomplete" in answer.content.decode()


def test_the_secret_of_a_link_is_nowhere_in_the_database(cast):
    invite(cast)
    letter = OutgoingMail.objects.get()
    assert letter.is_secret and b"/accounts/invitation/" not in bytes(letter.body)
    address = invitation_address()
    letter.refresh_from_db()
    assert bytes(letter.body) == b"" and letter.state == "sent"
    secret = address.split("/")[3].split(":")[0].split(".")[1]
    with connection.cursor() as cursor:
        cursor.execute("SELECT encode(secret_hash, 'escape') FROM crm_accesslink")
        assert secret not in cursor.fetchone()[0]


def test_a_link_opens_one_kind_of_door_only(cast):
    _link, token = issue(kind=LinkKind.PASSWORD_RESET, user=cast.agent)
    with pytest.raises(LinkProblem):
        use(token, kind=LinkKind.INVITATION)
    assert use(token, kind=LinkKind.PASSWORD_RESET).user == cast.agent
    with pytest.raises(LinkProblem, match="already used"):
        use(token, kind=LinkKind.PASSWORD_RESET)


def test_a_link_dies_with_the_address_it_was_sent_to(cast):
    _link, token = issue(kind=LinkKind.PASSWORD_RESET, user=cast.agent)
    cast.agent.email = "elsewhere@meridian.example"
    cast.agent.save()
    with pytest.raises(LinkProblem, match="no longer belongs"):
        use(token, kind=LinkKind.PASSWORD_RESET)


def test_an_email_that_has_a_login_is_refused_and_the_form_keeps_what_was_typed(cast):
    with pytest.raises(DomainError, match="An account with this e-mail already exists"):
        invite(cast, email=cast.agent.email)
    browser = signed_in(cast.administrator)
    answer = browser.post(
        "/staff/invite/",
        {"email": cast.agent.email.upper(), "first_name": "Nina", "last_name": "New", "brand": cast.brand.pk},
    )
    text = answer.content.decode()
    assert "An account with this e-mail already exists" in text and 'value="Nina"' in text


def test_inviting_from_the_page_asks_for_roles_and_reach(cast, second):
    browser = signed_in(cast.administrator)
    answer = browser.post(
        "/staff/invite/",
        {
            "email": "nina@meridian.example",
            "first_name": "Nina",
            "last_name": "New",
            "brand": cast.brand.pk,
            "desk": cast.desk.pk,
            "roles": ["agent"],
            "reach": "desk",
            "reason": "Joins the German desk",
            "language": "de",
            "time_zone": "Europe/Berlin",
            "lead_capacity_per_day": "30",
            "languages": ["de"],
        },
    )
    user = User.objects.get(email="nina@meridian.example")
    assert answer["Location"] == f"/staff/{user.pk}/"
    assert {request.what for request in user.grant_requests.all()} == {"Role “Sales agent”", "Desk: German desk"}
    assert second.notifications.count() == 2


# ── four eyes ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_role_comes_into_force_when_a_second_administrator_approves(cast, second):
    request = grants.request_grant(
        actor=cast.administrator, user=cast.agent, what=Role.FINANCE, reason="Covers finance in August"
    )
    assert not fresh(cast.agent).groups.filter(name="finance").exists()
    approvals.approve(GrantRequest, request.pk, actor=second)
    assert fresh(cast.agent).groups.filter(name="finance").exists()
    assert {"crm.grant_requested", "crm.grant_approved", "crm.role_given"} <= actions()


def test_reach_comes_into_force_when_a_second_administrator_approves(cast, second):
    request = grants.request_grant(actor=cast.administrator, user=cast.agent, what=cast.other_book, reason="Holiday")
    approvals.approve(GrantRequest, request.pk, actor=second)
    assert cast.other_book.pk in reach_of(fresh(cast.agent)).books
    grants.take_reach(user=fresh(cast.agent), thing=cast.other_book, actor=second, reason="Back")
    assert cast.other_book.pk not in reach_of(fresh(cast.agent)).books


def test_nobody_approves_their_own_request(cast, second):
    request = grants.request_grant(actor=cast.administrator, user=cast.agent, what=Role.FINANCE, reason="x")
    with pytest.raises(NotAllowed, match="someone else"):
        approvals.approve(GrantRequest, request.pk, actor=cast.administrator)
    assert GrantRequest.objects.get().state == ApprovalState.PENDING
    # Not even by SQL.
    with pytest.raises(IntegrityError, match="grant_request_is_decided_by_somebody_else"), transaction.atomic():
        GrantRequest.objects.update(state="approved", decided_by=cast.administrator, decided_at="2026-01-01T00:00Z")


def test_nobody_asks_or_approves_for_themselves(cast, second):
    with pytest.raises(NotAllowed, match="to your own account"):
        grants.request_grant(actor=cast.administrator, user=cast.administrator, what=Role.FINANCE, reason="x")
    request = grants.request_grant(actor=cast.administrator, user=second, what=Role.FINANCE, reason="x")
    with pytest.raises(NotAllowed):
        approvals.approve(GrantRequest, request.pk, actor=second)
    with pytest.raises(NotAllowed):
        grants.take_role(user=second, role=Role.ADMINISTRATOR, actor=second, reason="x")


def test_nobody_grants_what_they_do_not_reach(cast, second):
    from crm.models import Desk

    elsewhere = Desk.objects.create(brand=cast.other_brand, name="Sydney")
    with pytest.raises(NotAllowed, match="don't have yourself"):
        grants.request_grant(actor=cast.administrator, user=cast.agent, what=elsewhere, reason="x")
    with pytest.raises(NotAllowed, match="don't have yourself"):
        grants.request_grant(actor=cast.administrator, user=cast.agent, what=cast.other_brand, reason="x")


def test_an_approver_must_reach_it_too(cast):
    narrow = make_staff("narrow@meridian.example", Role.ADMINISTRATOR, brand=cast.brand, reaches=cast.desk)
    request = grants.request_grant(actor=cast.administrator, user=cast.agent, what=cast.brand, reason="x")
    with pytest.raises(NotAllowed, match="don't have yourself"):
        approvals.approve(GrantRequest, request.pk, actor=narrow)


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMINISTRATOR])
def test_only_administrators_ask_for_grants(cast, role):
    with pytest.raises(NotAllowed):
        grants.request_grant(actor=cast.staff()[role.value], user=cast.second_finance, what=Role.AGENT, reason="x")
    assert not GrantRequest.objects.exists()


def test_asking_twice_deciding_twice_and_asking_without_reason_are_refused(cast, second):
    request = grants.request_grant(actor=cast.administrator, user=cast.agent, what=Role.FINANCE, reason="x")
    with pytest.raises(WrongState, match="already awaiting"):
        grants.request_grant(actor=second, user=cast.agent, what=Role.FINANCE, reason="x")
    with pytest.raises(DomainError, match="Enter a reason"):
        grants.request_grant(actor=second, user=cast.agent, what=Role.MLRO, reason=" ")
    with pytest.raises(DomainError, match="Enter a reason"):
        approvals.reject(GrantRequest, request.pk, actor=second, note="")
    approvals.reject(GrantRequest, request.pk, actor=second, note="Not needed")
    with pytest.raises(WrongState, match="already decided"):
        approvals.approve(GrantRequest, request.pk, actor=second)
    assert not fresh(cast.agent).groups.filter(name="finance").exists()


def test_the_asker_withdraws_and_nobody_else_can(cast, second):
    request = grants.request_grant(actor=cast.administrator, user=cast.agent, what=Role.FINANCE, reason="x")
    with pytest.raises(NotAllowed):
        approvals.withdraw(GrantRequest, request.pk, actor=second)
    approvals.withdraw(GrantRequest, request.pk, actor=cast.administrator)
    assert GrantRequest.objects.get().state == ApprovalState.WITHDRAWN


# ── reads ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_administrator_sees_the_staff_of_their_brands_only(cast):
    stranger = make_staff("sid@southern.example", Role.AGENT, brand=cast.other_brand)
    assert cast.agent in queries.staff_visible_to(cast.administrator)
    assert stranger not in queries.staff_visible_to(cast.administrator)
    assert signed_in(cast.administrator).get(f"/staff/{stranger.pk}/").status_code == 404
    assert signed_in(cast.administrator).get(f"/staff/{cast.client_user.pk}/").status_code == 404
    with pytest.raises(NotAllowed):
        people.change_staff(user_id=stranger.pk, actor=cast.administrator, first_name="X")


def test_the_pages_open_for_administrators_and_stay_within_their_queries(cast, second, django_assert_max_num_queries):
    request = grants.request_grant(actor=cast.administrator, user=cast.agent, what=Role.FINANCE, reason="x")
    browser = signed_in(second)
    for page, most in [
        ("/staff/", 14),
        (f"/staff/{cast.agent.pk}/", 34),
        ("/staff/invite/", 14),
        ("/staff/grants/", 13),
        (f"/staff/grants/{request.pk}/", 18),
        (f"/versions/desk/{cast.desk.pk}/", 12),
    ]:
        browser.get(page)
        with django_assert_max_num_queries(most):
            assert browser.get(page).status_code == 200, page
    for page in ["/staff/", f"/staff/{cast.agent.pk}/", "/staff/invite/", "/staff/grants/"]:
        assert signed_in(cast.desk_head).get(page).status_code == 403
        assert Browser().get(page).status_code == 302


# ── changing and switching off ──────────────────────────────────────────────────────────────────────────────────────


def test_a_change_is_audited_and_kept_as_a_version(cast):
    browser = signed_in(cast.administrator)
    page = browser.get(f"/staff/{cast.agent.pk}/")
    data = {name: value for name, value in page.context["form"].initial.items() if value not in (None, "")}
    data |= {"desk": cast.other_desk.pk, "is_accepting_leads": "on", "first_name": "Alicia"}
    assert browser.post(f"/staff/{cast.agent.pk}/", data).status_code == 302
    agent = fresh(cast.agent)
    assert (agent.first_name, agent.desk) == ("Alicia", cast.other_desk)
    shown = browser.get(f"/staff/{cast.agent.pk}/").content.decode()
    assert "Alicia" in shown and "First name" in shown and "Staff details changed" in shown


def test_signing_in_makes_no_version(cast):
    before = cast.agent.history.count()
    cast.agent.save(update_fields=["last_login"])
    cast.client_user.first_name = "C"
    cast.client_user.save()
    assert cast.agent.history.count() == before and cast.client_user.history.count() == 0


def test_switching_off_ends_sessions_and_needs_a_reason(cast):
    browser = signed_in(cast.agent)
    assert browser.get("/home/").status_code == 200
    with pytest.raises(DomainError, match="Enter a reason"):
        people.switch_off(user_id=cast.agent.pk, actor=cast.administrator, reason="")
    people.switch_off(user_id=cast.agent.pk, actor=cast.administrator, reason="Left the house")
    assert browser.get("/home/").status_code == 302
    assert not fresh(cast.agent).is_accepting_leads
    with pytest.raises(WrongState):
        people.switch_off(user_id=cast.agent.pk, actor=cast.administrator, reason="again")
    people.switch_on(user_id=cast.agent.pk, actor=cast.administrator, reason="Back")
    assert fresh(cast.agent).is_active


def test_nobody_switches_themselves_off_or_resets_their_own_factor(cast):
    from crm.staff.people import reset_second_factor

    with pytest.raises(NotAllowed):
        people.switch_off(user_id=cast.administrator.pk, actor=cast.administrator, reason="x")
    with pytest.raises(NotAllowed):
        reset_second_factor(user=cast.administrator, actor=cast.administrator, reason="x")


def test_a_superuser_is_changed_by_superusers_only(cast):
    User.objects.filter(pk=cast.agent.pk).update(is_superuser=True)
    with pytest.raises(NotAllowed, match="superuser"):
        people.switch_off(user_id=cast.agent.pk, actor=cast.administrator, reason="x")


def test_resetting_the_second_factor_ends_sessions_and_asks_for_confirmation_first(cast):
    from tests.crm.factors import give_app

    give_app(cast.agent)
    browser = signed_in(cast.agent)
    browser.get("/home/")
    administrator = signed_in(cast.administrator)
    give_app(cast.administrator, "MFRGGZDFMZTWQ2LK")
    answer = administrator.post(f"/staff/{cast.agent.pk}/reset-factor/", {"reason": "Lost the phone"})
    assert answer["Location"].startswith("/accounts/reauthenticate/") and cast.agent.authenticator_set.exists()
    # After the confirmation the request goes on by itself.
    next_page = f"/staff/{cast.agent.pk}/reset-factor/"
    administrator.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": next_page})
    assert not cast.agent.authenticator_set.exists()
    assert browser.get("/home/").status_code == 302
    assert "crm.second_factor_reset" in actions()


def test_forgotten_passwords_answer_alike_and_the_link_works_once(cast):
    outbox.outbox.clear()
    for email in (cast.agent.email, "nobody@meridian.example", cast.client_user.email):
        answer = Browser().post("/accounts/password/forgotten/", {"email": email})
        assert "If an account exists for this address" in answer.content.decode()
    assert link_requests.answer_due() == 3
    mail.deliver_due()
    (letter,) = outbox.outbox
    assert letter.to == [cast.agent.email]
    address = re.search(r"/accounts/password/choose/\S+", letter.body)[0]
    new = {"password1": "quite another phrase", "password2": "quite another phrase"}
    assert Browser().post(address, new)["Location"] == "/accounts/login/"
    assert fresh(cast.agent).check_password("quite another phrase")
    assert "was already used" in Browser().post(address, new).content.decode()


def test_a_refused_request_for_a_role_is_said_in_its_form_and_keeps_what_was_typed(cast, browse):
    browser, address = browse(cast.administrator), f"/staff/{cast.agent.pk}/ask/"
    page = browser.post(address, {"what": "", "reason": "Covers Rita's holiday"})
    assert page.status_code == 422 and page.context["grant_form"].errors.keys() == {"what"}
    assert "Covers Rita&#x27;s holiday" in page.content.decode()
    holiday = {"what": f"book:{cast.other_book.pk}", "reason": "Holiday"}
    assert browser.post(address, holiday).status_code == 302 and GrantRequest.objects.count() == 1
    page = browser.post(address, holiday)
    assert page.status_code == 422 and page.context["grant_form"].non_field_errors()
    assert GrantRequest.objects.count() == 1
