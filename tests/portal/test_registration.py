"""Registering: strangers, leads, invited leads, people who have a login, people who may not."""

import datetime as dt
import re

import pytest
from django.core import mail as outbox
from django.core.cache import cache
from django.db import connection, transaction
from django.db.utils import ProgrammingError
from django.test import Client as Browser
from django.utils import timezone

from clients.choices import Gate
from clients.models import Client, TimelineEntry
from crm import events
from crm.accounts import link_requests
from crm.errors import NotAllowed
from crm.models import AccessLink, AuditEvent, Brand, OutboxEvent, User
from crm.notices import mail
from ib.choices import PartnerState
from ib.links import create_link
from ib.models import Attribution
from ib.partners import change_state
from leads.invitations import invite
from leads.models import Lead
from portal import consents, registration
from portal.choices import ConsentKind
from portal.models import Consent, PortalLogin
from tests.brand_policies import set_policies
from tests.cast import PASSWORD, make_client
from tests.country_rules import set_country_rule
from tests.days import today
from tests.ib.factories import make_partner
from tests.texts import set_text

pytestmark = pytest.mark.django_db
REGISTER = "/b/meridian/register/"


def hashes(language="en", brand="meridian"):
    """What the boxes of the form hold: the hashes of the texts beside them."""
    texts = consents.current_texts(Brand.objects.get(code=brand), language)
    return {f"consent_{kind.value}": text.sha256 for kind, text in texts.items()}


def answers(language="en", brand="meridian", **changes):
    read = hashes(language, brand)
    return {
        "first_name": "Greta",
        "last_name": "Hoffmann",
        "email": "greta@example.com",
        "phone": "+49 151 98765432",
        "country": "DE",
        "date_of_birth": "1990-05-17",
        "password": "a quiet long phrase",
        "consent_terms": read["consent_terms"],
        "consent_privacy": read["consent_privacy"],
        "consent_risk": read["consent_risk"],
        **changes,
    }


def send(browser=None, page=REGISTER, **changes):
    browser = browser or Browser()
    return browser.post(page, answers(**changes))


def letter_link(pattern=r"/b/meridian/confirm/\S+"):
    link_requests.answer_due()
    mail.deliver_due()
    return re.search(pattern, outbox.outbox[-1].body)[0]


@pytest.fixture(autouse=True)
def no_letters():
    outbox.outbox.clear()


@pytest.fixture
def lead(cast):
    return make_client(
        brand=cast.brand,
        book=cast.book,
        email="greta@example.com",
        login=False,
        first_name="Gretel",
        last_name="H.",
        phone="+4915112345999",
        country="AT",
    )


# ── a stranger ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_stranger_becomes_a_client_and_gets_in_after_confirming_the_email(cast):
    browser = Browser()
    answer = send(browser)
    assert answer["Location"] == "/b/meridian/registered/"
    assert "greta@example.com" in browser.get("/b/meridian/registered/").content.decode()
    client = Client.objects.get(email="greta@example.com")
    assert (client.stage, client.phone, client.country, client.full_name) == (
        "registered",
        "+4915198765432",
        "DE",
        "Greta Hoffmann",
    )
    assert client.user.username == "meridian/greta@example.com" and client.user.kind == "client"
    assert Lead.objects.get(client=client).channel == "portal"
    assert browser.get("/portal/").status_code == 302
    link = letter_link()
    assert "Confirm that greta@example.com is your e-mail address" in browser.get(link).content.decode()
    assert PortalLogin.objects.get().email_verified_at is None
    answer = browser.post(link)
    assert answer["Location"] == "/portal/"
    assert PortalLogin.objects.get().email_verified_at is not None


def test_the_registration_tells_the_others(cast):
    events.drain()
    send(page=f"{REGISTER}?ref=partner77&utm_source=google&utm_campaign=autumn&sub=bio&click_id=C9")
    event = OutboxEvent.objects.get(name="client.registered")
    client = Client.objects.get(email="greta@example.com")
    assert event.payload == {"user_id": client.user_id, "referral_code": "partner77", "sub_id": "bio", "click_id": "C9"}
    assert (event.client_id, event.brand_id) == (client.pk, cast.brand.pk)
    lead = Lead.objects.get(client=client)
    assert (lead.source, lead.utm["utm_campaign"], lead.referral_code) == ("google", "autumn", "partner77")
    assert AuditEvent.objects.filter(action="portal.client_registered", client_id=client.pk).count() == 1


