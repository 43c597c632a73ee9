"""A call of any verb among the demo's people: its arguments found by their names and types, and who may not make it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import functools
import importlib
import inspect
import io
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import Field, ForeignKey, Model, OneToOneField, QuerySet
from django.utils import timezone

from clients.models import Client
from compliance.aml.referrals import Suspicion, refer_suspicion
from crm.models import Brand, User, WorkItem

# The names of ids that aren't their model's own name; the longest fitting start of the verb's name decides.
MODELS = {
    "crm": {
        "entity_id": "LegalEntity",
        "delivery_id": "EventDelivery",
        "endpoint_id": "WebhookEndpoint",
        "subscription_id": "EventSubscription",
        "due_id": "DueRow",
        "request_id": "GrantRequest",
        "user_id": "User",
        "item_id": "WorkItem",
        "token_id": "ApiToken",
    },
    "clients": {
        "to_book_id": "Book",
        "field_id": "CustomField",
        "choice_id": "CustomChoice",
        "kept_id": "Client",
        "merged_id": "Client",
        "merge_id": "ClientMerge",
        "call_id": "PhoneCall",
        "event_id": "PhoneEvent",
        "exchange_id": "PhoneExchange",
    },
    "clients.texting": {
        "event_id": "TextEvent",
        "thread_id": "TextThread",
        "message_id": "TextMessage",
        "service_id": "TextService",
    },
    "clients.mail_services": {"event_id": "MailServiceEvent", "service_id": "MailService"},
    "leads": {
        "import_id": "LeadImport",
        "rule_id": "ScoreRule",
        "agent_id": "User",
        "source_id": "LeadSource",
        "pair_id": "PossibleDuplicate",
        "change_id": "BulkChange",
    },
    "support": {"thread_id": "MailThread"},
    "trading": {
        "account_id": "TradingAccount",
        "account_type_id": "AccountType",
        "operation_id": "BalanceOperation",
        "request_id": "AccountRequest",
        "decision_id": "OperationDecision",
        "type_id": "AccountType",
        "server_id": "TradingServer",
        "row_id": "StagedLogin",
        "proposal_id": "LoginProposal",
        "line_id": "LeverageCap",
        "past_id": "PastSymbolMapping",
        "change_id": "ServerAddressChange",
        "info_id": "SymbolInfo",
        "issue_id": "PlatformIssue",
        "break_id": "ReconcileBreak",
        "backfill_id": "Backfill",
    },
    "wallet": {
        "mapping_id": "TableMapping",
        "entry_id": "BankEntry",
        "batch_id": "BankBatch",
        "waiting_id": "WaitingTable",
        "grant_id": "BonusGrant",
        "plan_id": "BonusPlan",
        "reopening_id": "PeriodReopening",
        "sign_off_id": "MonthSignOff",
        "term_id": "UnverifiedTerm",
        "loss_id": "BonusLoss",
        "proposal_id": "BonusProposal",
        "manual_id": "ManualJournal",
        "change_id": "PspAddressChange",
        "method_id": "PaymentMethod",
        "report_id": "AnnouncedReport",
        "cost_id": "PspCost",
        "finding_id": "PayoutFinding",
        "message_id": "WebhookMessage",
        "operation_id": "BalanceOperation",
        "posting_id": "BreakPosting",
    },
    "wallet.reconciliation.costs": {"proposal_id": "PspCostProposal"},
    "wallet.reconciliation.report_confirmations": {"waiting_id": "ReportToConfirm"},
    "wallet.transfers.rate_entries": {"entry_id": "RateEntry"},
    "kyc": {"look_id": "SecondLook", "request_id": "CategoryRequest", "review_id": "EnhancedReview"},
    "kyc.document_requests": {"request_id": "DocumentRequest"},
    "kyc.client_reviews": {"review_id": "ClientReview"},
    "compliance.matches": {"delisting_id": "Delisting", "hit_id": "Hit"},
    "compliance.aml": {
        "case_id": "AmlCase",
        "rule_id": "AmlRule",
        "version_id": "AmlRuleVersion",
        "task_id": "CaseTask",
        "case_request_id": "CaseRequest",
    },
    "compliance.sar": {"case_id": "AmlCase", "report_id": "SuspicionReport"},
    "ib": {
        "link_id": "ReferralLink",
        "version_id": "PlanVersion",
        "plan_id": "Plan",
        "period_id": "SettlementPeriod",
        "dispute_id": "CommissionDispute",
        "news_id": "PartnerNews",
        "member_id": "PartnerMember",
    },
    "prop": {
        "version_id": "ProgrammeVersion",
        "programme_id": "Programme",
        "size_id": "ProgrammeSize",
        "phase_account_id": "PhaseAccount",
        "challenge_id": "Challenge",
        "payout_id": "ChallengePayout",
        "appeal_id": "Appeal",
        "growth_id": "AccountGrowth",
        "pause_id": "ChallengePause",
        "failure_id": "FundingFailure",
        "merge_id": "AccountMerge",
        "kept_id": "PhaseAccount",
        "closed_id": "PhaseAccount",
        "correction_id": "JudgementCorrection",
        "release_id": "NewsRelease",
        "certificate_id": "Certificate",
    },
    "ib.abuse": {"review_id": "ReferralReview"},
    "ib.sub_partners": {"offer_id": "SubPartnerOffer"},
    "ib.manager_tasks": {"task_id": "PartnerTask"},
    "ib.materials": {"banner_id": "Material"},
    "ib.tracking": {"delivery_id": "PostbackDelivery", "claim_id": "ClientClaim"},
    "risk.retention": {"case_id": "RetentionCase"},
    "monitoring": {"agent_id": "User", "limit_id": "StaffLimit", "anomaly_id": "Anomaly"},
    "risk.links": {"other_id": "Client", "link_id": "KnownLink"},
    "risk": {"episode_id": "AbuseEpisode"},
}
BRAND = "meridian"


def function_of(verb: str) -> Callable[..., Any]:
    module, _dot, name = verb.rpartition(".")
    return getattr(importlib.import_module(module), name)


@functools.cache
def model_named(name: str, *, app: str = "") -> type[Model] | None:
    """Models of the apps by their class's name; where two apps have the same, the verb's own."""
    named = [
        one
        for label in settings.KEELSON_APPS
        for one in apps.get_app_config(label).get_models()
        if one.__name__ == name
    ]
    return next((one for one in named if one._meta.app_label == app), named[0] if named else None)


def model_of_id(verb: str, parameter: str) -> type[Model] | None:
    fitting = sorted((start for start in MODELS if f"{verb}.".startswith(f"{start}.")), key=len, reverse=True)
    for start in fitting:
        if parameter in MODELS[start]:
            return model_named(MODELS[start][parameter], app=verb.partition(".")[0])
    own = "".join(word.title() for word in re.sub("_ids?$", "", parameter).split("_"))
    return model_named(own, app=verb.partition(".")[0])


def path_to_brand(model: type[Model]) -> str | None:
    """The shortest way over foreign keys that are never empty: "client__brand". None: it belongs to no brand."""
    todo: list[tuple[type[Model], list[str]]] = [(model, [])]
    seen = {model}
    while todo:
        here, path = todo.pop(0)
        if here is Brand:
            return "__".join(path) or "pk"
        for field in here._meta.get_fields():
            if isinstance(field, ForeignKey | OneToOneField) and not field.null:
                there = field.remote_field.model
                if there is not User and there not in seen:
                    seen.add(there)
                    todo.append((there, [*path, field.name]))
    return None


def of_the_brand(model: type[Model]) -> QuerySet[Any]:
    rows, path = model._default_manager.order_by("pk"), path_to_brand(model)
    if model is User:
        return rows.filter(kind="staff", is_active=True, brand__code=BRAND)
    if model is Brand:
        return rows.filter(code=BRAND)
    return rows.filter(**{f"{path}__code": BRAND}) if path else rows


def one(model: type[Model], **where: Any) -> Any:
    """The first of the brand, or where the demo has none, one that somebody left behind."""
    return of_the_brand(model).filter(**where).first() or sketched(model, **where)


# What a row needs beside something in each field, to be one that waits.
SKETCHES: dict[str, dict[str, Any]] = {
    "ApiToken": {
        "scopes": [],
        "networks": [],
        "secret_hash": b"sketched",
        "replaces": None,
        "revoked_at": None,
        "revoked_by": None,
        "expires_at": lambda: timezone.now() + dt.timedelta(days=1),
    },
    "AutomaticPayout": {"state": "refused", "refusal": "Restricted", "destination": "wallet", "currency": "EUR"},
    "AccountRequest": {"kind": "leverage", "leverage": 30},
    "BulkChange": {"kind": "task", "options": {"title": "Call", "days": 1}},
    "BonusRule": {"release_by": "days", "release_days": 30},
    "AnnouncedReport": {"due_at": timezone.now},
    "AbuseEpisode": {
        "work": lambda: sketched(WorkItem, kind="risk.abuse", client_id=None),
        "kind": "size",
        "accounts": [],
        "score": Decimal("0.5"),
        "stake": Decimal(0),
        "handling": "",
        "lost": "",
        "reason": "",
        "decided_by": None,
        "decided_at": None,
    },
    "Anomaly": {
        "work": lambda: sketched(WorkItem, kind="monitoring.anomaly", client_id=None),
        "signal": "queue_age",
        "queue": 1,
        "client": None,
        "course": [],
        "probability": 0.0,
        "reason": "",
    },
    "ProgrammeVersion": {"programme": lambda: one(model_named("Programme"), name="Sketched")},
    "ProgrammePhase": {"target": 8},
    "PhaseAccount": {
        "work": lambda: sketched(WorkItem, kind="prop.review"),
        "challenge": lambda: sketched(model_named("Challenge"), state="review"),
        "state": "review",
        "started_at": timezone.now,
        "ended_at": timezone.now,
    },
    "ChallengePayout": {
        "work": lambda: sketched(WorkItem, kind="prop.payout"),
        "challenge": lambda: one(model_named("PhaseAccount")).challenge,
        "state": "requested",
        "amount": 80,
        "profit": 100,
        "split": 80,
    },
    "AccountMerge": {
        "work": lambda: sketched(WorkItem, kind="prop.merge"),
        "state": "requested",
        "problem": "",
        "size": 10_000,
        "amount": 10_000,
        "closed": lambda: sketched(model_named("PhaseAccount"), challenge=one(model_named("PhaseAccount")).challenge),
    },
    "FundingFailure": {"work": lambda: sketched(WorkItem, kind="prop.funding"), "state": "open"},
    "ChallengePause": {"work": lambda: sketched(WorkItem, kind="prop.pause"), "state": "open"},
    "JudgementCorrection": {
        "work": lambda: sketched(WorkItem, kind="prop.correction"),
        "state": "open",
        "breach": None,
        "was": {"kind": "breach", "rule": "daily_loss", "at": 0},
    },
    "AccountGrowth": {"work": lambda: sketched(WorkItem, kind="prop.scaling"), "state": "proposed", "split": None},
    "Appeal": {
        "work": lambda: sketched(WorkItem, kind="prop.appeal"),
        "payout": None,
        "refused_by": None,
        "state": "open",
    },
    "RetentionCase": {"work": lambda: sketched(WorkItem, kind="risk.retention"), "reason": "", "state": "open"},
    "EventSubscription": {"brand": lambda: one(Brand), "events": ["lead.captured"], "target": "notice"},
    "Escalation": {"work": lambda: sketched(WorkItem, kind="monitoring.escalation", client_id=None), "reason": ""},
    "Explanation": {"answer": "", "asked_by": lambda: of_the_brand(User).last()},
    "GrantRequest": {"kind": "role", "user": lambda: of_the_brand(User)[1]},
    "PayoutFinding": {"kind": "not_paid"},
    "PartnerTask": {"result": "", "done_at": None, "done_by": None},
    "Postback": {
        "url": "https://tracker.example/",
        "events": ["ftd"],
        "sealed_secret": b"x",
        "partner": lambda: one(apps.get_model("ib.Partner")),
    },
    "PostbackDelivery": {"event": "ftd", "state": "failed", "url": "https://tracker.example/"},
    "Replay": {
        "from_at": dt.datetime(2026, 3, 1, tzinfo=dt.UTC),
        "to_at": dt.datetime(2026, 3, 2, tzinfo=dt.UTC),
        "reached_at": dt.datetime(2026, 3, 2, tzinfo=dt.UTC),
    },
    "Quote": {
        "given_currency": "EUR",
        "got_currency": "USD",
        "markup_basis_points": 50,
        "expires_at": lambda: timezone.now() + dt.timedelta(minutes=1),
    },
    "Hit": {"work": lambda: sketched(WorkItem, kind="compliance.hit")},
    "AmlCase": {
        "work": lambda: sketched(WorkItem, kind="compliance.aml_case"),
        "follows": lambda: an_aml_case_before(),
    },
    "ClientMerge": {
        "kept": lambda: of_the_brand(Client).filter(user__isnull=False).exclude(stage="closed")[0],
        "merged": lambda: of_the_brand(Client).filter(stage="lead")[0],
        "stage_before": "lead",
    },
    "PossibleDuplicate": {
        "first": lambda: of_the_brand(Client).filter(stage="lead")[0],
        "second": lambda: of_the_brand(Client).filter(stage="lead")[1],
        "decided_at": timezone.now,
    },
    "ClientClaim": {
        "client": lambda: of_the_brand(Client).filter(user__isnull=False).exclude(stage="closed")[0],
        "work": lambda: sketched(WorkItem, kind="ib.client_claim"),
        "answer": "",
    },
    "ReferralReview": {"work": lambda: sketched(WorkItem, kind="ib.referral_review"), "reasons": [], "answer": ""},
    "Material": {"width": 300, "height": 250, "content": b"x"},
    "CaseRequest": {"document_request_id": lambda: one(model_named("DocumentRequest")).pk},
    "DocumentRequest": {"document": lambda: one(model_named("Document", app="kyc"))},
    "Segment": {"kind": "rule", "condition": {"version": 1, "all": []}},
    "StaffLimit": {
        "kind": "exports",
        "end_reason": "",
        "made_by": lambda: of_the_brand(User).last(),
        "until_at": lambda: timezone.now() + dt.timedelta(days=1),
    },
    "SecondLook": {
        "work": lambda: sketched(WorkItem, kind="kyc.second_look"),
        **dict.fromkeys(("opinion", "reason_code", "first_opinion", "first_note"), ""),
    },
    "StagedLogin": {"verdict": "no_client"},
    "WorkItem": {"proposed_outcome": "", "kind": "kyc.document", "outcome": "", "client_id": lambda: one(Client).pk},
    "Withdrawal": {"claim_state": "", "claim_url": ""},
}


def an_aml_case_before() -> Any:
    """A case for another to follow: one without an alert has to."""
    known = apps.get_model("compliance.AmlCase").objects.order_by("pk").first()
    suspicion = Suspicion("sketched", "Seen", "What was seen", timezone.now(), timezone.now())
    return known or refer_suspicion(
        client_id=of_the_brand(Client).last().pk, suspicion=suspicion, reason="Made", referred_by=one(User)
    )


def sketched(model: type[Model], **given: Any) -> Any:
    """A row of a table that is empty in the demo, with something of the right type in each field that asks for it."""
    fields = {name: value() if callable(value) else value for name, value in SKETCHES.get(model.__name__, {}).items()}
    fields |= {name: value for name, value in given.items() if "__" not in name}
    for field in model._meta.concrete_fields:
        is_asked = not (field.primary_key or field.null or field.has_default() or getattr(field, "auto_now_add", False))
        if is_asked and field.name not in fields:
            fields[field.name] = _something(field)
    return model._default_manager.create(**fields)


def _something(field: Field[Any, Any]) -> Any:
    if isinstance(field, ForeignKey | OneToOneField):
        return one(field.remote_field.model)
    if field.choices:
        return next(value for value, _label in field.flatchoices)
    kinds: dict[str, Any] = {
        "DateTimeField": timezone.now(),
        "DateField": timezone.now().date(),
        "CharField": "made"[: getattr(field, "max_length", None) or 4],
        "TextField": "made",
        "BinaryField": b"made",
        "BooleanField": False,
        "JSONField": {},
    }
    return kinds.get(field.get_internal_type(), 1)


def _plain(name: str, said: str) -> Any:
    today, now = timezone.now().date(), timezone.now()
    if said.startswith("bytes"):
        return b"a,b\n1,2\n"
    by_type: dict[str, Any] = {
        "str": "EUR" if name in ("currency", "given") else "A reason of some words",
        "Words": "Words",
        "int": 1,
        "int | None": None,
        "bool": False,
        "Decimal": Decimal(10),
        "dt.date": today,
        "dt.datetime": now,
        "BinaryIO": io.BytesIO(b"a,b\n1,2\n"),
        "Path": Path("/nowhere"),
    }
    if said in by_type:
        return by_type[said]
    if said.startswith(("Mapping[", "dict[")):
        return {}
    return () if said.startswith(("Sequence", "Iterable", "Collection")) else None


Where = Mapping[str, Mapping[str, Any]]


def _value(verb: str, names: Mapping[str, Any], name: str, annotation: Any, where: Where) -> Any:
    """names: what the annotation's module knows."""
    said, so = annotation if isinstance(annotation, str) else annotation.__name__, where.get(name, {})
    if name.endswith("_id") and (model := model_of_id(verb, name)):
        return one(model, **so).pk
    if name.endswith("_ids") and (model := model_of_id(verb, name[:-1])):
        return [one(model, **so).pk]
    if name == "brand":
        return one(Brand)
    kind = names.get(said)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return next(iter(kind))
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _details(verb, kind, where)
    if model := model_named(said, app=verb.partition(".")[0]):
        return one(model, **so)
    return _plain(name, said)


