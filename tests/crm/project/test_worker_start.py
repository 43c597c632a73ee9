"""What a start loads, and what a Celery worker does before it takes its first task."""

import subprocess
import sys

from launcher.supervisor.plan import ROOT

STARTED = """
import gc, sys, django
django.setup()
from crm.project.memory import LATE
print([name for name in LATE if name in sys.modules], gc.isenabled(), gc.get_freeze_count() > 50_000)
from celery.signals import worker_init
from crm.celery import app
app.loader.import_default_modules()
worker_init.send(sender=None)
print(gc.get_freeze_count() > 50_000, gc.get_threshold()[0], "scipy" in sys.modules, all(name in sys.modules for name in LATE))
"""


def test_a_start_loads_no_late_library_and_a_worker_all_but_scipy_before_it_freezes():
    done = subprocess.run([sys.executable, "-c", STARTED], cwd=ROOT, capture_output=True, text=True, check=False)
    setup, worker = done.stdout.splitlines() or ("", done.stderr)
    assert setup == "[] True True", "Import it in the functions that use it (crm.project.memory.LATE)."
    assert worker.split() == ["True", "20000", "False", "True"]


BETWEEN_TASKS = """
import django
django.setup()
from celery.contrib.testing.worker import start_worker
from django.db import connection
from crm.celery import app

app.conf.update(broker_url="memory://", worker_hijack_root_logger=False, broker_transport_options={})
seen = []

@app.task
def tell_connection():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        seen.append(cursor.fetchone()[0])

@app.task
def lose_connection():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

with start_worker(app, pool="solo", perform_ping_check=False):
    for task in (tell_connection, tell_connection, lose_connection, tell_connection):
        task.apply_async(queue="default")
    import time
    ends = time.monotonic() + 30
    while len(seen) < 3 and time.monotonic() < ends:
        time.sleep(0.05)
print("seen", seen[0] == seen[1], seen[1] != seen[2])
"""


def test_a_task_finds_the_connection_of_the_one_before_and_a_new_one_where_that_broke():
    done = subprocess.run([sys.executable, "-c", BETWEEN_TASKS], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "seen True True" in done.stdout, done.stdout + done.stderr
