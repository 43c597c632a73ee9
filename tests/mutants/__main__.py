"""`make mutants MODULES="wallet/withdrawals ib"`: draw faults, have the tests meet them, print what no test saw.

SAMPLE=30 faults of each group are drawn, the same for the same SEED, and MINUTES=60 bound a run; of the tests that come by a
fault TEST_SECONDS=30 run. DRAWN=1 prints the faults and runs nothing; AGAIN=1 runs those that survived the last time.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from typing import Any

from tests.mutants.faults import ROOT, Fault, draw, modules
from tests.mutants.runner import FOLDER, KILLED, RESULTS, TOO_LONG, room_of

# The verbs and rules whose faults cost money or let somebody in.
GROUPS = {
    "payments": "wallet/withdrawals wallet/deposits wallet/transfers",
    "bonuses and disputes": "wallet/bonuses wallet/disputes",
    "closing": "wallet/closing",
    "ib": "ib",
    "trading accounts": "trading/accounts",
    "compliance and KYC": "compliance/hits.py compliance/holds.py compliance/restrictions.py compliance/risk_rating/rating.py "
    "compliance/screening.py compliance/policies.py kyc/reviews.py kyc/levels/reaching.py kyc/policies.py",
    "leads, scope, crypto": "leads/routing.py leads/dedupe.py crm/security/scope.py crm/security/crypto.py",
}
# Tests of every verb (of which the runner leaves those of the drawn modules), and of what holds whatever happens.
ALL_ROOMS = ("tests/verbs/", "tests/properties/")
# Tests of processes and of providers come by everything, slowly.
ELSEWHERE = re.compile(r"/test_(chaos|kill\w*|demo|payment_life_cycle|sealed_files|database_role)\.py$")


def tests_of(paths: list[str]) -> list[str]:
    """List the test files of the modules' rooms and of all rooms; of those two, and of apps without rooms, what names one."""
    named = [path.removesuffix(".py").replace("/", ".").rpartition(".") for path in paths]
    says = re.compile(
        "|".join(
            rf"\b{package}\.{name}\b|from {package} import (?:\([^)]*|[^\n]*)\b{name}\b" for package, _, name in named
        )
    )
    rooms = tuple({room_of(path) for path in paths})
    apps = tuple(room for room in rooms if room.count("/") == 2)
    named_in = (*apps, "tests/properties/")
    files = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "tests").rglob("test_*.py"))]
    chosen = [file for file in files if file.startswith((*rooms, *ALL_ROOMS)) and not ELSEWHERE.search(file)]
    return [file for file in chosen if not file.startswith(named_in) or says.search((ROOT / file).read_text())]


def main() -> int:
    named = os.environ.get("MODULES")
    groups = (
        GROUPS if not named else {named: GROUPS[named]} if named in GROUPS else {word: word for word in named.split()}
    )
    paths = {group: modules(folders) for group, folders in groups.items()}
    everywhere = sorted({path for listed in paths.values() for path in listed})
    sample, seed = int(os.environ.get("SAMPLE") or 30), os.environ.get("SEED") or "keelson"
    faults: list[Fault] = []
    for group, listed in paths.items():
        possible, drawn = draw(group, listed, everywhere, sample, seed)
        print(f"{group}: {len(listed)} modules, {possible} faults possible, {len(drawn)} drawn", flush=True)
        faults += drawn
    if os.environ.get("AGAIN"):
        survived = {told["name"] for told in _results().values() if told["result"] not in (KILLED, TOO_LONG)}
        faults = [fault for fault in faults if fault.name() in survived]
    if os.environ.get("DRAWN"):
        print("\n\n".join(f"{fault.name()}\n{fault.diff()}" for fault in faults))
        return 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "drawn.json").write_text(
        json.dumps(
            {
                "faults": [fault.as_dict() for fault in faults],
                "modules": everywhere,
                "seconds": 60 * float(os.environ.get("MINUTES") or 60),
                "seconds_of_tests": float(os.environ.get("TEST_SECONDS") or 30),
            }
        )
    )
    RESULTS.write_text("")
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "-p", "tests.mutants.runner"]
    command += ["-m", "not slow and not browser", f"--faults={FOLDER / 'drawn.json'}", *tests_of(everywhere)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHONPATH", "KEELSON_"))}
    with (FOLDER / "pytest.log").open("w") as log:
        subprocess.run(command, cwd=ROOT, env=clean, stdout=log, stderr=log, check=False)
    return report(faults)


def _results() -> dict[str, dict[str, Any]]:
    return {told["name"]: told for line in RESULTS.read_text().splitlines() if (told := json.loads(line))}


def report(faults: list[Fault]) -> int:
    results = _results()
    of_groups: dict[str, Counter[str]] = {}
    for fault in faults:
        if told := results.get(fault.name()):
            of_groups.setdefault(fault.group, Counter())[told["result"]] += 1
            if told["result"] not in (KILLED, TOO_LONG):
                print(f"\n{fault.name()}: {told['result']}, {told['tests']} tests\n{fault.diff()}")
    print()
    for group, counts in of_groups.items():
        print(f"{group:22} {counts[KILLED] + counts[TOO_LONG]:3} of {counts.total():3} seen")
    seen = sum(counts[KILLED] + counts[TOO_LONG] for counts in of_groups.values())
    total, seconds = sum(counts.total() for counts in of_groups.values()), sum(t["seconds"] for t in results.values())
    print(f"{seen} of {total} faults seen ({100 * seen / max(total, 1):.0f} %), {seconds / max(total, 1):.1f} s each")
    return 0 if results else 1


if __name__ == "__main__":
    sys.exit(main())
