"""The ASGI entry point: live updates by themselves, everything else through Django."""

import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings.dev")
django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402

from crm import live  # noqa: E402

pages = get_asgi_application()


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http" and scope["path"] == live.PATH:
        await live.live(scope, receive, send)
    else:
        await pages(scope, receive, send)
