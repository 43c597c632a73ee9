"""Assigning one or many, with a preview; comments and files; who did how much."""

import io

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.urls import reverse

from crm import work
from crm.errors import DomainError, NotAllowed
from crm.models import AccessEvent, AuditEvent, Notification, WorkEntry, WorkItem
from crm.privacy import erasures
from crm.security import crypto
from crm.work.entries import content_of, entries_of
from crm.work.queries import clock_of, figures
from kyc import reviews
from kyc.models import Document
from tests.brand_policies import set_policies
from tests.crm.work.factories import HOUR, MINUTE, NOW, an_item, second_officer
from tests.kyc.test_pages import refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def olga(cast):
    return second_officer(cast)


@pytest.fixture
def items(cast):
    return [an_item(cast.client), an_item(cast.other_client)]


def test_many_are_assigned_at_once_and_the_colleague_is_notified_once(cast, olga, items):
    work.assign(item_ids=[item.pk for item in items], to_id=olga.pk, actor=cast.mlro)
    assert {item.assigned_to for item in WorkItem.objects.all()} == {olga}
    assert Notification.objects.filter(user=olga, kind="crm.work_assigned").count() == 1
    assert AuditEvent.objects.filter(action="crm.work_assigned").count() == 2
    work.assign(item_ids=[items[0].pk], to_id=None, actor=cast.mlro)
    assert WorkItem.objects.get(pk=items[0].pk).assigned_to is None


def test_own_uploads_are_left_out_and_the_preview_says_so(cast, olga, items):
    Document.objects.filter(work=items[0]).update(uploaded_by=olga)
    ids = [item.pk for item in items]
    problems = {line.item.pk: line.problem for line in work.plan(item_ids=ids, user=cast.mlro, to=olga)}
    assert "a colleague must review it" in problems[items[0].pk] and problems[items[1].pk] == ""
    assert work.assign(item_ids=ids, to_id=olga.pk, actor=cast.mlro) == [items[1]]
    with pytest.raises(DomainError, match="None of these"):
        work.assign(item_ids=ids[:1], to_id=olga.pk, actor=cast.mlro)


@pytest.mark.parametrize("who", ["kyc_officer", "agent", "auditor", "administrator"])
def test_only_heads_assign(cast, olga, items, who):
    with pytest.raises(NotAllowed):
        work.assign(item_ids=[items[0].pk], to_id=olga.pk, actor=getattr(cast, who))
    with pytest.raises(NotAllowed):
        work.set_priority(item_ids=[items[0].pk], priority=4, actor=getattr(cast, who))
    assert not WorkEntry.objects.exists()


def test_work_is_assigned_to_somebody_who_may_do_it(cast, items):
    with pytest.raises(DomainError, match="None of these"):
        work.assign(item_ids=[items[0].pk], to_id=cast.agent.pk, actor=cast.mlro)


def test_a_selection_is_previewed_then_assigned_from_the_queue(cast, browse, olga, items):
    browser = browse(cast.mlro)
    page = browser.post(reverse("kyc:assign"), {"ids": [item.document.pk for item in items]}).content.decode()
    assert "Assign 2 items" in page
    data = {"items": [item.pk for item in items], "to": olga.pk, "priority": 3}
    assert "Will be assigned" in browser.post(reverse("work_assign"), {**data, "step": "preview"}).content.decode()
    assert not WorkItem.objects.filter(assigned_to=olga).exists()
    answer = browser.post(reverse("work_assign"), {**data, "step": "confirm"})
    assert answer["Location"] == reverse("kyc:queue")
    assert set(WorkItem.objects.values_list("assigned_to", "priority")) == {(olga.pk, 3)}
    shown = browse(olga).get(reverse("kyc:queue") + "?assigned=me").content.decode()
    assert 'tone-danger">High' in shown and "Olga" in shown


@pytest.mark.parametrize("item", ["9" * 5000, "9" * 30, "-1", "x", ""])
def test_what_is_no_item_is_answered_in_words(cast, browse, item):
    answer = browse(cast.mlro).post(reverse("work_assign"), {"items": [item], "step": "confirm"}, follow=True)
    assert answer.status_code == 200 and "None of these items is open any more" in answer.content.decode()


def test_a_comment_and_a_file_are_sealed_and_gone_with_the_client(cast, olga, items):
    work.comment(
        item_id=items[0].pk, actor=olga, text="Called the bank", file=io.BytesIO(b"%PDF-letter"), name="C:\\letter.pdf"
    )
    comment, file = entries_of(items[0])
    assert (comment.text, file.text) == ("Called the bank", "letter.pdf")
    assert b"".join(content_of(file.entry)) == b"%PDF-letter"
    with connection.cursor() as cursor:
        cursor.execute("SELECT text_sealed FROM crm_workentry")
        assert not any(b"bank" in bytes(row[0]) or b"letter" in bytes(row[0]) for row in cursor.fetchall())
    erasures.destroy_client_key(cast.client.pk)
    assert [shown.text for shown in entries_of(items[0])] == ["", ""]
    with pytest.raises(crypto.KeyDestroyed):
        next(content_of(file.entry))


