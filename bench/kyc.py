"""bench kyc: documents drawn and spoilt as cameras and forgers do, read, checked, and judged by the shipped policy.

Every page says SPECIMEN; holders, states, languages, light, angle, blur, glare, screens and compression come from seeds: each
submission is the same in every run. `--resume FILE` keeps one line per judged submission and goes on from there: the full size
takes about an hour of processor time.
"""

from __future__ import annotations

import io
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from bench.harness import Figure, at_least, at_most, p95, say
from bench.submissions import bad, good
from bench.submissions.people import TODAY, Submission, holder_of
from kyc import mrz_zone, specimens
from kyc.choices import IssueCode, Outcome, Verdict
from kyc.examination.originals import RASTER_POSSIBLE, raster_strength
from kyc.examination.sheet import Sheet
from kyc.examination.tampering import pasted_part
from kyc.examination.trial import Trial, decide_together, try_file, try_sheet


@dataclass(frozen=True)
class Size:
    """How many of each: zones per condition, pictures per hint, good and bad submissions per kind."""

    zones: int
    hints: int
    good: int
    bad: int


SIZES: Final = {"tiny": Size(1, 2, 1, 0), "quick": Size(6, 12, 4, 1), "full": Size(100, 100, 80, 52)}
CPU_SECONDS_MAX: Final = 2.0
SEED: Final = 21
Spoil = Callable[[Image.Image], Image.Image]


def run(size: str, *, resume: Path | None = None) -> list[Figure]:
    wanted = SIZES[size]
    figures = [*_zones(wanted.zones), *_hints(wanted.hints)]
    judged = list(_judged(wanted, resume))
    for group, name, goal in (
        ("identity", "good ones approved", 70),
        ("address", "good proofs of address approved", 70),
    ):
        lines = [line for line in judged if line.group == group]
        if lines:
            share = 100 * sum(line.outcome == Outcome.APPROVE for line in lines) / len(lines)
            figures.append(at_least(Figure(f"{name} of {len(lines)}", share, "%"), goal))
    wrong = [line for line in judged if line.group == "bad"]
    if wrong:
        approved = [line for line in wrong if line.outcome == Outcome.APPROVE]
        say(f"falsely approved: {dict(Counter(line.kind for line in approved))}")
        say(f"flaw not named: {dict(Counter(line.kind for line in wrong if not line.is_named))}")
        title = f"false approvals among {len(wrong)} bad ones of {len(bad.KINDS)} kinds"
        figures.append(at_most(Figure(title, len(approved), "files"), 0))
        named = 100 * sum(line.is_named for line in wrong) / len(wrong)
        figures.append(at_least(Figure("bad ones whose flaw is named", named, "%"), 95))
    spent = [seconds for line in judged for seconds in line.seconds]
    figures.append(at_most(Figure("processor time of a page, p95", p95(spent), "s"), CPU_SECONDS_MAX))
    return figures


# ── zones ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def _zones(count: int) -> Iterator[Figure]:
    conditions: tuple[tuple[str, Callable[[random.Random], Spoil], float], ...] = (
        ("clean", lambda _chance: lambda page: page, 98),
        ("turned by up to 25°", lambda chance: _turn(chance.uniform(-25, 25)), 90),
        ("mildly blurred", lambda chance: _blur(chance.uniform(1.2, 2.2)), 90),
        ("turned by 90°, 180°, 270°", lambda chance: _turn(chance.choice([90, 180, 270])), 95),
    )
    for name, condition, goal in conditions:
        say(f"{count} zones, {name}")
        read = 0
        for number in range(count):
            chance = random.Random(f"{SEED}:{name}:{number}")
            holder = holder_of(chance)
            draw = chance.choice([specimens.passport, specimens.passport, _back, specimens.visa])
            page = specimens.saved(condition(chance)(draw(holder)), chance.randrange(60, 95))
            reading = mrz_zone.find_and_read(np.array(page), today=TODAY)
            read += reading is not None and reading.mrz.is_valid and reading.mrz.number == holder.number
        yield at_least(Figure(f"zones read, {name}", 100 * read / count, "%"), goal)


def _back(holder: specimens.Holder) -> Image.Image:
    return specimens.id_card(holder)[1]


def _turn(degrees: float) -> Spoil:
    return lambda page: specimens.turned(page, degrees)


def _blur(sigma: float) -> Spoil:
    return lambda page: specimens.blurred(page, sigma)