def test_in_another_browser_the_link_asks_for_the_password_and_lets_in(cast):
    send()
    other, link = Browser(), letter_link()
    assert "Your password" in other.get(link).content.decode()
    answer = other.post(link, {"password": "a quiet long phrase"})
    assert answer["Location"] == "/portal/"
    assert PortalLogin.objects.get().email_verified_at is not None


def test_who_registers_with_anothers_address_gets_no_way_into_their_account(cast, lead):
    """The owner of the address clicks the link; the stranger's password must not have become theirs."""
    stranger, owner = Browser(), Browser()
    send(stranger, first_name="Gretel")
    link = letter_link()
    for guess in ({}, {"password": "what might it be"}):
        answer = owner.post(link, guess)
        assert answer.status_code == 422
    assert "choose a new one below" in answer.content.decode()
    assert "/b/meridian/password/" in answer.content.decode()
    assert PortalLogin.objects.get().email_verified_at is None
    answer = stranger.post("/b/meridian/login/", {"login": "greta@example.com", "password": "a quiet long phrase"})
    assert answer["Location"] == "/b/meridian/confirm/", "still unproven: the stranger stays outside"


def test_the_password_of_a_link_cannot_be_guessed_at_leisure(cast):
    send()
    link = letter_link()
    codes = [Browser().post(link, {"password": f"guess {number}"}).status_code for number in range(7)]
    assert codes[:5] == [422] * 5
    assert codes[5:] == [429, 429]


def test_nobody_gets_in_before_the_email_is_confirmed(cast):
    send()
    browser = Browser()
    answer = browser.post("/b/meridian/login/", {"login": "greta@example.com", "password": "a quiet long phrase"})
    assert answer["Location"] == "/b/meridian/confirm/"
    assert "_auth_user_id" not in browser.session
    browser.post("/b/meridian/confirm/", {"email": "greta@example.com"})
    link_requests.answer_due()
    assert AccessLink.objects.filter(kind="verify_email", revoked_at=None).count() == 1
    assert AccessLink.objects.filter(kind="verify_email").count() == 2


def test_a_used_expired_or_broken_confirmation_link_says_so_and_offers_a_new_one(cast):
    send()
    link = letter_link()
    for row in AccessLink.objects.all():
        AccessLink.objects.filter(pk=row.pk).update(expires_at=row.expires_at - dt.timedelta(hours=49))
    answer = Browser().get(link)
    assert answer.status_code == 410 and "has expired" in answer.content.decode()
    assert "/b/meridian/confirm/" in answer.content.decode()
    AccessLink.objects.update(expires_at=dt.datetime.now(dt.UTC) + dt.timedelta(hours=1))
    Browser().post(link, {"password": "a quiet long phrase"})
    assert "was already used" in Browser().get(link).content.decode()
    assert "incomplete" in Browser().get(link[:-3] + "/").content.decode()


# ── someone we know ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_lead_keeps_its_one_record_and_nothing_on_it_is_overwritten(cast, lead):
    send(email="Greta@Example.com")
    lead.refresh_from_db()
    assert lead.stage == "registered" and lead.user is not None
    assert (lead.first_name, lead.phone, lead.country) == ("Gretel", "+4915112345999", "AT")
    assert lead.date_of_birth == dt.date(1990, 5, 17)
    note = TimelineEntry.objects.get(client=lead, title__startswith="Registered with different details")
    assert "+4915198765432" in note.body
    assert Client.objects.filter(brand=cast.brand, email="greta@example.com").count() == 1


def test_another_spelling_of_the_same_mailbox_is_the_same_person(cast, lead):
    send(email="greta+trading@example.com")
    lead.refresh_from_db()
    assert lead.user.username == "meridian/greta+trading@example.com"
    assert Client.objects.filter(email__startswith="greta").count() == 1


def test_the_telephone_of_somebody_else_makes_nobody_that_somebody(cast):
    send(phone=cast.client.phone, last_name="Weber")
    cast.client.refresh_from_db()
    assert cast.client.user == cast.client_user
    assert Client.objects.get(email="greta@example.com").pk != cast.client.pk


