"""How log lines look: one form for ours and for libraries', each with the request's id where there is a request.

Each line is one JSON object for a log collector; with KEELSON_LOG_FORMAT=plain people read it. Tracebacks never
show local variables: these hold personal data. Nor do lines hold what databases quote of a row, what people searched for,
or the tokens of links: whoever reads a log is not whoever may read those.
"""

import functools
import re
from typing import Any
from urllib.parse import quote, urlsplit

import structlog
from django.http import HttpRequest, QueryDict
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
LONG_PART = re.compile(r"/[^/]{20,}")
PATH_SIGNS = "/?&<>:"
# Headers that hold no address of a page, cookie or password; gunicorn writes "-" for the others.
PLAIN_HEADERS = {
    "{user-agent}i",
    "{host}i",
    "{x-forwarded-for}i",
    "{x-forwarded-proto}i",
    "{content-type}i",
    "{content-length}i",
    "{content-type}o",
    "{content-length}o",
    "{content-encoding}o",
}


def without_rows(text: str) -> str:
    """Strip an error's text of what the database quotes in it: a row may hold personal data."""
    return QUOTED_VALUE.sub(r"\1…", QUOTED_ROW.sub(r"\1: …", text))


def scrub(_logger: Any, _name: str, event: dict[str, Any]) -> dict[str, Any]:
    """Strip quoted rows from every field; the last step before a line is written."""
    for name, value in event.items():
        if isinstance(value, BaseException):
            value = str(value)
        if isinstance(value, str) and ("DETAIL:" in value or "invalid input" in value or "CONTEXT:" in value):
            event[name] = without_rows(value)
    return event


@functools.lru_cache(maxsize=512)  # each request is logged twice
def safe_path(path: str) -> str:
    """Write a path with its secrets as `<token>`; where it leads nowhere, all parts as long as a secret are hidden."""
    for known in (path, f"{path}/"):
        try:
            arguments = resolve(known).kwargs
        except Resolver404:
            continue
        for name in SECRET_ARGUMENTS & arguments.keys():
            path = path.replace(str(arguments[name]), f"<{name}>")
        return path
    return LONG_PART.sub("/<long>", path)


def names_of(query: str) -> str:
    """Return only the parameters' names of a query, as it follows the path."""
    names = list(QueryDict(query))[:20]
    return f"?{'&'.join(names)}" if names else ""


def safe_address(request: HttpRequest) -> str:
    """Write method and path for the log; secrets of links as `<token>`, and of a query only the names."""
    return f"{request.method} {safe_path(request.path)}{names_of(request.META.get('QUERY_STRING', ''))}"


def safe_atoms(atoms: dict[str, Any]) -> dict[str, Any]:
    """Reduce what the web server's own access log may show: it is off until somebody turns it on, in any format."""
    path = quote(safe_path(str(atoms.get("U") or "")), safe=PATH_SIGNS)
    names = quote(names_of(str(atoms.get("q") or "")), safe=PATH_SIGNS)
    came_from = urlsplit(str(atoms.get("f") or "-"))
    referer = f"{came_from.scheme}://{came_from.netloc}" if came_from.netloc else "-"
    allowed = {name: value for name, value in atoms.items() if not name.startswith("{") or name in PLAIN_HEADERS}
    return {
        **allowed,
        "r": f"{atoms['m']} {path}{names} {atoms['H']}",
        "U": path,
        "q": names[1:],
        "f": referer,
        "u": "-",
    }


class RequestLogMiddleware(RequestMiddleware):
    """One line when a request begins and one when it ends."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        return safe_address(request)

    @classmethod
    def bind_ip(cls, request: HttpRequest) -> None:
        """Log the address that the audit trail has; the library's believes any header, and takes longer."""
        from crm.accounts.network import client_ip  # settings import this module, which is before any app is there

        structlog.contextvars.bind_contextvars(ip=client_ip(request))


# What every line carries, whether it was logged through structlog or through a library's `logging`.
SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure(level: str, *, as_json: bool) -> dict[str, Any]:
    """Set structlog up and return what Django's LOGGING starts from."""
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
