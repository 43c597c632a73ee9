import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings.dev")
application = get_wsgi_application()

from crm.project.memory import freeze_gc  # noqa: E402 — needs a configured Django

freeze_gc()
