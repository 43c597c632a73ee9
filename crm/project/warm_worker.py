"""The RQ worker, ready before the first job: what takes seconds to load is loaded once and shared with every job's process."""

from __future__ import annotations

from typing import Any

from rq import Worker

from crm.project.memory import warm_up
from crm.rendering import letter


class WarmWorker(Worker):
    """Each job runs in a fork of this process: WeasyPrint, fonts and tables of names come with it, loaded once."""

    def work(self, *args: Any, **kwargs: Any) -> bool:
        letter.warm_up()
        warm_up()
        return super().work(*args, **kwargs)
