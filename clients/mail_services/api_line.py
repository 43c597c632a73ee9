"""django-anymail's backends over our own HTTP. Imported when an e-mail is sent: both libraries are slow to load."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from django.core.mail.backends.base import BaseEmailBackend
from requests import PreparedRequest, Response, Session
from requests.adapters import BaseAdapter

from crm.connections.http import Line

# Answers that the backends read themselves: which recipients a service refuses, and why.
READ_BY_BACKEND: Final = (422,)
# What our own HTTP decides.
OWN_HEADERS: Final = frozenset({"accept-encoding", "connection", "content-length"})


class _OverLine(BaseAdapter):
    """The library's plug for HTTP: our own bounds and errors, which pass through it as they are."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self.line = line

    def send(self, request: PreparedRequest, *_args: Any, **_options: Any) -> Response:
        content: Any = request.body or b""
        answer = self.line.send(
            request.method or "POST",
            request.url or "",
            headers={name: str(value) for name, value in request.headers.items() if name.lower() not in OWN_HEADERS},
            content=content.encode() if isinstance(content, str) else bytes(content),
            accepts=READ_BY_BACKEND,
        )
        response = Response()
        response.status_code, response.reason = answer.status_code, answer.reason_phrase
        response.url, response.request, response.encoding = str(request.url), request, "utf-8"
        response.headers.update(answer.headers)
        response._content = answer.content
        return response

    def close(self) -> None:
        """Keep nothing open between two e-mails."""


def backend_over(line: Line, *, name: str, **settings: str) -> BaseEmailBackend:
    """Make anymail's backend of a service, which sends over `line`."""
    backend: BaseEmailBackend = import_module(f"anymail.backends.{name}").EmailBackend(**settings)
    session = Session()
    session.trust_env = False
    for scheme in ("https://", "http://"):
        session.mount(scheme, _OverLine(line))
    backend.session = session  # type: ignore[attr-defined]  # given before it is opened: it opens none of its own
    return backend