def test_a_second_registration_answers_alike_tells_the_owner_and_makes_no_second_client(cast):
    clients, users = Client.objects.count(), User.objects.count()
    browser = Browser()
    answer = send(browser, email=cast.client.email)
    assert answer["Location"] == "/b/meridian/registered/"
    assert "_auth_user_id" not in browser.session
    page = browser.get("/b/meridian/registered/").content.decode()
    assert "sent an e-mail to clara@example.com" in page and "already" not in page
    assert (Client.objects.count(), User.objects.count()) == (clients, users)
    mail.deliver_due()
    (letter,) = outbox.outbox
    assert letter.to == ["clara@example.com"] and "/b/meridian/login/" in letter.body
    assert not OutboxEvent.objects.filter(name="client.registered").exists()
    # Once an hour is enough.
    send(email=cast.client.email)
    mail.deliver_due()
    assert len(outbox.outbox) == 1


def test_the_same_address_at_another_brand_is_another_client(cast):
    answer = Browser().post(
        "/b/southern/register/", answers(brand="southern", email=cast.client.email, country="AU", phone="+61412345678")
    )
    assert answer["Location"] == "/b/southern/registered/"
    assert Client.objects.filter(email=cast.client.email).count() == 2
    assert User.objects.filter(username="southern/clara@example.com").exists()


def test_a_closed_client_is_not_opened_again_by_registering(cast, lead):
    lead.stage = "closed"
    lead.save()
    send()
    lead.refresh_from_db()
    assert lead.user is None and lead.stage == "closed"
    mail.deliver_due()
    assert cast.brand.support_email in outbox.outbox[0].body


def test_the_owner_of_the_mailbox_wins_over_a_stranger_who_registered_with_it(cast, lead):
    send(password="the stranger's phrase")
    stranger = Browser()
    browser = Browser()
    browser.post("/b/meridian/password/", {"email": "greta@example.com"})
    link = letter_link(r"/b/meridian/password/\S+")
    browser.post(link, {"password1": "my very own phrase", "password2": "my very own phrase"})
    answer = stranger.post("/b/meridian/login/", {"login": "greta@example.com", "password": "the stranger's phrase"})
    assert answer.status_code == 200
    answer = browser.post("/b/meridian/login/", {"login": "greta@example.com", "password": "my very own phrase"})
    assert answer["Location"] == "/portal/"


# ── an invited lead ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_invitation_fills_in_what_is_known_and_lets_in_at_once_and_once(cast, lead):
    _row, token = invite(client_id=lead.pk, actor=cast.agent)
    browser = Browser()
    answer = browser.get(f"/portal/register/?invitation={token}", follow=True)
    page = answer.content.decode()
    assert answer.redirect_chain[-1][0].startswith("/b/meridian/register/?invitation=")
    assert 'value="Gretel"' in page and "Your invitation was sent to this address" in page
    answer = send(browser, page=answer.redirect_chain[-1][0], invitation=token, email="somebody.else@example.com")
    assert answer["Location"] == "/portal/"
    lead.refresh_from_db()
    assert lead.user.email == "greta@example.com" and lead.stage == "registered"
    assert PortalLogin.objects.get().email_verified_at is not None
    assert not User.objects.filter(email="somebody.else@example.com").exists()
    again = Browser().get(f"/portal/register/?invitation={token}", follow=True)
    assert again.status_code == 410 and "already registered with this link" in again.content.decode()


def test_the_partner_who_brought_the_lead_keeps_it_when_another_browser_registers(cast, lead):
    earlier = timezone.now() - dt.timedelta(days=1)
    for code in ("partner77", "partner88", "partner99"):
        partner = make_partner(cast.brand)
        create_link(partner_id=partner.pk, campaign=code, code=code, actor=partner.user)
    for code, at in (("", earlier - dt.timedelta(days=1)), ("partner77", earlier), ("partner88", timezone.now())):
        Lead.objects.create(client=lead, brand=cast.brand, channel="landing", referral_code=code, captured_at=at)
    _row, token = invite(client_id=lead.pk, actor=cast.agent)
    send(page=f"{REGISTER}?invitation={token}&ref=partner99", invitation=token)
    assert OutboxEvent.objects.get(name="client.registered").payload["referral_code"] == "partner77"


