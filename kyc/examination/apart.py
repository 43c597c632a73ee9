"""Examining a document in the child that opens strangers' files, and what it answers as results again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from crm.files.parsing import Limits
from crm.files.parsing.prepared import PreparedChild
from kyc.choices import IssueCode, Severity, Verdict
from kyc.examination.sheet import Result, Sheet, unsure
from kyc.intake import SIDE_MAX_PX

# A page takes some two seconds; two sides of three pages and a loaded machine many more.
LIMITS: Final = Limits(
    memory_bytes=3 * 512 * 1024**2, cpu_seconds=60, wall_seconds=90.0, output_bytes=8 * 1024**2, wait_seconds=120.0
)
PAGES_MAX: Final = 3
CHILD: Final = PreparedChild("kyc.examination.in_child")


@dataclass(frozen=True)
class File:
    """A document's stored content."""

    content: bytes
    content_type: str
    kind: str
    side: str
    sha256: str
    traces: dict[str, Any]


@dataclass
class Examined:
    """What the child read and found. `sheet` has no pages: only what the checks in the database need."""

    sheet: Sheet
    results: list[Result]
    number: str = ""
    pages: list[list[int]] = field(default_factory=list)
    cost: Mapping[str, float] = field(default_factory=dict)


def examine(sheet: Sheet, file: File, other: File | None = None) -> Examined:
    """Have a document decoded, read and checked in a child; `other`: the other side of a card, to compare with.

    `sheet` says whose it is and what counts; it has no pages. Raises: ParsingRefused (the child was ended, or the file isn't one),
    ParsingBusy.
    """
    page = {
        "content_type": file.content_type,
        "pages_max": PAGES_MAX,
        "pixels_max": (SIDE_MAX_PX + 1) ** 2,
        "document_id": sheet.document_id,
        "kind": sheet.kind,
        "side": sheet.side,
        "sha256": sheet.sha256,
        "traces": file.traces,
        "today": sheet.today.isoformat(),
        "age_min_years": sheet.age_min_years,
        "declared_country": sheet.declared_country,
        "accepts_specimens": sheet.accepts_specimens,
        "subject": {
            **asdict(sheet.subject),
            "birth_date": sheet.subject.birth_date.isoformat() if sheet.subject.birth_date else "",
        },
    }
    beside = (
        {
            "content_type": other.content_type,
            "kind": other.kind,
            "side": other.side,
            "sha256": other.sha256,
            "traces": other.traces,
        }
        if other is not None
        else None
    )
    contents = [file.content, *([other.content] if other is not None else [])]
    answer = CHILD.ask("examine", contents, limits=LIMITS, page=page, other=beside)
    return _examined(sheet, answer.facts, answer.cost)


def _examined(sheet: Sheet, facts: Mapping[str, Any], cost: Mapping[str, float]) -> Examined:
    read = replace(
        sheet,
        extracted=dict(facts["extracted"]),
        measures=dict(facts["measures"]),
        engines=set(facts["engines"]),
        phash=bytes.fromhex(facts["phash"]) or None,
        has_words_of_its_own=bool(facts["has_words"]),
        issuing_country=str(facts["issuing_country"])[:3],
        issued_on=_day(facts["issued_on"]),
        expires_on=_day(facts["expires_on"]),
    )
    results = [_result(row) for row in facts["results"]]
    return Examined(read, results, str(facts["number"]), list(facts["pages"]), cost)


def _day(text: str) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def _result(row: Mapping[str, Any]) -> Result:
    box = row["box"]
    return Result(
        **{
            **row,
            "verdict": Verdict(row["verdict"]),
            "severity": Severity(row["severity"]) if row["severity"] else None,
            "box": (box[0], box[1], box[2], box[3]) if box else None,
        }
    )


def failed(field_name: str) -> Result:
    """Say that the child didn't come to an end: a person examines the document."""
    return replace(unsure(IssueCode.CHECK_FAILED, 1.0, field=field_name), check="reading")
