"""How log lines look: one form for ours and for libraries', each with the request's id where there is a request.

Each line is one JSON object for a log collector; with KEELSON_LOG_FORMAT=plain people read it. Tracebacks never
show local variables: these hold personal data. Nor do lines hold what databases quote of a row, what people searched for,
or the tokens of links: whoever reads a log is not whoever may read those.
"""

import re
from typing import Any

import structlog
from django.http import HttpRequest
from django.urls import Resolver404, resolve
from django_structlog.middlewares import RequestMiddleware

# How PostgreSQL quotes rows and values: the rest of its message up to what Python adds.
QUOTED_ROW = re.compile(
    r"(DETAIL|CONTEXT|QUERY|LINE \d+):\s.*?(?=\n(?:HINT|DETAIL|CONTEXT|QUERY|Traceback|The above|During handling|  File )|\Z)",
    re.S,
)
QUOTED_VALUE = re.compile(
    r"((?:invalid input syntax|invalid input value|value|date/time field value)[^:\n]{0,80}: )\"[^\n]*"
)
SECRET_ARGUMENTS = {"token", "key", "code", "secret", "uidb64"}


def without_rows(text: str) -> str:
    """An error's text without what the database quotes in it."""
    return QUOTED_VALUE.sub(r"\1…", QUOTED_ROW.sub(r"\1: …", text))


def scrub(_logger: Any, _name: str, event: dict[str, Any]) -> dict[str, Any]:
    """The last thing before a line is written: no field holds a quoted row."""
    for name, value in event.items():
        if isinstance(value, BaseException):
            value = str(value)
        if isinstance(value, str) and ("DETAIL:" in value or "invalid input" in value or "CONTEXT:" in value):
            event[name] = without_rows(value)
    return event


def safe_address(request: HttpRequest) -> str:
    """Method and path; secrets of links stand as `<token>`, and of a query only the names."""
    path = request.path
    try:
        arguments = resolve(path).kwargs
    except Resolver404:
        arguments = {}
    for name, value in arguments.items():
        if name in SECRET_ARGUMENTS:
            path = path.replace(str(value), f"<{name}>")
    names = "&".join(list(request.GET)[:20])
    return f"{request.method} {path}{'?' + names if names else ''}"


class RequestLogMiddleware(RequestMiddleware):
    """One line when a request begins and one when it ends."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        return safe_address(request)


# What every line carries, whether it was logged through structlog or through a library's `logging`.
SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure(level: str, *, as_json: bool) -> dict[str, Any]:
    """Sets structlog up and returns what Django's LOGGING starts from."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderers: list[Any] = [
        structlog.dev.ConsoleRenderer(
            colors=False, pad_event_to=0, pad_level=False, exception_formatter=structlog.dev.plain_traceback
        )
    ]
    if as_json:
        renderers = [structlog.processors.JSONRenderer()]
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": SHARED,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            scrub,
            *renderers,
        ],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": formatter},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": level},
    }
