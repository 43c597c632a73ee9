"""The clients' part of the demo: everyone the brokerage knows, and three months of work with them.

Leaves for the parts above in `demo.extra`: `lives`, a `clients.demo.lives.Life` per person with `client_id` set.
`finish` runs after all parts: it tells the steps between stages at the times at which money and trades really moved.
"""

from __future__ import annotations

from clients.demo import looks, write
from clients.demo.lives import Life, tell_lives
from crm.demo import Demo


def load(demo: Demo) -> None:
    demo.progress("People, calls and follow-ups", 0, 3)
    lives: list[Life] = tell_lives(demo)
    demo.extra["lives"] = lives
    write.write_people(demo, lives)
    demo.progress("People, calls and follow-ups", 1, 3)
    write.write_work(demo, lives)
    demo.progress("People, calls and follow-ups", 2, 3)
    looks.write_access(demo, lives)
    demo.progress("People, calls and follow-ups", 3, 3)


def finish(demo: Demo) -> None:
    write.write_stages(demo, demo.extra["lives"])
