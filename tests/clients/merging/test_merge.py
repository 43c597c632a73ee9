"""Two records of one person become one, and two again."""

import pytest

from clients.merging.merge import merge_clients, undo_merge
from clients.models import Call, Client, ClientMerge, CustomField, CustomValue, Note, Task, TimelineEntry
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, DueRow, SubjectKey
from crm.privacy.erasures import destroy_client_key
from crm.security import audit
from crm.security.crypto import KeyDestroyed, encrypt_for_client
from leads.capture import Capture, capture_lead
from leads.choices import Channel
from leads.models import Lead
from tests.cast import make_client
from tests.outbox import data_of

pytestmark = pytest.mark.django_db


def merge(cast, kept, merged, **more) -> ClientMerge:
    return merge_clients(**{"kept_id": kept.pk, "merged_id": merged.pk, "actor": cast.desk_head, **more})


def now_of(client) -> Client:
    return Client.objects.get(pk=client.pk)


def test_what_hangs_on_the_merged_record_follows(cast, first, second):
    row = merge(cast, first, second, taken={"last_name", "country"}, reason="Same voice")
    kept, merged = now_of(first), now_of(second)
    assert (kept.last_name, kept.country, kept.phone) == ("Weber", "AT", "+4915111111111")
    assert (merged.stage, merged.merged_into_id) == ("closed", first.pk)
    for model in (Call, Note, Task):
        assert list(model.objects.values_list("client_id", flat=True)) == [first.pk]
    assert DueRow.objects.get(kind="clients.follow_up").client_id == first.pk
    assert kept.last_contact_at == Call.objects.get().started_at
    assert merged.last_contact_at is None
    assert not TimelineEntry.objects.filter(client=second).exists()
    assert TimelineEntry.objects.filter(client=first)[0].title == f"Record #{second.pk} merged into this one"
    assert data_of("client.merged") == [{"merge_id": row.pk, "merged_id": second.pk}]
    body = audit.body_of(AuditEvent.objects.get(action="clients.merged", client_id=first.pk))
    assert body["before"] == {"last_name": "", "country": "DE"}
    assert body["after"] == {"last_name": "Weber", "country": "AT", "merged_id": second.pk}


def test_e_mail_addresses_are_exchanged(cast, first, second):
    merge(cast, first, second, taken={"email"})
    assert (now_of(first).email, now_of(second).email) == ("a.weber@example.org", "anna@example.com")
    undo_merge(merge_id=ClientMerge.objects.get().pk, actor=cast.desk_head, reason="Two sisters")
    assert (now_of(first).email, now_of(second).email) == ("anna@example.com", "a.weber@example.org")


def test_undoing_gives_both_back_what_they_had(cast, first, second):
    row = merge(cast, first, second, taken={"last_name", "country", "email"})
    note = Note.objects.create(client=first, author=cast.agent, body="After the merge")
    undo_merge(merge_id=row.pk, actor=cast.desk_head, reason="Two sisters")
    kept, merged = now_of(first), now_of(second)
    assert (kept.last_name, kept.country) == ("", "DE")
    assert (merged.stage, merged.merged_into_id, merged.last_name) == ("lead", None, "Weber")
    for model in (Call, Task):
        assert list(model.objects.values_list("client_id", flat=True)) == [second.pk]
    assert Note.objects.exclude(pk=note.pk).get().client_id == second.pk
    assert Note.objects.get(pk=note.pk).client_id == first.pk, "what came since stays"
    assert data_of("client.merge_undone") == [{"merge_id": row.pk, "merged_id": second.pk}]
    with pytest.raises(WrongState):
        undo_merge(merge_id=row.pk, actor=cast.desk_head, reason="Again")


def test_a_field_that_was_changed_since_stays(cast, first, second):
    row = merge(cast, first, second, taken={"last_name", "country"})
    Client.objects.filter(pk=first.pk).update(last_name="Weber-Klein")
    undo_merge(merge_id=row.pk, actor=cast.desk_head, reason="Two sisters")
    assert (now_of(first).last_name, now_of(first).country) == ("Weber-Klein", "DE")


def test_every_capture_keeps_its_attribution(cast, first, second):
    for client, source in ((first, "google"), (second, "meta")):
        capture = Capture(channel=Channel.API, email=client.email, source=source, utm={"utm_source": source})
        capture_lead(brand=cast.brand, capture=capture)
    merge(cast, first, second)
    leads = Lead.objects.filter(client=first).order_by("pk")
    assert [(lead.source, lead.utm) for lead in leads] == [
        ("google", {"utm_source": "google"}),
        ("meta", {"utm_source": "meta"}),
    ]


def test_a_capture_of_a_merged_record_goes_to_the_kept_one(cast, first, second):
    merge(cast, first, second)
    capture = Capture(channel=Channel.API, email=second.email)
    assert capture_lead(brand=cast.brand, capture=capture).client == first