def test_a_code_that_was_typed_counts_before_the_link_somebody_came_by(cast):
    clicked, told, southern = make_partner(cast.brand), make_partner(cast.brand), make_partner(cast.other_brand)
    create_link(partner_id=told.pk, campaign="Podcast", code="anna-fx", actor=told.user)
    came = f"{REGISTER}?ref={clicked.code}&sub=video-12"
    assert send(page=came, referral_code=southern.code).status_code == 422  # a partner of another brand
    assert send(page=came, referral_code="Anna-FX").status_code == 302
    events.drain()
    row = Attribution.objects.get(client__email="greta@example.com")
    assert (row.partner, row.link.code, row.sub_id) == (told, "anna-fx", "")
    change_state(
        partner_id=told.pk, to=PartnerState.BLOCKED, actor=cast.ib_manager, reason="Advertises without our approval"
    )
    assert send(email="hans@example.com", referral_code="anna-fx").status_code == 422


def test_an_invitation_of_another_brand_opens_nothing_here(cast, lead):
    _row, token = invite(client_id=lead.pk, actor=cast.agent)
    assert Browser().get(f"/b/southern/register/?invitation={token}").status_code == 404


# ── who may not ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("country", "US", "Select a valid choice"),
        ("date_of_birth", (today() - dt.timedelta(days=17 * 365)).isoformat(), "at least 18 years old"),
        ("date_of_birth", "1850-01-01", "Enter a valid date of birth"),
        ("date_of_birth", "31.31.1990", "Enter a valid date"),
        ("phone", "12345", "Enter a valid phone number"),
        ("email", "greta@", "Enter your full e-mail address"),
        ("password", "short", "too short"),
        ("password", "greta@example.com", "too similar"),
        ("consent_risk", "", "accept this to open an account"),
        ("referral_code", "unknown-code", "No partner has this code"),
    ],
)
def test_each_wrong_answer_is_named_and_the_others_stay(cast, field, value, words):
    answer = send(**{field: value})
    page = answer.content.decode()
    assert answer.status_code == 422 and words in page
    assert 'value="Hoffmann"' in page and "a quiet long phrase" not in page
    assert not User.objects.filter(username__startswith="meridian/greta").exists()


def test_a_brand_says_whom_it_serves(cast):
    set_policies(cast.brand, minimum_age=21)
    set_country_rule(cast.brand, "DE", refused=[Gate.REGISTRATION])
    assert "Select a valid choice" in send().content.decode()
    born = (today() - dt.timedelta(days=20 * 365)).isoformat()
    assert "at least 21 years old" in send(country="AT", date_of_birth=born).content.decode()


def test_a_robot_is_thanked_and_nothing_is_kept(cast):
    answer = send(website="http://spam.example")
    assert answer["Location"] == "/b/meridian/registered/"
    assert not Client.objects.filter(email="greta@example.com").exists()


def test_two_registrations_at_once_make_one_client(cast, lead):
    """The second finds the user name taken, or the record linked, and is told by e-mail."""
    texts = list(consents.current_texts(cast.brand, "en").values())
    application = registration.Application(
        email="greta@example.com",
        password="a quiet long phrase",
        first_name="Greta",
        last_name="Hoffmann",
        phone="+4915198765432",
        country="DE",
        date_of_birth=dt.date(1990, 5, 17),
        language="en",
        given=texts,
    )
    first = registration.register(brand=cast.brand, application=application)
    second = registration.register(brand=cast.brand, application=application)
    assert first.user is not None and second.user is None
    assert Client.objects.filter(email="greta@example.com").count() == 1


# ── consents ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_was_ticked_is_kept_with_its_version_and_language(cast):
    Browser(headers={"accept-language": "de"}).post(
        REGISTER, answers("de", consent_marketing=hashes("de")["consent_marketing"])
    )
    client = Client.objects.get(email="greta@example.com")
    kept = {row.kind: (row.is_given, row.text.language, row.text.sha256) for row in consents.consents_of(client)}
    assert kept == {kind.value: (True, "de", hashes("de")[f"consent_{kind.value}"]) for kind in ConsentKind}
    assert client.marketing_consent and client.language == "de" and client.user.language == "de"
    consents.change_marketing(client=client, actor=client.user, wanted=False)
    assert Consent.objects.filter(client=client, text__key="portal.marketing").count() == 2
    assert consents.missing_required(client) == []


