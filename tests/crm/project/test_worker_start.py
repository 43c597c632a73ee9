"""What a Celery worker does before it takes its first task."""

import subprocess
import sys

from launcher.supervisor.plan import ROOT

STARTED = """
import gc, django
django.setup()
from celery.signals import worker_init
from crm.celery import app
app.loader.import_default_modules()
worker_init.send(sender=None)
print(gc.get_freeze_count() > 50_000, gc.get_threshold()[0])
"""


def test_a_worker_leaves_what_it_has_loaded_out_of_garbage_collection():
    done = subprocess.run([sys.executable, "-c", STARTED], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["True", "20000"], done.stderr
