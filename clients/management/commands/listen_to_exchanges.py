"""`manage.py listen_to_exchanges`: receives the events of phone exchanges that send them over a WebSocket (Asterisk)."""

from __future__ import annotations

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from clients.telephony.listening import listen


class Command(BaseCommand):
    help = "Listen to the phone exchanges that send their events over a WebSocket, until stopped."

    def handle(self, *args: Any, **options: Any) -> None:
        stopping = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_signal: stopping.set())
        listen(stopping)
