"""Questionnaires of the demo: the shipped ones published at each brand, answers of clients, reviews and requests that wait.

They are asked of clients who register from tomorrow on; whoever is a client today answers when a colleague asks.
"""

from __future__ import annotations

import datetime as dt
import io
import random
from collections.abc import Callable
from typing import Any, Final

import orjson

from clients.choices import Category
from clients.demo.journeys import Journey
from clients.models import Client
from crm.brand_policies.registry import new_version
from crm.choices import Role
from crm.demo import Demo
from crm.models import Brand, User
from crm.security import crypto
from crm.security.scope import reach_of
from kyc import documents
from kyc.categories import requests
from kyc.categories.choices import Criterion
from kyc.demo import papers
from kyc.questionnaires import drafts, submissions
from kyc.questionnaires.choices import QuestionnaireKind
from kyc.questionnaires.content import read
from kyc.questionnaires.declarations import keep_declarations
from kyc.questionnaires.filling import only_asked
from kyc.questionnaires.models import Questionnaire, QuestionnaireVersion, Submission, WarningAcknowledgement
from kyc.questionnaires.renewals import months_later
from kyc.questionnaires.scoring import result_of

KINDS: Final = (
    QuestionnaireKind.APPROPRIATENESS,
    QuestionnaireKind.SOURCE_OF_FUNDS,
    QuestionnaireKind.TAX,
    QuestionnaireKind.PEP,
)
ANSWERED: Final = 90
FUNDS_DECLARED: Final = 40
PEPS: Final = 2
RIGHT: Final = {"q7": "c2", "q8": "c3", "q9": "c2", "q10": "c2", "q11": "c2", "q12": "c2", "q13": "c2"}


def write(demo: Demo, journeys: list[Journey]) -> None:
    for brand in demo.brands:
        officer, checker = _people(demo, brand)
        made = {kind: _publish(demo, brand, kind, officer, checker) for kind in KINDS}
        Brand.objects.filter(pk=brand.pk).update(questionnaires_version=new_version())
        verified = [journey.client_id for journey in journeys if journey.client_id in demo.extra["verified_at"]]
        clients = Client.objects.filter(pk__in=verified, brand=brand).select_related("brand", "user").order_by("pk")
        chosen = list(clients[: demo.count(ANSWERED)])
        _answer(demo, chosen, *made[QuestionnaireKind.APPROPRIATENESS])
        _answer(demo, chosen[:FUNDS_DECLARED], *made[QuestionnaireKind.SOURCE_OF_FUNDS], answers=_funds)
        _ask_and_declare(chosen, made, officer)
        _ask_to_be_professional(demo, chosen)


def _people(demo: Demo, brand: Brand) -> tuple[User | None, User | None]:
    """Find who proposes and who approves at a brand: two people, where there are."""
    people = [
        person
        for role in (Role.KYC_OFFICER, Role.MLRO)
        for person in demo.by_role.get(role.value, [])
        if brand.pk in reach_of(person).whole_brands
    ]
    return (people[0] if people else None), (people[-1] if len(people) > 1 else None)


def _publish(
    demo: Demo, brand: Brand, kind: QuestionnaireKind, officer: User | None, checker: User | None
) -> tuple[Questionnaire, QuestionnaireVersion]:
    content = drafts.shipped_content(kind)
    tomorrow = (demo.now + dt.timedelta(days=1)).date().isoformat()
    content["settings"]["audience"] = {
        "version": 1,
        "all": [
            *(content["settings"].get("audience") or {}).get("all", []),
            {"field": "registered_at", "is": "from", "value": tomorrow},
        ],
    }
    at = demo.since + dt.timedelta(days=1)
    questionnaire = Questionnaire.objects.create(
        brand=brand, kind=kind, name=str(kind.label), created_by=officer, created_at=at
    )
    version = QuestionnaireVersion.objects.create(
        questionnaire=questionnaire,
        number=1,
        content=content,
        published_by=officer,
        approved_by=checker,
        published_at=at,
        reason="Shipped questionnaire, for new clients",
    )
    return questionnaire, version


def _answer(
    demo: Demo,
    clients: list[Client],
    made: Questionnaire,
    version: QuestionnaireVersion,
    *,
    answers: Callable[[random.Random, str], dict[str, Any]] | None = None,
) -> None:
    """Give clients answers on the day when they were verified: to the appropriateness test, from good to poor, or other ones."""
    content, rows, sealed_answers, given_answers = read(version.content), [], [], []
    rng = random.Random(made.name)  # its own, so that the parts after this one draw what they drew before
    for client in clients:
        given = only_asked(content, answers(rng, client.brand.base_currency) if answers else _answers(rng))
        at = max(demo.extra["verified_at"][client.pk], version.published_at)
        result = result_of(content, given, at)
        outcome = result.outcome
        given_answers.append(given)
        sealed_answers.append((client.pk, orjson.dumps(given)))
        rows.append(
            Submission(
                client=client,
                questionnaire=made,
                version=version,
                given_by=client.user,
                given_at=at,
                language=client.language or "en",
                score=result.score,
                score_max=result.score_max,
                outcome=outcome.id,
                needs_acknowledgement=outcome.has_warning,
                cooling_off_until=at + dt.timedelta(days=outcome.cooling_off_days)
                if outcome.cooling_off_days
                else None,
                leverage_max=outcome.leverage_max,
                account_kinds=list(outcome.account_kinds),
                valid_until=months_later(at, content.settings.renew_months),
            )
        )
    for row, sealed in zip(rows, crypto.encrypt_many_for_clients(sealed_answers), strict=True):
        row.answers_sealed = sealed
    Submission.objects.bulk_create(rows)
    for row, given in zip(rows, given_answers, strict=True):
        keep_declarations(row, content, given)
    WarningAcknowledgement.objects.bulk_create(
        WarningAcknowledgement(
            submission=row,
            acknowledged_by=row.given_by,
            acknowledged_at=row.given_at + dt.timedelta(minutes=1),
            language="en",
            sha256=submissions.hash_of(submissions.warning_text(content, row.outcome, "en")),
        )
        for row in rows
        if row.needs_acknowledgement and row.given_by is not None
    )