@pytest.mark.parametrize(("text", "file"), [(" ", None), ("", b""), ("x" * 4001, None)])
def test_an_empty_or_endless_comment_is_refused(cast, olga, items, text, file):
    with pytest.raises(DomainError):
        work.comment(item_id=items[0].pk, actor=olga, text=text, file=io.BytesIO(file) if file is not None else None)
    assert not WorkEntry.objects.exists()


def test_an_attached_file_is_for_those_who_do_the_work(cast, browse, olga, items):
    browser = browse(olga)
    upload = SimpleUploadedFile("bank.txt", b"letter of the bank")
    browser.post(reverse("work_comment", args=[items[0].pk]), {"text": "", "file": upload})
    entry = WorkEntry.objects.get()
    answer = browser.get(reverse("work_file", args=[entry.pk]))
    assert b"".join(answer.streaming_content) == b"letter of the bank"
    assert answer["Content-Type"] == "application/octet-stream" and "bank.txt" in answer["Content-Disposition"]
    assert AccessEvent.objects.filter(kind="download", target=f"crm.work_file:{entry.pk}", user=olga).count() == 1
    for who in (cast.agent, cast.desk_head, cast.client_user):
        assert refused(browse(who).get(reverse("work_file", args=[entry.pk])))


def test_a_refused_comment_comes_back_with_what_was_typed(cast, browse, olga, items):
    answer = browse(olga).post(reverse("work_comment", args=[items[0].pk]), {"text": "y" * 4001})
    assert answer.status_code == 422 and "y" * 4001 in answer.content.decode()


@time_machine.travel(NOW, tick=False)
def test_the_clock_counts_working_hours_and_says_late_in_words(cast, items):
    assert clock_of(items[0], cast.brand, NOW + HOUR).text.endswith("left")
    late = clock_of(items[0], cast.brand, NOW + 60 * HOUR)
    assert late.is_late and late.text.startswith("Late by")


@time_machine.travel(NOW, tick=False)
def test_a_brand_sets_its_working_hours_and_holidays(cast):
    set_policies(cast.brand, working_hours=["mon-fri 08:00-12:00"], holidays=["2026-11-25"], kyc_review_hours=4)
    item = an_item(cast.client, uploaded_at=NOW)  # 10:00 in Berlin: two hours today, two on Thursday
    assert item.due_at.isoformat() == "2026-11-26T09:00:00+00:00"


@pytest.mark.parametrize(
    "line", ["mon 18:00-09:00", "mon-fri", "xyz 09:00-10:00", "mon 09:60-10:00", "mon 09:00-25:00"]
)
def test_working_hours_that_make_no_sense_are_refused(cast, line):
    with pytest.raises(DomainError, match="One interval a line"):
        set_policies(cast.brand, working_hours=[line])


@time_machine.travel(NOW, tick=False)
def test_the_figures_of_officers_are_exact(cast, browse, olga, items):
    for item, minutes in zip(items, (2, 4), strict=True):
        with time_machine.travel(NOW, tick=False):
            work.claim(item_id=item.pk, actor=cast.kyc_officer)
        with time_machine.travel(NOW + minutes * MINUTE, tick=False):
            work.take_over(item_id=item.pk, actor=olga, reason="Urgent")
        with time_machine.travel(NOW + 2 * minutes * MINUTE, tick=False):
            reviews.approve(document_id=item.document.pk, actor=olga)
    WorkItem.objects.filter(pk=items[0].pk).update(opened_at=NOW - 2 * HOUR, due_at=NOW - HOUR)
    (row,) = figures(cast.mlro)
    assert (row.person, row.today, row.week, row.median_seconds) == (olga, 2, 2, 180)
    assert (row.late, row.late_percent, row.take_overs) == (1, 50, 2)
    assert figures(cast.mlro, code="compliance.hit") == []
    page = browse(cast.mlro).get(reverse("work_statistics")).content.decode()
    assert "3\u00a0min" in page and "50 %" in page
    assert refused(browse(cast.kyc_officer).get(reverse("work_statistics")))


def test_the_figures_take_a_bounded_number_of_queries(cast, olga, items, django_assert_max_num_queries):
    for item in items:
        work.claim(item_id=item.pk, actor=olga)
        reviews.approve(document_id=item.document.pk, actor=olga)
    # One's rights, one's reach and the people; and three of each kind, also of those that one only sees: one kind at a time is
    # a semi-join.
    with django_assert_max_num_queries(3 + 3 * len(work.all_kinds())):
        figures(cast.mlro)
