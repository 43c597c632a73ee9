"""KYC's part of the demo: every verified client's documents as encrypted files, and a queue that waits with real issues.

Leaves `demo.extra["verified_at"]` (client id → when the first level was reached) for the parts above.
"""

from __future__ import annotations

from clients.demo.journeys import Journey
from clients.facts import FACTS, rebuild
from crm.demo import Demo
from kyc.demo import history, questionnaires, waiting


def load(demo: Demo) -> None:
    journeys: list[Journey] = [journey for journey in demo.extra["journeys"] if journey.registered_at is not None]
    demo.progress("Documents", 0, 2)
    demo.extra["verified_at"] = history.write(demo, journeys)
    demo.progress("Documents", 1, 2)
    waiting.write(demo, journeys)
    demo.progress("Documents", 2, 2)
    questionnaires.write(demo, journeys)
    rebuild(FACTS["last_document_at"])
