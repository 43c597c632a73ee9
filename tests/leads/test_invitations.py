import datetime as dt
import threading

import pytest
from django.core import mail as outbox
from django.db import connections
from django.utils import timezone

from clients.choices import Stage
from clients.mail import deliver_due
from clients.models import Client
from clients.stages import move_stage
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import Notification
from leads.invitations import LinkUnusable, ask_for_new, invite, link, look_at, note_opened, redeem
from leads.models import RegistrationInvitation

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(german_rule, capture):
    return capture().lead


def age(invitation, **delta):
    ago = timezone.now() - dt.timedelta(**delta)
    RegistrationInvitation.objects.filter(pk=invitation.pk).update(created_at=ago)


def test_a_link_is_mailed_and_the_lead_moves_on(cast, lead):
    invitation, token = invite(client_id=lead.client_id, actor=cast.agent)
    deliver_due()
    sent = outbox.outbox[0]
    assert sent.to == ["erika@web.de"] and sent.subject == "Ihre Registrierung bei Meridian Markets"
    assert link(token) in sent.body
    assert Client.objects.get(pk=lead.client_id).sales_status == "registration_sent"
    assert look_at(token).pk == invitation.pk
    assert token not in str(RegistrationInvitation.objects.values().get())


def test_a_link_registers_once(cast, lead):
    _invitation, token = invite(client_id=lead.client_id, actor=cast.agent)
    redeem(token, user_id=cast.client_user.pk)
    redeem(token, user_id=cast.client_user.pk)  # the same registration, tried again
    with pytest.raises(LinkUnusable) as refused:
        redeem(token, user_id=cast.other_client_user.pk)
    assert refused.value.why == "used"
    with pytest.raises(LinkUnusable, match="Sign in instead"):
        look_at(token)


def test_a_newer_link_replaces_the_older(cast, lead):
    first, old = invite(client_id=lead.client_id, actor=cast.agent)
    age(first, minutes=5)
    _second, new = invite(client_id=lead.client_id, actor=cast.agent)
    with pytest.raises(LinkUnusable) as refused:
        look_at(old)
    assert refused.value.why == "replaced"
    assert look_at(new)


def test_two_links_within_a_minute_are_refused(cast, lead):
    invite(client_id=lead.client_id, actor=cast.agent)
    with pytest.raises(DomainError, match="just been sent"):
        invite(client_id=lead.client_id, actor=cast.agent)


def test_an_expired_link_says_so_and_can_be_renewed(cast, lead):
    invitation, token = invite(client_id=lead.client_id, actor=cast.agent)
    age(invitation, days=8)
    RegistrationInvitation.objects.filter(pk=invitation.pk).update(expires_at=timezone.now() - dt.timedelta(days=1))
    with pytest.raises(LinkUnusable) as refused:
        redeem(token, user_id=cast.client_user.pk)
    assert refused.value.why == "expired"
    assert ask_for_new(token)
    assert RegistrationInvitation.objects.filter(revoked_at=None, used_at=None).count() == 1
    assert not ask_for_new(token)


@pytest.mark.parametrize("token", ["", "nonsense", "abc:def", "a" * 400])
def test_a_forged_link_is_refused_without_asking_the_database(token, django_assert_num_queries):
    with django_assert_num_queries(0), pytest.raises(LinkUnusable) as refused:
        look_at(token)
    assert refused.value.why == "forged"
    assert not ask_for_new(token)


def test_who_registered_another_way_cannot_use_the_link(cast, lead):
    _invitation, token = invite(client_id=lead.client_id, actor=cast.agent)
    move_stage(client_id=lead.client_id, to=Stage.REGISTERED)
    with pytest.raises(LinkUnusable):
        look_at(token)
    with pytest.raises(WrongState, match="already registered"):
        invite(client_id=lead.client_id, actor=cast.agent)


def test_a_lead_without_an_address_cannot_be_invited(cast, german_rule, capture):
    taken = capture(email="")
    with pytest.raises(DomainError, match="no e-mail"):
        invite(client_id=taken.client.pk, actor=cast.agent)


@pytest.mark.parametrize("who", ["other_agent", "auditor", "support", "marketing", "kyc_officer"])
def test_the_wrong_role_sends_no_link(cast, lead, who):
    with pytest.raises(NotAllowed):
        invite(client_id=lead.client_id, actor=getattr(cast, who))
    assert not RegistrationInvitation.objects.exists()


def test_the_owner_hears_once_that_the_link_was_opened(cast, lead):
    invitation, _token = invite(client_id=lead.client_id, actor=cast.agent)
    note_opened(invitation)
    note_opened(invitation)
    assert Notification.objects.filter(user=cast.agent, kind="leads.link_opened").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_registrations_at_once_use_a_link_once(cast, german_rule, capture):
    lead = capture().lead
    _invitation, token = invite(client_id=lead.client_id, actor=cast.agent)
    gate, outcomes = threading.Barrier(2), []

    def go(user):
        gate.wait()
        try:
            redeem(token, user_id=user.pk)
            outcomes.append("ok")
        except LinkUnusable as error:
            outcomes.append(error.why)
        connections.close_all()

    threads = [threading.Thread(target=go, args=(user,)) for user in (cast.client_user, cast.other_client_user)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(outcomes) == ["ok", "used"]
