"""One supervised process: its output with its name in front, its end noticed, its restarts paced."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from typing import TextIO

from launcher.supervisor.plan import TETHER, Child
from launcher.supervisor.statics import ROOT

BACK_OFF_SECONDS = (0.5, 1, 2, 4, 8)
# This many ends in this time and we stop trying: the fault is not one that another start mends.
CRASHES_MAX = 5
CRASH_WINDOW_SECONDS = 60
COLOURS = (36, 32, 35, 34, 33, 96, 92, 95, 94, 93)
RESET = "\033[0m"


class Output:
    """Where all processes write, line by line, each line whole."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.lock = threading.Lock()
        self.colours = stream.isatty() and not os.environ.get("NO_COLOR")
        self.numbers: dict[str, int] = {}

    def line(self, name: str, text: str) -> None:
        with self.lock, contextlib.suppress(OSError, ValueError):  # whoever read us may be gone: keep running
            label = f"{name:<12}"
            if self.colours:
                colour = COLOURS[self.numbers.setdefault(name, len(self.numbers)) % len(COLOURS)]
                label = f"\033[{colour}m{label}{RESET}"
            self.stream.write(f"{label} | {text}\n")
            self.stream.flush()

    def plain(self, text: str) -> None:
        with self.lock, contextlib.suppress(OSError, ValueError):
            self.stream.write(f"{text}\n")
            self.stream.flush()


class Running:
    """A child as it runs now. Start and restart only from the main thread: Linux ties a child to the thread's life."""

    def __init__(self, child: Child, environment: dict[str, str], output: Output) -> None:
        self.child = child
        self.environment = {**environment, **child.environment, "KEELSON_PROCESS": child.name}
        self.output = output
        self.process: subprocess.Popen[str] | None = None
        self.last_lines: deque[str] = deque(maxlen=20)
        self.ends: deque[float] = deque(maxlen=CRASHES_MAX)
        self.start_again_at = 0.0
        self.reader: threading.Thread | None = None

    @property
    def name(self) -> str:
        return self.child.name

    def start(self, *, in_terminal: bool = False) -> None:
        """Start the process. `in_terminal`: it writes to our own output as it likes (a progress bar), without name."""
        self.process = subprocess.Popen(
            [sys.executable, "-S", "-E", str(TETHER), str(os.getpid()), *self.child.command],
            stdin=subprocess.DEVNULL,
            stdout=self.output.stream if in_terminal else subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            bufsize=1,
            cwd=ROOT,
            env=self.environment,
            process_group=0,  # a Ctrl-C in the terminal reaches the supervisor alone, which stops all in order
        )
        if in_terminal:
            return
        self.reader = threading.Thread(target=self._read, args=(self.process,), daemon=True, name=f"read {self.name}")
        self.reader.start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        with process.stdout, contextlib.suppress(ValueError, OSError):
            for line in process.stdout:
                self.last_lines.append(line.rstrip())
                self.output.line(self.name, line.rstrip())

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def note_end(self) -> bool:
        """After an unasked end: plans the restart. False when it ended too often to go on."""
        assert self.process
        now = time.monotonic()
        self.ends.append(now)
        self._end_group()
        how = describe_end(self.process.returncode)
        if len(self.ends) == CRASHES_MAX and now - self.ends[0] < CRASH_WINDOW_SECONDS:
            self.output.line(self.name, f"{how}, {CRASHES_MAX} times within {CRASH_WINDOW_SECONDS} s: giving up")
            return False
        recent = sum(1 for end in self.ends if now - end < CRASH_WINDOW_SECONDS)
        pause = BACK_OFF_SECONDS[min(recent, len(BACK_OFF_SECONDS)) - 1]
        self.start_again_at = now + pause
        self.output.line(self.name, f"{how}; starting it again in {pause:g} s")
        self.process = None
        return True

    def ask_to_stop(self) -> None:
        """SIGTERM to the process itself: servers and workers finish what they hold and end their own children."""
        if self.is_alive:
            assert self.process
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self._end_group()
        if self.process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=5)

    def _end_group(self) -> None:
        if self.process:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def finish_output(self) -> None:
        if self.reader:
            self.reader.join(timeout=1)


def describe_end(code: int | None) -> str:
    """Describe how a process ended: by a signal or with an exit code."""
    if code is not None and code < 0:
        return f"ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
