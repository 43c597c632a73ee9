"""The library of educational e-mails: complete, sober, sent by staff, and marketing only to whoever agreed to it."""

import re

import pytest
from django.core import mail as outbox

from clients.forms import MailForm
from clients.mail import deliver_due, send_mail_to, write_to_client
from clients.models import Client, Message
from crm.errors import DomainError
from crm.texts.catalogue import TEXTS, TextKind, names_in
from tests.brand_policies import set_policies
from tests.outbox import send_now
from tests.texts import set_text

LIBRARY = [text for text in TEXTS.values() if text.series]
MARKETING = "clients.learn_funding_1"
SERVICE = "clients.learn_kyc_1"
# What a regulator reads as a promise or as pressure.
PROMISES = re.compile(
    r"guaranteed (?:profit|return|income)|risk[- ]free|easy money|get rich|last chance|bonus|hurry|act now|don't miss"
    r"|garantierte[rn]? (?:Gewinn|Rendite)|risikolos|schnelles Geld|reich werden|letzte Chance|jetzt sofort|nicht verpassen",
    re.IGNORECASE,
)


def test_the_library_has_its_series():
    series = {str(text.series) for text in LIBRARY}
    assert len(LIBRARY) == 17 and len(series) == 5
    assert sum(str(text.series) == "Welcome series" for text in LIBRARY) == 5
    assert {"mt4", "mt5", "ctrader", "matchtrader"} <= {text.key.rpartition("_")[2] for text in LIBRARY}


@pytest.mark.parametrize("text", LIBRARY, ids=lambda text: text.key)
def test_each_is_whole_and_promises_nothing(text):
    assert set(text.texts) == {"en", "de"} and text.own == ()
    for language, said in text.texts.items():
        assert not PROMISES.search(f"{said.heading} {said.body}"), language
        assert 60 < len(said.body.split()) < 260 and len(said.heading) <= 70
        assert {"first_name", "brand"} <= names_in(said)
        assert ("risk_warning" in names_in(said)) is text.is_marketing
        assert ("unsubscribe" in said.body or "abbestellen" in said.body) is text.is_marketing
    assert names_in(text.texts["en"]) == names_in(text.texts["de"])


def agrees(client: Client, wanted: bool) -> None:
    Client.objects.filter(pk=client.pk).update(marketing_consent=wanted)
    client.refresh_from_db()


@pytest.mark.django_db
def test_marketing_goes_only_to_whoever_agreed(cast):
    agrees(cast.client, False)
    for send in (
        lambda: write_to_client(client_id=cast.client.pk, actor=cast.agent, template=MARKETING),
        lambda: send_mail_to(client_id=cast.client.pk, template=MARKETING),
    ):
        with pytest.raises(DomainError, match="hasn't agreed to news and offers"):
            send()
    assert not Message.objects.exists()
    assert write_to_client(client_id=cast.client.pk, actor=cast.agent, template=SERVICE).pk
    agrees(cast.client, True)
    assert write_to_client(client_id=cast.client.pk, actor=cast.agent, template=MARKETING).sender == cast.agent


@pytest.mark.django_db
def test_the_risk_warning_with_its_percentage_is_in_both_parts_once(cast):
    cast.brand.loss_percentage = 71
    cast.brand.save()
    agrees(cast.client, True)
    outbox.outbox.clear()
    write_to_client(client_id=cast.client.pk, actor=cast.agent, template=MARKETING)
    set_policies(cast.brand, marketing_hour_from=0, marketing_hour_until=24)
    send_now()
    sent = outbox.outbox[0]
    assert sent.body.count("71 % der Kleinanlegerkonten") == 1
    assert sent.alternatives[0][0].count("71 % der Kleinanlegerkonten") == 1


@pytest.mark.django_db
def test_a_service_email_carries_the_warning_below_its_text(cast):
    outbox.outbox.clear()
    message = send_mail_to(client_id=cast.client.pk, template=SERVICE)
    deliver_due()
    assert "Kleinanlegerkonten" not in message.body and "Kleinanlegerkonten" in outbox.outbox[0].alternatives[0][0]


@pytest.mark.django_db
@pytest.mark.parametrize("wanted", [True, False])
def test_the_dialog_lists_what_may_be_sent_by_series(cast, browse, wanted):
    agrees(cast.client, wanted)
    form = MailForm(client=cast.client)
    listed = dict(form.fields["template"].choices)
    assert "Help with documents" in listed and ("Platform tips" in listed) is wanted
    page = browse(cast.agent).get(f"/clients/{cast.client.pk}/mail/").content.decode()
    assert 'optgroup label="Welcome series"' in page and (MARKETING in page) is wanted
    assert ("Marketing templates aren" in page) is not wanted


@pytest.mark.django_db
def test_staff_send_one_from_the_clients_page(cast, browse):
    agrees(cast.client, True)
    answer = browse(cast.agent).post(f"/clients/{cast.client.pk}/mail/", {"template": MARKETING})
    assert answer.status_code == 302
    assert Message.objects.get().subject == "So zahlen Sie ein"
    agrees(cast.client, False)
    answer = browse(cast.agent).post(f"/clients/{cast.client.pk}/mail/", {"template": MARKETING})
    assert answer.status_code == 422 and Message.objects.count() == 1
    assert "agreed to news and offers" in answer.content.decode()


@pytest.mark.django_db
def test_a_brand_rewrites_one_for_itself(cast):
    set_text(cast.brand, SERVICE, "Unsere Tipps", "Hallo {{ first_name }}", "de")
    message = send_mail_to(client_id=cast.client.pk, template=SERVICE)
    assert (message.subject, message.body) == ("Unsere Tipps", "Hallo Clara")


def test_every_other_text_is_no_marketing_but_proposals_news_by_sms_and_e_mails_to_many():
    marketing = [text.key for text in TEXTS.values() if text.is_marketing and not text.series]
    assert sorted(marketing) == ["clients.sms_news", "clients.to_many", "trading.account_type_proposed"]
    assert all(text.kind is TextKind.LETTER for text in LIBRARY)
