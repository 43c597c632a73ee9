"""Answers that stop counting: the client is notified and e-mailed some days before; on the day a level may be lost."""

from __future__ import annotations

import calendar
import datetime as dt

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clients.mail import send_mail_to
from clients.models import Client
from crm.db.locking import lock
from crm.due import DueKind, declare
from crm.i18n.localized_text import phrase
from crm.models import DueRow
from crm.notices.notify import notify
from kyc.brand_policies import QUESTIONNAIRE_NOTICE_DAYS
from kyc.choices import KycNotice
from kyc.questionnaires.content import say
from kyc.questionnaires.models import Questionnaire, Submission
from kyc.questionnaires.obligations import published_of
from kyc.questionnaires.proofs import note_answers


def months_later(at: dt.datetime, months: int) -> dt.datetime:
    """Add months; the last day of a shorter month stands in for a day that it doesn't have."""
    years, month = divmod(at.month - 1 + months, 12)
    year, month = at.year + years, month + 1
    return at.replace(year=year, month=month, day=min(at.day, calendar.monthrange(year, month)[1]))


def notice_at(submission: Submission) -> dt.datetime:
    """Compute when the client is notified that the answers stop counting; at the earliest now."""
    assert submission.valid_until is not None
    days = QUESTIONNAIRE_NOTICE_DAYS.of(submission.client.brand)
    return max(submission.valid_until - dt.timedelta(days=days), timezone.now())


def _remind(row: DueRow) -> None:
    """Notify and e-mail the client about their newest answers, unless the questionnaire was retired or answered since."""
    client_id, _colon, questionnaire_id = row.key.partition(":")
    submission = (
        Submission.objects.filter(client=int(client_id), questionnaire=int(questionnaire_id))
        .select_related("client__brand")
        .defer("answers_sealed")
        .first()
    )
    if submission is None or submission.valid_until is None or notice_at(submission) > timezone.now():
        return
    client = submission.client
    entry = next((one for one in published_of(client.brand) if one.questionnaire_id == int(questionnaire_id)), None)
    if entry is None:
        return
    title = say(entry.content.title, client.language)
    send_mail_to(
        client_id=client.pk,
        template="kyc.answers_expire",
        context={"questionnaire": title, "day": submission.valid_until.date()},
        dedupe_key=f"kyc.answers_expire:{submission.pk}",
    )
    if client.user_id is not None:
        notify(
            [client.user_id],
            kind=KycNotice.ANSWERS_REQUESTED,
            title=phrase("Please complete: %(title)s") % {"title": title},
            url=f"/portal/questionnaires/{entry.questionnaire_id}/",
            dedupe_key=f"kyc.answers_expire:{submission.pk}",
        )


RENEWAL = declare(
    DueKind("kyc.answers_expire", _("Notice before answers expire"), _remind, permission="kyc.view_document")
)


def _expire(row: DueRow) -> None:
    """Have answers that stop counting prove nothing any more: a level that asks for them is lost."""
    client_id, _colon, questionnaire_id = row.key.partition(":")
    client = lock(Client, int(client_id), "brand", no_key=True)
    note_answers(client, Questionnaire.objects.values_list("kind", flat=True).get(pk=int(questionnaire_id)))


EXPIRED = declare(DueKind("kyc.answers_expired", _("Answers expire"), _expire, permission="kyc.view_document"))
