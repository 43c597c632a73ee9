"""What a Celery worker does before it takes its first task."""

import subprocess
import sys

from launcher.supervisor.plan import ROOT

STARTED = """
import gc, sys, django
django.setup()
from celery.signals import worker_init
from crm.celery import app
app.loader.import_default_modules()
worker_init.send(sender=None)
print(gc.get_freeze_count() > 50_000, gc.get_threshold()[0], "scipy" in sys.modules)
"""


def test_a_worker_leaves_what_it_has_loaded_out_of_garbage_collection_and_scipy_unloaded():
    done = subprocess.run([sys.executable, "-c", STARTED], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["True", "20000", "False"], done.stderr


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
