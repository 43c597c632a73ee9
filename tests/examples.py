"""How many examples a costly property is tried with.

Each run draws others, so a few a run become many in a week; `KEELSON_EXAMPLES=40 pytest …` tries forty times as many in one.
"""

import os

TIMES = int(os.environ.get("KEELSON_EXAMPLES", "1"))


def examples(few: int) -> int:
    return few * TIMES
