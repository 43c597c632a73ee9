import pytest

from clients.contacts import reveal
from clients.models import Client, TimelineEntry
from clients.profile import change_profile
from crm.errors import DomainError, NotAllowed
from crm.models import AccessEvent, AuditEvent
from tests.brand_policies import set_policies

pytestmark = pytest.mark.django_db


def test_a_reveal_shows_the_contact_and_leaves_a_row(cast):
    shown = reveal(client=cast.client, actor=cast.agent)
    assert (shown.phone, shown.email, shown.seconds) == ("+4915112345678", "clara@example.com", 60)
    row = AccessEvent.objects.get()
    assert (row.kind, row.user, row.client_id, row.in_book) == ("reveal", cast.agent, cast.client.pk, True)


@pytest.mark.parametrize("who", ["other_agent", "finance", "auditor", "marketing", "kyc_officer"])
def test_the_wrong_role_reveals_nothing_and_leaves_no_row(cast, who):
    with pytest.raises(NotAllowed):
        reveal(client=cast.client, actor=getattr(cast, who))
    assert not AccessEvent.objects.exists()


def test_a_brand_may_ask_for_a_reason(cast):
    set_policies(cast.client.brand, reveal_needs_reason="always")
    with pytest.raises(DomainError, match="Enter a reason"):
        reveal(client=cast.client, actor=cast.agent, reason=" x ")
    reveal(client=cast.client, actor=cast.agent, reason="Call back as agreed")
    assert AccessEvent.objects.get().reason == "Call back as agreed"


def test_a_brand_may_ask_for_a_reason_outside_the_own_book_only(cast):
    set_policies(cast.client.brand, reveal_needs_reason="outside_book")
    reveal(client=cast.client, actor=cast.agent)
    with pytest.raises(DomainError):
        reveal(client=cast.client, actor=cast.desk_head)


def test_a_corrected_profile_is_audited_with_before_and_after(cast):
    change_profile(client_id=cast.client.pk, actor=cast.agent, changes={"city": "Köln", "first_name": "Clara"})
    assert Client.objects.get(pk=cast.client.pk).city == "Köln"
    assert AuditEvent.objects.filter(action="clients.profile_changed").count() == 1
    assert TimelineEntry.objects.get().title == "Personal details changed: city"
    change_profile(client_id=cast.client.pk, actor=cast.agent, changes={"city": "Köln"})
    assert AuditEvent.objects.filter(action="clients.profile_changed").count() == 1


def test_a_phone_is_kept_in_one_spelling_and_a_wrong_one_refused(cast):
    change_profile(client_id=cast.client.pk, actor=cast.agent, changes={"phone": "0151 / 987 654 32"})
    assert Client.objects.get(pk=cast.client.pk).phone == "+4915198765432"
    with pytest.raises(DomainError, match="country code"):
        change_profile(client_id=cast.client.pk, actor=cast.agent, changes={"phone": "12"})


def test_two_clients_of_a_brand_never_share_an_address(cast):
    with pytest.raises(DomainError, match="Another client"):
        change_profile(client_id=cast.client.pk, actor=cast.agent, changes={"email": "OSCAR@example.com"})


@pytest.mark.parametrize("who", ["other_agent", "finance", "auditor", "support"])
def test_the_wrong_role_changes_nothing(cast, who):
    with pytest.raises(NotAllowed):
        change_profile(client_id=cast.client.pk, actor=getattr(cast, who), changes={"city": "Bonn"})
    assert Client.objects.get(pk=cast.client.pk).city == ""


def test_fields_of_the_facts_can_not_be_set(cast):
    change_profile(client_id=cast.client.pk, actor=cast.agent, changes={"score": 99, "stage": "active", "book_id": 1})
    client = Client.objects.get(pk=cast.client.pk)
    assert (client.score, client.stage, client.book_id) == (0, "registered", cast.book.pk)