# ── hints ──────────────────────────────────────────────────────────────────────────────────────────────────────────
def _hints(count: int) -> Iterator[Figure]:
    """Measure how often a hint is right, and how often it is raised over a careful client's picture."""
    say(f"{count} pictures per hint")
    shown, pasted, false_screens, false_pastes = 0, 0, 0, 0
    for number in range(count):
        chance = random.Random(f"{SEED}:hints:{number}")
        holder, seed = holder_of(chance), chance.randrange(10_000)
        page = specimens.passport(holder)
        clean = specimens.saved(good.photo(chance)(page), chance.randrange(70, 95))
        screen = specimens.saved(specimens.of_screen(page, seed=seed), chance.randrange(70, 95))
        edited = specimens.pasted_over(page, (480, 440, 800, 486), "01.01.1970", seed=seed)
        shown += _raster(screen) >= RASTER_POSSIBLE
        false_screens += _raster(clean) >= RASTER_POSSIBLE
        pasted += pasted_part(np.array(edited)) is not None
        false_pastes += pasted_part(np.array(clean)) is not None
    yield at_least(Figure("photos of a screen noticed", 100 * shown / count, "%"), 90)
    yield at_most(Figure("clean pictures taken for screens", 100 * false_screens / count, "%"), 3)
    yield Figure("pasted parts noticed", 100 * pasted / count, "%")
    yield at_most(Figure("clean pictures with a pasted part", 100 * false_pastes / count, "%"), 3)


def _raster(picture: Image.Image) -> float:
    return raster_strength(np.array(picture.convert("L")))


# ── submissions ────────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True)
class Line:
    """One judged submission: what the policy made of it, whether its flaw was named, processor seconds of each page."""

    group: str
    kind: str
    number: int
    outcome: str
    is_named: bool
    codes: tuple[str, ...]
    seconds: tuple[float, ...]


def _judged(size: Size, resume: Path | None) -> Iterator[Line]:
    """Judge in turns one of each kind, so that what was done when somebody stops it is a fair sample."""
    known: dict[tuple[str, str, int], Line] = {}
    if resume is not None and resume.exists():
        for text in resume.read_text().splitlines():
            line = Line(**{**json.loads(text), "codes": (), "seconds": tuple(json.loads(text)["seconds"])})
            known[line.group, line.kind, line.number] = line
    kinds = [("identity", kind, make, size.good) for kind, make in good.IDENTITY.items()]
    kinds += [("address", kind, make, size.good) for kind, make in good.ADDRESS.items()]
    kinds += [("bad", kind, make, size.bad) for kind, make in bad.KINDS.items()]
    for number in range(max(size.good, size.bad)):
        for group, kind, make, count in kinds:
            if number >= count:
                continue
            line = known.get((group, kind, number)) or _line(group, kind, number, make)
            if resume is not None and (group, kind, number) not in known:
                with resume.open("a") as file:
                    file.write(json.dumps(asdict(line)) + "\n")
            yield line


def _line(group: str, kind: str, number: int, make: Callable[[random.Random], Submission]) -> Line:
    submission = make(random.Random(f"{SEED}:{kind}:{number}"))
    outcome, codes, seconds = judge(submission)
    is_named = not submission.codes or bool(submission.codes & codes)
    is_missed = outcome == Outcome.APPROVE if group == "bad" else outcome != Outcome.APPROVE
    if is_missed or not is_named:
        say(f"  {kind} {number}: {outcome.value}, {sorted(codes)}")
    return Line(group, kind, number, outcome.value, is_named, tuple(sorted(codes)), tuple(seconds))


def judge(submission: Submission) -> tuple[Outcome, set[str], list[float]]:
    """Check a submission as its pages would be checked; a bill is opened in a child process first."""
    trials: list[Trial] = []
    seconds = []
    for page in submission.pages:
        started = time.process_time()
        sheet = Sheet(0, "passport", "front", submission.subject, [np.array(page.convert("RGB"))], TODAY)
        trials.append(try_sheet(sheet))
        seconds.append(round(time.process_time() - started, 3))
    if submission.bill:
        started = time.process_time()
        trials.append(try_file(io.BytesIO(submission.bill), "bill.pdf", submission.subject, today=TODAY))
        seconds.append(round(time.process_time() - started, 3))
    decision = decide_together(trials)
    codes = {
        str(IssueCode(result.code))
        for trial in trials
        for result in trial.results
        if result.code and result.verdict != Verdict.PASS
    }
    return decision.outcome, codes, seconds
