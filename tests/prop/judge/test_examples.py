"""docs/domain/prop-judging.md: every example on that page is computed, with values just before a limit and at it."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings

from prop.judge.inputs import Clock, Deal, NewsEvent, Operation, OperationKind, Sample
from prop.judge.judging import Judge
from prop.judge.rules import LOT_UNITS, RuleCode, Rules
from prop.judge.state import VerdictKind
from tests.prop.judge.worlds import at

PAGE = Path(settings.BASE_DIR) / "docs/domain/prop-judging.md"
EXAMPLES = re.findall(r"```challenge\n(.*?)```", PAGE.read_text(), re.DOTALL)
SILENT = (VerdictKind.DAY, VerdictKind.EVIDENCE)
SCALES = {RuleCode.LOTS: LOT_UNITS, RuleCode.TRADE_LOTS: LOT_UNITS, RuleCode.LEVERAGE: 100, RuleCode.NEWS: 1000}
COUNTS = (RuleCode.MAXIMUM_DAYS, RuleCode.INACTIVITY, RuleCode.WEEKEND)


def instant(day: str, time: str) -> int:
    return at(f"{day}T{time}+00:00")


def cents(text: str) -> int:
    return int(Decimal(text) * 100)


def lots(text: str) -> int:
    return int(Decimal(text) * LOT_UNITS)


def read(line: str):
    day, time, kind, *rest = line.split()
    moment = instant(day, time)
    match kind:
        case "sample":
            return Sample(moment, *(cents(each) for each in rest))
        case "open":
            name, size, symbol, *worth = rest
            return Deal(moment, name, symbol, True, lots(size), 0, cents(worth[0]) if worth else None)
        case "close":
            name, size, symbol, net = rest
            return Deal(moment, name, symbol, False, lots(size), cents(net))
        case "clock":
            return Clock(moment)
        case _:
            return Operation(moment, cents(rest[0]), OperationKind(kind))


def shown(verdict) -> str:
    if verdict.kind not in (VerdictKind.BREACH, VerdictKind.PASSED):
        return " ".join(filter(None, (verdict.kind, verdict.rule)))
    scale = SCALES.get(verdict.rule, 1 if verdict.rule in COUNTS else 100)
    value, limit = (Decimal(each) / scale for each in (verdict.value, verdict.threshold))
    if verdict.kind == VerdictKind.PASSED:
        return f"passed {verdict.rule} {value.normalize():f} of {limit.normalize():f}"
    return f"breach {verdict.rule} {value.normalize():f} of {limit.normalize():f}, {verdict.source}"


def plain(text: str) -> str:
    return re.sub(r"\d+\.\d+", lambda number: f"{Decimal(number[0]).normalize():f}", text)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split("\n")[0].removeprefix("rules: ")[:40])
def test_example_of_the_page_is_what_the_judge_says(example):
    lines = [line for line in example.splitlines() if line]
    heads = dict(line.split(": ", 1) for line in lines if line[0].isalpha())
    values = dict(pair.split("=") for pair in heads["rules"].split())
    values = {name: {"true": True, "false": False}.get(value, value) for name, value in values.items()}
    rules = Rules.from_json({"currency": "EUR", "starting_balance": "10000", **values})
    news = ()
    if "news" in heads:
        day, time, code = heads["news"].split()
        news = (NewsEvent(instant(day, time), (code,)),)
    judge = Judge(rules, news)
    state = judge.start(instant(*heads.get("start", "2026-03-02 08:00:00").split()))
    for line in lines:
        if line[0].isalpha():
            continue
        given, _arrow, expected = line.partition(" → ")
        found = [shown(verdict) for verdict in judge.step(state, read(given)) if verdict.kind not in SILENT]
        assert ", ".join(found) == plain(expected), line


def test_page_has_an_example_of_every_rule():
    named = {code for code in RuleCode if re.search(rf"→ .*\b{code}\b", "\n".join(EXAMPLES))}
    assert named == set(RuleCode)