def _details(verb: str, kind: type[Any], where: Where) -> Any:
    """A value object that a verb takes, with something in each field that asks for it."""
    names = vars(sys.modules[kind.__module__])
    asked = [
        field
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    return kind(**{field.name: _value(verb, names, field.name, field.type, where) for field in asked})


def arguments(verb: str, given: Mapping[str, Any] | None = None, where: Where | None = None) -> dict[str, Any]:
    """For everything a verb asks for but `actor`: what the table gives, or something of that name and type.

    where: what must be so of the thing that a parameter names.
    """
    given, where = given or {}, where or {}
    function = function_of(verb)
    names = inspect.unwrap(function).__globals__
    asked = [
        one
        for one in inspect.signature(function).parameters.values()
        if one.name != "actor" and one.default is one.empty and one.kind != one.VAR_KEYWORD
    ]
    return {
        **{one.name: _value(verb, names, one.name, one.annotation, where) for one in asked if one.name not in given},
        **given,
    }


WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|COPY|MERGE)\b|.*\bledger_post", re.I | re.S)


@contextmanager
def noting_statements() -> Iterator[list[str]]:
    said: list[str] = []

    def note(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        said.append(str(sql))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield said


def writes_of(said: list[str]) -> list[str]:
    return [sql for sql in said if WRITES.match(sql)]