def _funds(rng: random.Random, currency: str) -> dict[str, Any]:
    """Make up what somebody earns, owns and means to deposit."""
    income = rng.choice((18_000, 28_000, 36_000, 45_000, 60_000, 90_000, 140_000))
    amounts = {"q4": income, "q5": income * rng.choice((1, 2, 4, 8)), "q8": round(income * rng.uniform(0.05, 0.4), -2)}
    return {
        "q1": rng.choice(("c1", "c1", "c1", "c2", "c3", "c5")),
        "q2": "Engineer, a machine builder",
        "q3": "Consulting",
        **{
            name: {"amount": f"{value:.0f}", "currency": currency, "base": f"{value:.2f}"}
            for name, value in amounts.items()
        },
        "q6": ["c1"],
        "q9": rng.choice((["c1"], ["c2"], ["c1", "c2"], ["c3"], ["c5"])),
        "q10": True,
    }


def _answers(rng: random.Random) -> dict[str, Any]:
    """Make up answers: most people know what they do, some guess."""
    knows = rng.choice((0.95, 0.95, 0.95, 0.8, 0.8, 0.5, 0.2))
    products = [code for code, chance in (("c1", 0.9), ("c2", 0.5), ("c3", 0.8)) if rng.random() < chance * knows]
    return {
        "q1": rng.choice(("c2", "c3", "c3", "c4")),
        "q2": rng.choice(("c1", "c1", "c1", "c2", "c3")),
        **({"q3": products} if products else {}),
        "q4": rng.choice(("c1", "c2", "c3")),
        "q5": rng.choice(("c1", "c2", "c2", "c3")),
        "q6": "yes" if rng.random() < knows else "no",
        **{name: right if rng.random() < knows else "c1" for name, right in RIGHT.items()},
    }


def _ask_and_declare(
    clients: list[Client],
    made: dict[QuestionnaireKind, tuple[Questionnaire, QuestionnaireVersion]],
    officer: User | None,
) -> None:
    """Ask some clients through the real verbs: two declare an office, which compliance has to review; one hasn't answered."""
    asked = [client for client in clients if client.user is not None][: PEPS + 1]
    if officer is None:
        return
    pep, version = made[QuestionnaireKind.PEP]
    answers = {"q1": "no", "q2": "yes", "q3": "Member of parliament", "q4": "DE", "q5": "2021-10-26", "q6": "My sister"}
    for number, client in enumerate(asked):
        client.brand.refresh_from_db(fields=["questionnaires_version"])
        submissions.request_answers(
            client_id=client.pk, questionnaire_id=pep.pk, actor=officer, reason="Adverse media mentions a relative"
        )
        if number < PEPS:
            assert client.user is not None
            submissions.keep_answers(client_id=client.pk, questionnaire_id=pep.pk, answers=answers, actor=client.user)
            submissions.submit(client_id=client.pk, questionnaire_id=pep.pk, version_id=version.pk, actor=client.user)


def _ask_to_be_professional(demo: Demo, clients: list[Client]) -> None:
    """One client asks to be professional, with a document that has to be read."""
    client = next((one for one in reversed(clients) if one.user is not None and one.category == Category.RETAIL), None)
    if client is None or not client.kyc_level:
        return
    assert client.user is not None
    statement = papers.bill(demo, client, issued_on=demo.now.date() - dt.timedelta(days=12))
    document = documents.upload(
        client=client, kind="other", file=io.BytesIO(statement), name="account-statement.pdf", actor=client.user
    )
    requests.request_professional(
        client_id=client.pk,
        actor=client.user,
        criteria=[Criterion.PORTFOLIO, Criterion.EXPERIENCE],
        statement={
            Criterion.PORTFOLIO: "Shares and funds worth about EUR 620,000 at my bank",
            Criterion.EXPERIENCE: "Derivatives trader at a bank, 2014 to 2019",
        },
        evidence={Criterion.PORTFOLIO: [document.pk], Criterion.EXPERIENCE: [document.pk]},
        warning_sha256=requests.warning_of(client.brand, "en").sha256,
        language="en",
    )
