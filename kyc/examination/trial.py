"""Checking files without storing them: what the checks and the policy would say of them. For `kyc_check` and the bench.

The files are opened in the child process like every stranger's file. There is no other client to compare with, so duplicates
are left out; the kind of document is recognised, not chosen.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from django.utils.translation import gettext as _

from kyc import intake, pages
from kyc.choices import TWO_SIDED_KINDS, DocumentKind, IssueCode, Outcome, Side, Verdict
from kyc.examination import CHECKS, licences, read, visual
from kyc.examination.decision import Decision, decide, worst
from kyc.examination.document_types import kind_of_text, kind_of_zone
from kyc.examination.sheet import Result, Sheet, Subject, unsure
from kyc.names import ORDER, compare_person

WITHOUT_DATABASE = frozenset({"duplicates"})


@dataclass
class Trial:
    """One file: as which document it was read, the results, and what the policy makes of them."""

    name: str
    decision: Decision
    kind: str = ""
    side: str = ""
    results: list[Result] = field(default_factory=list)
    sheet: Sheet | None = None
    refusal: str = ""


def try_file(file: BinaryIO, name: str, subject: Subject, *, today: dt.date, accepts_specimens: bool = False) -> Trial:
    """Open a file, recognise what it is, and check it."""
    try:
        clean = intake.take_in(file, name=name)
        drawn = pages.draw(clean.content, clean.content_type)
    except (intake.FileRefused, pages.ParsingRefused) as refused:
        return Trial(name, Decision(Outcome.ASK, (), str(refused)), refusal=str(refused))
    sheet = Sheet(
        document_id=0,
        kind=DocumentKind.PASSPORT,
        side=Side.FRONT,
        subject=subject,
        pages=drawn.pictures,
        text_layer=drawn.text_layer,
        traces=clean.traces,
        today=today,
        accepts_specimens=accepts_specimens,
    )
    return try_sheet(sheet, name)


def try_sheet(sheet: Sheet, name: str = "") -> Trial:
    """Check pages that are pictures already."""
    if sheet.has_words:
        sheet.kind = DocumentKind.PROOF_OF_ADDRESS
    else:
        read(sheet)
        _recognise(sheet)
        licences.read(sheet)
        sheet.subject = _split_as_printed(sheet)
    results = run_checks(sheet)
    decision = decide(sheet.kind, sheet.side, results, waived=WITHOUT_DATABASE)
    return Trial(name, decision, sheet.kind, sheet.side, results, sheet)


def run_checks(sheet: Sheet) -> list[Result]:
    """Run every check that applies, apart from those that look into the database."""
    results = []
    for check in CHECKS:
        if check.name not in WITHOUT_DATABASE and check.is_for(sheet):
            said = list(check.run(sheet)) or [unsure(IssueCode.CHECK_FAILED, 1.0, field=check.name)]
            results += [replace(result, check=check.name) for result in said]
    return results


def _recognise(sheet: Sheet) -> None:
    """Set kind and side: by the zone's code, else by the printed title; what is neither counts as a passport's page."""
    if sheet.zone is not None:
        sheet.kind = kind_of_zone(sheet.zone.mrz.document_code) or DocumentKind.PASSPORT
        sheet.side = Side.BACK if sheet.zone.mrz.format == "TD1" else Side.FRONT
    elif sheet.printed is not None:
        sheet.kind = kind_of_text(sheet.printed.text()) or DocumentKind.PASSPORT


def _split_as_printed(sheet: Sheet) -> Subject:
    """Split a full name into first names and surname where the zone does: nobody entered the two apart here."""
    words = sheet.subject.full_name.split()
    if sheet.zone is None or len(words) < 3:
        return sheet.subject
    read = sheet.zone.mrz
    splits = [(" ".join(words[:place]), " ".join(words[place:])) for place in range(1, len(words))]

    def rank(split: tuple[str, str]) -> int:
        first, last = split
        names = {"given_names": read.given_names, "surname": read.surname}
        match = compare_person(first_name=first, last_name=last, **names, is_cut=read.is_name_cut)
        return ORDER.index(match.first) + ORDER.index(match.last)

    first, last = min(splits, key=rank)
    return replace(sheet.subject, first_name=first, last_name=last)


def decide_together(trials: Sequence[Trial]) -> Decision:
    """Decide about all files of one person: both sides of a card must be there and belong together."""
    decision = worst([trial.decision for trial in trials])
    sides = {(trial.kind, trial.side): trial for trial in trials}
    for kind in TWO_SIDED_KINDS:
        front, back = sides.get((kind, Side.FRONT)), sides.get((kind, Side.BACK))
        if front and back and front.sheet and back.sheet and back.sheet.zone:
            results = [replace(result, check="sides") for result in visual.compare_sides(front.sheet, back.sheet)]
            front.results += results
            doubts = tuple(result for result in results if result.verdict != Verdict.PASS)
            if doubts and decision.outcome != Outcome.QUEUE:
                decision = Decision(Outcome.QUEUE, doubts)
        elif (front or back) and decision.outcome == Outcome.APPROVE:
            decision = Decision(Outcome.ASK, (), _("Please send both sides of the document."))
    return decision
