"""News from the manager on the partner's home, and the figures of a month sent once."""

import datetime as dt

import pytest
import time_machine
from django.db import ProgrammingError, transaction
from django.urls import reverse

from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AuditEvent, Notification, NotificationChoice
from ib.choices import IbNotice
from ib.models import MonthlyFigures, PartnerNews
from ib.news.monthly_figures import send_due
from ib.news.notices import notify_due
from ib.news.publishing import EVERYBODY, Audience, news_for, publish_news, withdraw_news
from tests.ib.factories import NOON, make_partner
from tests.ib.test_pages import text_of
from tests.ib.test_settlement import accrue

pytestmark = pytest.mark.django_db
BOTH = {"en": ("New banners", "Four sizes\nfor spring."), "de": ("Neue Banner", "Vier Größen.")}


def publish(cast, *, texts=BOTH, days=(0, 5), audience=EVERYBODY, notifies=False):
    first, last = (NOON.date() + dt.timedelta(days=day) for day in days)
    return publish_news(
        brand_id=cast.brand.pk,
        texts=texts,
        days=(first, last),
        audience=audience,
        notifies=notifies,
        actor=cast.ib_manager,
    )


@time_machine.travel(NOON, tick=False)
def test_partners_read_news_of_their_tree_in_their_language(network, cast, browse, django_assert_num_queries):
    other = make_partner(cast.brand)
    publish(cast)
    publish(cast, texts={"en": ("Bonn meeting", "See you there.")}, audience=Audience(network.master.pk))
    publish(cast, texts={"en": ("Later", "Not yet.")}, days=(1, 5))
    with django_assert_num_queries(1):
        assert [item.title for item in news_for(network.sub)] == ["Bonn meeting", "New banners"]
    assert [item.title for item in news_for(network.top)] == [item.title for item in news_for(other)] == ["New banners"]
    network.sub.user.language = "de"
    network.sub.user.save()
    home = text_of(browse(network.sub.user).get(reverse("partner_home")))
    assert "Neue Banner" in home and "Bonn meeting" in home and "New banners" not in home and "Later" not in home
    with time_machine.travel(NOON + dt.timedelta(days=6)):
        assert news_for(network.sub) == []


@time_machine.travel(NOON, tick=False)
def test_a_manager_publishes_and_withdraws_on_the_pages(network, cast, browse):
    manager, page = browse(cast.ib_manager), reverse("ib_news_new")
    sent = {"brand": cast.brand.pk, "starts_on": "2026-09-10", "ends_on": "2026-09-20", "partner": network.master.code}
    english = {"headline_en": "Meeting", "message_en": "On Friday."}
    for wrong, text in (
        ({**english, "partner": "nobody"}, "no partner with this code"),
        ({**english, "ends_on": "2026-09-01"}, "Enter a last day"),
        ({"headline_en": "Meeting"}, "both a title and a text"),
        ({"headline_de": "Treffen", "message_de": "Am Freitag."}, "own language"),
    ):
        assert text in text_of(manager.post(page, {**sent, **wrong}))
    assert manager.post(page, {**sent, **english}).status_code == 302
    news = PartnerNews.objects.get()
    assert (news.partner, news.texts) == (network.master, {"en": ["Meeting", "On Friday."]})
    assert "Meeting" in text_of(manager.get(reverse("ib_news")))
    assert "On Friday." in text_of(manager.get(reverse("ib_news_item", args=[news.pk])))
    manager.post(reverse("ib_news_withdraw", args=[news.pk]))
    assert news_for(network.sub) == []
    with pytest.raises(WrongState):
        withdraw_news(news_id=news.pk, actor=cast.ib_manager)
    assert set(AuditEvent.objects.filter(action__startswith="ib.news").values_list("action", flat=True)) == {
        "ib.news_published",
        "ib.news_withdrawn",
    }


@time_machine.travel(NOON, tick=False)
def test_what_was_published_stays_and_is_of_one_brand(network, cast):
    news = publish(cast)
    for change in ({"texts": {"en": ["Other", "Words"]}}, {"ends_on": news.ends_on + dt.timedelta(days=1)}):
        with pytest.raises(ProgrammingError, match="stay as they were"), transaction.atomic():
            PartnerNews.objects.filter(pk=news.pk).update(**change)
    with pytest.raises(NotAllowed):
        withdraw_news(news_id=news.pk, actor=cast.agent)
    with pytest.raises(DomainError, match="same brand"):
        publish(cast, audience=Audience(999_999))


@time_machine.travel(NOON, tick=False)
def test_partners_chosen_in_the_list_are_notified_once_as_they_wish(network, cast, browse):
    manager, page, other = browse(cast.ib_manager), reverse("ib_news_new"), make_partner(cast.brand)
    network.sub.user.language = "de"
    network.sub.user.save()
    chosen = [network.sub, network.top, other]
    NotificationChoice.objects.create(user=other.user, kind=IbNotice.NEWS.value, is_in_app=False, email="")
    assert "For the chosen partners" in text_of(manager.post(page, {"ids": [partner.pk for partner in chosen]}))
    listed = ",".join(str(partner.pk) for partner in chosen)
    words = {"headline_en": "Fees", "message_en": "New " * 200, "headline_de": "Gebühren", "message_de": "Neu."}
    days = {"starts_on": "2026-09-11", "ends_on": "2026-09-20"}
    sent = {"brand": cast.brand.pk, "chosen": listed, "notifies": "on", **days, **words}
    assert manager.post(page, sent).status_code == 302
    assert PartnerNews.objects.get().chosen == sorted(partner.pk for partner in chosen)
    assert notify_due() == 0
    with time_machine.travel(NOON + dt.timedelta(days=1)):
        assert notify_due() == 3
        assert [news_for(one) == [] for one in (network.sub, network.master)] == [False, True]
    notices = {row.user: row for row in Notification.objects.filter(kind="ib.news")}
    assert set(notices) == {network.sub.user, network.top.user}
    assert notices[network.sub.user].title == "Gebühren" and notices[network.top.user].body == ("New " * 200).strip()
    assert notices[network.top.user].email_due_at is not None
    assert notify_due() == 0 and Notification.objects.filter(kind="ib.news").count() == 2


@time_machine.travel(NOON, tick=False)
def test_a_month_is_sent_once_to_whoever_wants_it(network, cast):
    accrue(network)
    quiet = make_partner(cast.brand)
    NotificationChoice.objects.create(
        user=network.top.user, kind=IbNotice.MONTHLY_FIGURES.value, is_in_app=False, email=""
    )
    october = dt.datetime(2026, 10, 1, 7, tzinfo=dt.UTC)
    assert send_due(cast.brand, now=october) == 0
    assert send_due(cast.brand, now=october.replace(day=2)) == 3
    assert send_due(cast.brand, now=october.replace(day=3)) == 0
    assert send_due(cast.brand, now=october.replace(day=12)) == 0
    sent = Notification.objects.filter(kind="ib.monthly_figures").order_by("user_id")
    assert [row.user for row in sent] == [network.master.user, network.sub.user]
    assert sent[1].title == "Your figures of September 2026" and "Commission: €6.00" in sent[1].body
    assert "Paid trades: 1. Not paid: 0." in sent[1].body and sent[1].email_due_at is not None
    assert not MonthlyFigures.objects.filter(partner=quiet).exists()
