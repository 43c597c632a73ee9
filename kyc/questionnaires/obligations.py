"""What a client owes and what their answers allow: read by the portal, the client's page, and the gates of trading and wallet.

A brand without published questionnaires costs no query.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from django.db.models import Max
from django.utils import timezone

from clients.models import Client
from clients.vocabulary import CLIENT
from crm import conditions
from crm.models import Brand
from kyc.questionnaires.choices import AskedAt, ReviewState
from kyc.questionnaires.content import Content, Outcome, read
from kyc.questionnaires.models import AnswersRequest, Questionnaire, QuestionnaireVersion, Submission


@dataclass(frozen=True, slots=True)
class Published:
    """A questionnaire that a brand asks for today. `counts_from`: answers to versions before this one no longer count."""

    questionnaire_id: int
    version_id: int
    number: int
    counts_from: int
    kind: str
    name: str
    content: Content


class State(StrEnum):
    """How a questionnaire stands with a client."""

    NOT_ASKED = "not_asked"
    DUE = "due"
    WARNING = "warning"  # answered; the warning waits for the client's yes
    IN_REVIEW = "in_review"
    DECLINED = "declined"
    DONE = "done"


@dataclass(frozen=True)
class Standing:
    """One questionnaire of one client. `submission`: the newest, whether it still counts or not."""

    published: Published
    state: State
    submission: Submission | None = None
    request: AnswersRequest | None = None
    is_renewal: bool = False

    @property
    def content(self) -> Content:
        return self.published.content

    @property
    def needs_client(self) -> bool:
        return self.state in (State.DUE, State.WARNING)

    @property
    def is_requested(self) -> bool:
        return self.state == State.DUE and self.request is not None

    @property
    def is_open(self) -> bool:
        """The client is waiting for, or owes, something."""
        return self.state not in (State.DONE, State.NOT_ASKED)

    def retake_at(self) -> dt.datetime | None:
        """From when on the client may answer again of their own accord; None for never."""
        days = self.content.settings.retake_days
        return self.submission.given_at + dt.timedelta(days=days) if self.submission is not None and days else None


@dataclass(frozen=True)
class Standings:
    """All questionnaires of a client's brand."""

    rows: tuple[Standing, ...] = field(default_factory=tuple)

    def due_from(self, *stages: AskedAt) -> list[Standing]:
        """List what the client has to do that is needed at these stages, or was requested by a colleague."""
        return [
            row for row in self.rows if row.needs_client and (row.content.settings.asked_at in stages or row.request)
        ]

    def holding(self, *stages: AskedAt) -> list[Standing]:
        """List what isn't settled of what is needed at these stages."""
        return [row for row in self.rows if row.is_open and row.content.settings.asked_at in stages]

    @property
    def given(self) -> list[Submission]:
        """List the answers that count now."""
        return [row.submission for row in self.rows if row.submission is not None and row.state != State.DUE]


NONE = Standings()


def published_of(brand: Brand) -> tuple[Published, ...]:
    """List what a brand asks for. Kept in this process under the mark in the brand's row, so never outdated."""
    return _read(brand.pk, brand.questionnaires_version) if brand.questionnaires_version else ()


@lru_cache(maxsize=256)
def _read(brand_id: int, mark: str) -> tuple[Published, ...]:
    """Read the newest version of each; `mark` is the key under which they are kept."""
    newest = (
        QuestionnaireVersion.objects.filter(questionnaire__brand_id=brand_id)
        .select_related("questionnaire")
        .order_by("questionnaire_id", "-number")
        .distinct("questionnaire_id")
    )
    again = dict(
        Questionnaire.objects.filter(brand_id=brand_id, versions__asks_again=True)
        .order_by()
        .values_list("pk")
        .annotate(Max("versions__number"))
    )
    return tuple(
        Published(
            version.questionnaire_id,
            version.pk,
            version.number,
            again.get(version.questionnaire_id, 0),
            version.questionnaire.kind,
            version.questionnaire.name,
            read(version.content),
        )
        for version in newest
        if not version.is_retired
    )


def standings_of(client: Client, now: dt.datetime | None = None) -> Standings:
    """Tell how each questionnaire of the brand stands with a client. Two queries, none where the brand has published none."""
    published = published_of(client.brand)
    if not published:
        return NONE
    now = now or timezone.now()
    ids = [entry.questionnaire_id for entry in published]
    submissions = newest_submissions(client, ids)
    requests = {
        row.questionnaire_id: row
        for row in AnswersRequest.objects.filter(client=client, questionnaire__in=ids)
        .order_by("questionnaire_id", "-pk")
        .distinct("questionnaire_id")
    }
    return Standings(
        tuple(
            _standing(client, entry, submissions.get(entry.questionnaire_id), requests.get(entry.questionnaire_id), now)
            for entry in published
        )
    )


def newest_submissions(client: Client, questionnaire_ids: list[int]) -> dict[int, Submission]:
    """Find the newest answers to each questionnaire, without their sealed part. One query."""
    rows = (
        Submission.objects.filter(client=client, questionnaire__in=questionnaire_ids)
        .select_related("version", "acknowledgement", "review")
        .defer("answers_sealed", "version__content")
        .order_by("questionnaire_id", "-pk")
        .distinct("questionnaire_id")
    )
    return {row.questionnaire_id: row for row in rows}


def _standing(
    client: Client,
    published: Published,
    submission: Submission | None,
    request: AnswersRequest | None,
    now: dt.datetime,
) -> Standing:
    if request is not None and (request.is_withdrawn or (submission and submission.given_at >= request.requested_at)):
        request = None
    is_old = submission is not None and submission.valid_until is not None and submission.valid_until <= now
    counts = submission is not None and not is_old and submission.version.number >= published.counts_from
    if request is not None or not counts:
        is_asked = request is not None or (
            published.content.settings.asked_at != AskedAt.REQUEST and _is_for(published, client, now)
        )
        state = State.DUE if is_asked else State.NOT_ASKED
        return Standing(published, state, submission, request, is_renewal=submission is not None)
    assert submission is not None
    return Standing(published, _given_state(submission), submission)


def _given_state(submission: Submission) -> State:
    if submission.needs_acknowledgement and not hasattr(submission, "acknowledgement"):
        return State.WARNING
    review = getattr(submission, "review", None)
    if review is not None and review.state == ReviewState.DECLINED:
        return State.DECLINED
    return State.IN_REVIEW if review is not None and review.state == ReviewState.OPEN else State.DONE


def _is_for(published: Published, client: Client, now: dt.datetime) -> bool:
    audience = published.content.settings.audience
    return audience is None or conditions.read(dict(audience), CLIENT).holds(client, now)


def outcome_of(standing: Standing) -> Outcome | None:
    """Find the outcome of answers in the version that they were given to, or in the one in force."""
    if standing.submission is None:
        return None
    return standing.content.outcome(standing.submission.outcome)
