"""The constants of our sources, which Hypothesis mixes into its examples: read once a run (`tests/ready.py`), where each test
process would read all sources as Python. All of them, so that examples don't depend on what else is collected or loaded."""

import os
import pickle
import sys

from django.conf import settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants, _constants_from_source

from tests.database import ROOT, digest


def give_to_hypothesis() -> None:
    """As its own reading of all modules that are loaded by now."""
    loaded = [module for module in sys.modules.values() if str(getattr(module, "__file__", "")).startswith(f"{ROOT}/")]
    providers._seen_modules.update(map(id, loaded))
    providers._local_constants |= Constants(**stored())


def stored() -> dict[str, set]:
    """Those of all our modules but migrations; read, and kept for other processes, where the sources are new."""
    paths = [
        path
        for folder in ("bench", "launcher", "sandbox", *settings.KEELSON_APPS)
        for path in (ROOT / folder).rglob("*.py")
        if "migrations" not in path.parts
    ]
    file = settings.VAR_DIR / f"constants-{digest(paths)}.pickle"
    if file.exists():
        return pickle.loads(file.read_bytes())
    found: dict[str, set] = {"integers": set(), "floats": set(), "bytes": set(), "strings": set()}
    for path in paths:
        constants = _constants_from_source(path.read_bytes(), limit=True)
        for kind, values in found.items():
            values |= getattr(constants, kind)
    for old in settings.VAR_DIR.glob("constants-*"):
        old.unlink(missing_ok=True)
    draft = settings.VAR_DIR / f"constants.{os.getpid()}"
    draft.write_bytes(pickle.dumps(found))
    draft.replace(file)
    return found