def test_custom_fields_fill_gaps_and_are_chosen(cast, first, second):
    fields = [
        CustomField.objects.create(
            brand=cast.brand, key=key, position=1, type="text", labels={"en": key}, created_at=first.created_at
        )
        for key in ("shoe", "hat")
    ]
    values = {(first, 0): "43", (second, 0): "44", (second, 1): "M"}
    for (client, place), text in values.items():
        CustomValue.objects.create(client=client, field=fields[place], type="text", text=text)

    def texts(client):
        return list(CustomValue.objects.filter(client=client).order_by("field_id").values_list("text", flat=True))

    row = merge(cast, first, second, taken={f"custom_{fields[0].pk}"})
    assert (texts(first), texts(second)) == (["44", "M"], ["43"])
    undo_merge(merge_id=row.pk, actor=cast.desk_head, reason="Two sisters")
    assert (texts(first), texts(second)) == (["43"], ["44", "M"])


def test_money_stays_with_its_record(cast):
    """Two registered records: each keeps its login and its wallet, and stays open."""
    twin = make_client(brand=cast.brand, book=cast.book, email="clara@example.org", first_name="Clara")
    merge(cast, cast.client, twin)
    assert now_of(twin).stage == "registered"
    assert now_of(twin).user_id == twin.user_id
    assert now_of(twin).merged_into_id == cast.client.pk


def test_a_chain_is_undone_from_its_end(cast, first, second):
    third = make_client(brand=cast.brand, book=cast.book, email="third@example.com", login=False)
    into_first = merge(cast, first, second)
    into_third = merge(cast, third, first)
    assert Call.objects.get().client_id == third.pk
    with pytest.raises(WrongState, match=f"#{third.pk} first"):
        undo_merge(merge_id=into_first.pk, actor=cast.desk_head, reason="Wrong")
    undo_merge(merge_id=into_third.pk, actor=cast.desk_head, reason="Wrong")
    undo_merge(merge_id=into_first.pk, actor=cast.desk_head, reason="Wrong")
    assert Call.objects.get().client_id == second.pk


def test_the_newer_merge_is_undone_first(cast, first, second):
    third = make_client(brand=cast.brand, book=cast.book, email="third@example.com", login=False)
    older = merge(cast, first, second)
    merge(cast, first, third)
    with pytest.raises(WrongState, match=f"#{third.pk} first"):
        undo_merge(merge_id=older.pk, actor=cast.desk_head, reason="Wrong")


def test_who_may_not_changes_nothing(cast, first, second):
    for actor in (cast.agent, cast.other_agent, cast.client_user):
        with pytest.raises(NotAllowed):
            merge(cast, first, second, actor=actor)
    elsewhere = make_client(brand=cast.brand, book=cast.other_book, email="far@example.com", login=False)
    with pytest.raises(NotAllowed):
        merge(cast, first, elsewhere)
    assert not ClientMerge.objects.exists()


def test_what_cannot_be_merged_says_why(cast, first, second):
    other_brand = make_client(brand=cast.other_brand, book=cast.book, email="x@example.com", login=False)
    with pytest.raises(WrongState, match="different brands"):
        merge(cast, first, other_brand, actor=None)
    with pytest.raises(WrongState, match="Keep the registered record"):
        merge(cast, first, cast.client)
    with pytest.raises(DomainError, match="same one"):
        merge(cast, first, first)
    Client.objects.filter(pk=second.pk).update(sales_status="do_not_call")
    with pytest.raises(WrongState, match="not to be called"):
        merge(cast, first, second)
    Client.objects.filter(pk=second.pk).update(sales_status="new", restrictions=["no_trading"])
    with pytest.raises(WrongState, match="restrictions"):
        merge(cast, first, second)


def test_a_record_that_changed_since_it_was_shown_is_not_merged(cast, first, second):
    with pytest.raises(WrongState, match="has changed"):
        merge(cast, first, second, seen="0" * 32)


def test_a_closed_merged_record_takes_no_more_work(cast, first, second):
    from clients.notes import add_note

    merge(cast, first, second)
    with pytest.raises(NotAllowed, match=f"merged into #{first.pk}"):
        add_note(client_id=second.pk, actor=cast.agent, body="Too late")


def test_erasing_the_kept_record_erases_the_merged_one(cast, first, second):
    merge(cast, first, second)
    encrypt_for_client(second.pk, b"anything")
    destroy_client_key(first.pk)
    with pytest.raises(KeyDestroyed):
        encrypt_for_client(second.pk, b"anything")
    assert SubjectKey.objects.filter(client_id__in=[first.pk, second.pk], destroyed_at=None).count() == 0
