"""`parent_death_signal.py PARENT COMMAND…`: becomes COMMAND, and is told to stop when the supervisor dies, even by `kill -9`.

A program of its own and not a `preexec_fn`, which may deadlock beside the supervisor's threads. Linux only; elsewhere
the guard alone keeps this promise.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Become the command, to be stopped by the kernel when the supervisor dies."""
    parent = int(sys.argv[1])
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(0)  # the supervisor died before we could ask
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - the supervisor's own plan


main()
