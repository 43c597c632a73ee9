"""Whether the collected static files are current: collecting hashes and compresses them all, which takes seconds."""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def place(chosen: Path | None, var_dir: Path) -> Path:
    """Where they go: as chosen, if current or ours to write; else under `var/`."""
    if chosen and (are_current(chosen) or os.access(chosen.parent, os.W_OK)):
        return chosen
    return var_dir / "staticfiles"


def _stamp(static_root: Path) -> Path:
    return static_root.with_name(f"{static_root.name}.stamp")


def _fingerprint() -> str:
    """Our own files by name, size and time; those of packages by the pinned requirements."""
    digest = hashlib.sha256((ROOT / "requirements" / "base.txt").read_bytes())
    own = [ROOT / "crm" / "project" / "bundles.py", *(ROOT / "static").rglob("*"), *ROOT.glob("*/static/**/*")]
    for path in sorted(path for path in own if path.is_file()):
        info = path.stat()
        digest.update(f"{path.relative_to(ROOT)} {info.st_size} {info.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def are_current(static_root: Path) -> bool:
    """Tell whether static files were collected from the sources as they are now."""
    with contextlib.suppress(OSError):
        return (static_root / "staticfiles.json").exists() and _stamp(static_root).read_text() == _fingerprint()
    return False


@contextlib.contextmanager
def collecting(static_root: Path) -> Iterator[bool]:
    """Yield whether they have to be collected, while no other start collects the same; record them as current after."""
    if are_current(static_root):
        yield False
        return
    static_root.parent.mkdir(parents=True, exist_ok=True)
    with static_root.with_name(f"{static_root.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stale = not are_current(static_root)
        yield stale
        if stale:
            _stamp(static_root).write_text(_fingerprint())
