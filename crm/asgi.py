"""The ASGI entry point: live updates, and nothing else of the site.

Pages belong to the web server, which bounds what strangers send. Whatever else is asked for here is answered without its body
being read.
"""

import asyncio
import os
from collections.abc import MutableMapping
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings.dev")
django.setup()

from django.core.asgi import get_asgi_application  # noqa: E402

from crm.pages import health  # noqa: E402
from crm.web import live  # noqa: E402

pages = get_asgi_application()


async def application(scope: live.Scope, receive: live.Receive, send: live.Send) -> None:
    """Serve what needs an event loop: live updates and the health check; everything else is a 404."""
    if scope["type"] != "http":
        await send({"type": "websocket.close"})
    elif scope["path"] == live.PATH:
        await live.live(scope, receive, send)
    elif scope["path"] == health.PATH and scope["method"] in ("GET", "HEAD"):
        await pages(scope, _no_body(), send)  # type: ignore[arg-type]
    else:
        headers = [*live.headers("text/plain", ""), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 404, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def _no_body() -> live.Receive:
    """Tell of an empty body once: while Django answers it listens for the end of the connection, and for nothing else."""
    is_told = False

    async def receive() -> MutableMapping[str, Any]:
        nonlocal is_told
        if is_told:
            await asyncio.Event().wait()  # until Django has answered and listens no longer
        is_told = True
        return {"type": "http.request", "body": b"", "more_body": False}

    return receive