@pytest.mark.parametrize("who", ["agent", "administrator", "other_client_user"])
def test_nobody_consents_for_a_client(cast, who):
    actor, before = getattr(cast, who), cast.client.marketing_consent
    texts = list(consents.current_texts(cast.brand, "en").values())
    with pytest.raises(NotAllowed):
        consents.record_consents(client=cast.client, actor=actor, given=texts)
    with pytest.raises(NotAllowed):
        consents.change_marketing(client=cast.client, actor=actor, wanted=not before)
    cast.client.refresh_from_db()
    assert cast.client.marketing_consent is before and not Consent.objects.exists()


def test_for_a_client_without_a_login_nobody_consents(cast):
    lead = make_client(brand=cast.brand, book=cast.book, email="lead@example.com", login=False)
    with pytest.raises(NotAllowed):
        consents.change_marketing(client=lead, actor=cast.agent, wanted=True)


def test_a_brands_newer_text_is_shown_and_rows_never_change(cast):
    set_text(cast.brand, "portal.terms", "I agree to the new terms.", "New terms")
    assert "I agree to the new terms." in Browser().get(REGISTER).content.decode()
    assert "New terms" in Browser().get("/b/meridian/legal/terms/").content.decode()
    with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE crm_textversion SET heading = 'x'")


def test_nobody_agrees_to_words_they_did_not_read(cast):
    """The text changes between opening the form and sending it: the new one is shown, and what was typed stays."""
    typed = answers()
    set_text(cast.brand, "portal.terms", "I agree to the new terms.", "New terms")
    answer = Browser().post(REGISTER, typed)
    page = answer.content.decode()
    assert "has changed since you opened the page" in page and "I agree to the new terms." in page
    assert 'value="Greta"' in page and not Client.objects.filter(email="greta@example.com").exists()
    assert "/registered/" in Browser().post(REGISTER, answers())["Location"]


@pytest.mark.parametrize("value", ["on", "true", "", "0" * 64, "<script>"])
def test_a_box_without_the_hash_of_its_text_is_no_consent(cast, value):
    assert Browser().post(REGISTER, answers(consent_terms=value)).status_code == 422
    assert not Consent.objects.exists()


# ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_pages_speak_the_readers_language_where_the_brand_does(cast):
    german = Browser(headers={"accept-language": "de-DE,de"})
    assert '<html lang="de"' in german.get("/b/meridian/login/").content.decode()
    assert '<html lang="en-us"' in german.get("/b/southern/login/").content.decode()


def test_an_unknown_brand_is_not_found_and_the_chooser_lists_the_others(cast):
    assert Browser().get("/b/nobody/login/").status_code == 404
    page = Browser().get("/b/").content.decode()
    assert "/b/meridian/login/" in page and "/b/southern/login/" in page
    set_policies(cast.brand, hosts=["trade.meridian.example"])
    cache.clear()  # looked up once a minute
    answer = Browser().get("/b/", headers={"host": "trade.meridian.example"})
    assert answer["Location"] == "/b/meridian/"


def test_signing_in_is_per_brand(cast):
    browser = Browser()
    assert browser.post("/b/southern/login/", {"login": cast.client.email, "password": PASSWORD}).status_code == 200
    assert (
        browser.post("/b/meridian/login/", {"login": cast.client.email, "password": PASSWORD})["Location"] == "/portal/"
    )
    assert browser.post("/accounts/logout/")["Location"] == "/b/meridian/login/"


def test_staff_do_not_sign_in_at_a_brand(cast):
    User.objects.filter(pk=cast.agent.pk).update(username="meridian/alice@meridian.example")
    answer = Browser().post("/b/meridian/login/", {"login": "alice@meridian.example", "password": PASSWORD})
    assert answer.status_code == 200


def test_a_stranger_at_the_traders_room_is_sent_to_the_brand_of_this_browser(cast):
    browser = Browser()
    assert browser.get("/portal/")["Location"].startswith("/b/?next=")
    browser.get("/b/meridian/login/")
    assert browser.get("/portal/")["Location"].startswith("/b/meridian/login/?next=")


def test_the_public_pages_ask_the_database_little(cast, django_assert_max_num_queries):
    for page, most in [(REGISTER, 5), ("/b/meridian/login/", 4), ("/b/meridian/legal/terms/", 5)]:
        Browser().get(page)
        with django_assert_max_num_queries(most):
            assert Browser().get(page).status_code == 200
