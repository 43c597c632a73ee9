"""Regular expressions meet what strangers write: each of them must be linear, however long that is."""

import json
import subprocess
import sys
from pathlib import Path

PROBE = Path(__file__).with_name("pattern_probe.py")
# Patterns that are put together while the code runs, by file: how many. Each was read: literals escaped, repetitions bounded.
COMPOSED = {
    "crm/files/parsing/child/bundles.py": 2,
    "crm/files/parsing/child/traces.py": 1,
    "crm/i18n/catalogues.py": 2,
    "kyc/dates.py": 3,
    "kyc/examination/document_types.py": 1,
    "kyc/examination/issuers.py": 1,
    "kyc/examination/licences.py": 2,
    "kyc/examination/printed.py": 1,
    "kyc/examination/visual.py": 2,
    "kyc/names.py": 1,
    "compliance/matching/east_asian.py": 1,
    "compliance/matching/sounds.py": 1,
    "compliance/matching/trade_words.py": 1,
    "risk/retention/complaints.py": 1,
    "sandbox/ctrader/rest.py": 1,
    "sandbox/matchtrader/site.py": 1,
    "sandbox/mt5/users.py": 1,
    "sandbox/phone/ari.py": 1,
    "sandbox/psp/server.py": 1,
    "trading/servers/forms.py": 1,
    "trading/platforms/ctrader/units.py": 1,
    "trading/platforms/matchtrader/options.py": 2,
    "trading/platforms/mt4/text.py": 1,
    "trading/platforms/mt5/export.py": 1,
    "trading/platforms/mt5/units.py": 1,
    "trading/core/passwords.py": 1,
    "trading/servers/connection_settings.py": 2,
    "wallet/reconciliation/own_bank.py": 1,
    "wallet/core/creditor_reference.py": 2,
    "wallet/statement_formats/swift_text.py": 1,
}


def test_no_pattern_takes_long_for_a_long_text():
    """Forty thousand characters made from each pattern itself; half a second of processor time is a hundred times what it needs."""
    done = subprocess.run([sys.executable, str(PROBE)], capture_output=True, text=True, timeout=900, check=True)
    told = json.loads(done.stdout)
    assert told["patterns"] > 150, "the probe has lost sight of the code"
    assert told["slow"] == {}, "these grow faster than their text: bound their repetitions, or read by hand"
    counted: dict[str, int] = {}
    for place in told["composed"]:
        name = place.partition(":")[0]
        counted[name] = counted.get(name, 0) + 1
    assert counted == COMPOSED, "a pattern was put together anew: read it, then count it here"


def test_the_probe_finds_a_pattern_that_grows_with_the_square():
    words = "import re\nimport pattern_probe as p, signal\nsignal.signal(signal.SIGVTALRM, p._stop)\n"
    words += "print(bool(p.is_slow(p.Use('x', r'(.*?)\\s*$', 0, {'search'}))), bool(p.is_slow(p.Use('x', r'a+b', 0, {'match'}))))"
    done = subprocess.run(
        [sys.executable, "-c", words], capture_output=True, text=True, cwd=PROBE.parent, timeout=300, check=True
    )
    assert done.stdout.split() == ["True", "False"]
