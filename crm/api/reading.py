"""How every resource is read: one statement per list, cursors instead of page numbers, an ETag per record."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final

import orjson
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from ninja import Path, Router

from crm.api import changes, openapi
from crm.api.authentication import Principal
from crm.api.fields import Field
from crm.api.problems import ApiProblem
from crm.api.resources import RESOURCES, Resource
from crm.choices import AccessKind
from crm.conditions import read as read_condition
from crm.db.change_numbers import ChangedIn
from crm.errors import DomainError
from crm.money.numbers import is_whole
from crm.security import access_log
from crm.security.policies import require_permission

LIMIT_DEFAULT: Final = 50
LIMIT_MAX: Final = 200
VALUES_MAX: Final = 50
WHERE_CHARS_MAX: Final = 4000
RANGES: Final = {"gte": "gte", "gt": "gt", "lte": "lte", "lt": "lt"}
RANGE_KINDS: Final = frozenset({"time", "day", "integer", "decimal", "money"})
ID_MAX: Final = 2**63 - 1
RecordId = Annotated[int, Path(..., ge=1, le=ID_MAX)]
SEES_CONTACTS: Final = "crm.see_unmasked_contacts"


@dataclass(frozen=True, slots=True)
class Shape:
    """Which columns are read, and how a row of them becomes the JSON of one record."""

    paths: tuple[Any, ...]
    build: Callable[[Sequence[Any]], dict[str, Any]]
    reveals: bool


def register(router: Router, *resources: Resource) -> None:
    """Give the resources their two addresses each."""
    for resource in resources:
        if resource.name in RESOURCES:
            raise ValueError(f"two resources are called {resource.name}")
        RESOURCES[resource.name] = resource
        add_reads(router, resource)


def add_reads(router: Router, resource: Resource) -> None:
    """Add the list and the record of a resource to an app's router."""

    def read_list(request: HttpRequest) -> HttpResponse:
        return answer_list(request, resource)

    def read_record(request: HttpRequest, id: RecordId) -> HttpResponse:
        return answer_record(request, resource, id)

    plural, noun = resource.name.replace("-", "_"), resource.noun
    shared: dict[str, Any] = {"tags": [resource.name], "auth": openapi.auth()}
    router.add_api_operation(
        f"/v1/{resource.name}",
        ["GET"],
        read_list,
        operation_id=f"list_{plural}",
        url_name=f"list_{plural}",
        summary=f"List {plural.replace('_', ' ')}",
        openapi_extra=openapi.of_list(resource),
        **shared,
    )
    router.add_api_operation(
        f"/v1/{resource.name}/{{id}}",
        ["GET"],
        read_record,
        operation_id=f"read_{noun.replace(' ', '_')}",
        url_name=f"read_{noun.replace(' ', '_')}",
        summary=f"Read one {noun}",
        openapi_extra=openapi.of_record(resource),
        **shared,
    )


def require_access(principal: Principal, resource: Resource) -> None:
    """Require the scope, then the right that the resource's pages ask for. Raises: ApiProblem, NotAllowed."""
    principal.require(resource.scope)
    user = principal.user
    if user.is_team and resource.permission:
        require_permission(user, resource.permission)
    elif not user.is_partner:
        raise ApiProblem("not_allowed", "This is open to partners' own tokens only.")
    elif resource.partner_may is None:
        raise ApiProblem("not_allowed", "This isn't open to partners.")
    elif not resource.partner_may(user):
        raise ApiProblem("not_allowed", "Your role in the team doesn't include this.")


def answer_list(request: HttpRequest, resource: Resource) -> HttpResponse:
    """Answer a page of a list; what was shown is in the access log like an export."""
    principal: Principal = request.auth  # type: ignore[attr-defined]
    require_access(principal, resource)
    params = _parameters(request, resource)
    limit = _limit(params.pop("limit", ""))
    cursor, since = params.pop("cursor", ""), params.pop("updated_since", "")
    if since and "order" in params:
        raise ApiProblem("invalid_request", "updated_since has an order of its own.", parameter="order")
    stretch = changes.stretch_after(cursor or since) if since else None
    order = changes.ORDER if stretch else _order(resource, params.pop("order", ""))
    shape = shape_of(resource, principal, params.pop("fields", ""), params.pop("expand", ""))
    where = _where(resource, principal, params.pop("where", ""))
    rows = resource.rows(principal.user).filter(_filters(resource, params), where)
    if stretch:
        rows = rows.annotate(changed_in=ChangedIn()).filter(stretch.condition)
    elif cursor:
        rows = rows.filter(_after(order, _read_cursor(cursor, order)))
    keys = tuple(name.lstrip("-") for name in order)
    columns = (*shape.paths, *(key for key in keys if key not in shape.paths))
    found = list(rows.order_by(*order).values_list(*columns)[: limit + 1])
    more = len(found) > limit
    found = found[:limit]
    last = [found[-1][columns.index(key)] for key in keys] if more else None
    body: dict[str, Any] = {"data": [shape.build(row) for row in found], "next_cursor": None}
    if stretch:
        body["updated_until"] = stretch.mark(last)
        body["next_cursor"] = body["updated_until"] if more else None
    elif last:
        body["next_cursor"] = _write_cursor(last)
    if found:
        _note(principal, resource, AccessKind.EXPORT, shape, rows=len(found))
    response = HttpResponse(json_of(body), content_type="application/json")
    if more:
        query = request.GET.copy()
        query["cursor"] = str(body["next_cursor"])
        response["Link"] = f'<{request.build_absolute_uri(f"{request.path}?{query.urlencode()}")}>; rel="next"'
    return response


def answer_record(request: HttpRequest, resource: Resource, record_id: int) -> HttpResponse:
    """Answer one record with its ETag; viewing it is in the access log."""
    principal: Principal = request.auth  # type: ignore[attr-defined]
    require_access(principal, resource)
    params = _parameters(request, resource, is_record=True)
    shape = shape_of(resource, principal, params.get("fields", ""), params.get("expand", ""))
    body, client_id = read_one(resource, principal, record_id, shape)
    _note(principal, resource, AccessKind.VIEW, shape, client_id=client_id, record_id=record_id)
    tag = etag_of(body)
    if is_among(tag, request.headers.get("If-None-Match", "")):
        return HttpResponse(status=304, headers={"ETag": tag})
    return HttpResponse(json_of(body), content_type="application/json", headers={"ETag": tag})


def read_one(
    resource: Resource, principal: Principal, record_id: int, shape: Shape | None = None
) -> tuple[dict[str, Any], int | None]:
    """Read one record that the principal may see, and the client it is about. Raises: Http404."""
    shape = shape or shape_of(resource, principal, "", "")
    paths = (*shape.paths, resource.client) if resource.client else shape.paths
    row = resource.rows(principal.user).filter(pk=record_id).values_list(*paths).first()
    if row is None:
        raise Http404
    return shape.build(row), row[-1] if resource.client else None


def is_among(tag: str, given: str) -> bool:
    """Compare an ETag with those of If-Match or If-None-Match.

    Whoever compresses an answer on its way, ourselves or a proxy, marks its ETag as weak (`W/`): the record is the same.
    """
    return tag in (one.strip().removeprefix("W/") for one in given.split(","))


def json_of(body: dict[str, Any]) -> bytes:
    """Write an answer's JSON: times in UTC, as `Z` says."""
    return orjson.dumps(body, option=orjson.OPT_UTC_Z)


def etag_of(body: dict[str, Any]) -> str:
    """Tag a record's content, so that a writer can say which state they have seen."""
    return f'"{hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]}"'


def shape_of(resource: Resource, principal: Principal, fields: str, expand: str) -> Shape:
    """Choose columns for `fields` and `expand`. Raises: ApiProblem for names that there aren't, or a lacking scope."""
    chosen = _chosen(resource, fields)
    parts: list[tuple[str, str, Field]] = [("", one.name, one) for one in chosen]
    for name in _names(expand, "expand"):
        other = resource.expand.get(name)
        if other is None:
            raise ApiProblem("invalid_request", f"expand: {name} can't be expanded here.", parameter="expand")
        require_access(principal, other)
        parts += [(name, one.name, one.under(name)) for one in other.fields]
    in_full = "contacts:read" in principal.scopes and principal.user.has_perm(SEES_CONTACTS)
    paths: list[Any] = []
    steps: list[tuple[str, str, int, int, Callable[..., Any] | None]] = []
    for group, name, one in parts:
        read = one.mask if one.mask and not in_full else one.read
        steps.append((group, name, len(paths), len(paths) + len(one.paths), read))
        paths += one.columns(principal.user)
    return Shape(tuple(paths), _builder(steps), in_full and any(one.mask for _group, _name, one in parts))


def _builder(
    steps: list[tuple[str, str, int, int, Callable[..., Any] | None]],
) -> Callable[[Sequence[Any]], dict[str, Any]]:
    names = {
        group: [step[1] for step in steps if step[0] == group] for group in dict.fromkeys(step[0] for step in steps)
    }
    firsts = {group: [step[2] for step in steps if step[0] == group] for group in names}
    reads = [step for step in steps if step[4] is not None]

    def build(row: Sequence[Any]) -> dict[str, Any]:
        groups = {group: dict(zip(names[group], [row[at] for at in firsts[group]], strict=True)) for group in names}
        for group, name, start, end, read in reads:
            groups[group][name] = read(*row[start:end])  # type: ignore[misc]
        record = groups.pop("", {})
        for group, inner in groups.items():
            record[group] = None if inner.get("id", 0) is None else inner
        return record

    return build


def _chosen(resource: Resource, fields: str) -> list[Field]:
    names = _names(fields, "fields")
    if not names:
        return list(resource.fields)
    by_name = resource.by_name
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise ApiProblem("invalid_request", f"fields: there is no {', '.join(unknown)}.", parameter="fields")
    return [by_name[name] for name in dict.fromkeys(names)]


def _names(value: str, parameter: str) -> list[str]:
    names = [name.strip() for name in value.split(",") if name.strip()]
    if len(names) > VALUES_MAX:
        raise ApiProblem("invalid_request", f"{parameter}: at most {VALUES_MAX} names.", parameter=parameter)
    return names


def _parameters(request: HttpRequest, resource: Resource, *, is_record: bool = False) -> dict[str, str]:
    """Take the address's parameters, each once, none that isn't known. Raises: ApiProblem."""
    known = {"fields", "expand"} if is_record else {"fields", "expand", "limit", "order", "cursor"}
    if resource.tracks_changes and not is_record:
        known.add("updated_since")
    if resource.vocabulary is not None and not is_record:
        known.add("where")
    taken: dict[str, str] = {}
    for name, values in request.GET.lists():
        base = name.partition("[")[0]
        if name not in known and (is_record or base not in resource.filters):
            raise ApiProblem("invalid_request", f"There is no parameter {name[:60]}.", parameter=name[:60])
        if len(values) > 1:
            raise ApiProblem("invalid_request", f"{name} is given twice.", parameter=name)
        taken[name] = values[0]
    return taken


def _limit(text: str) -> int:
    if not text:
        return LIMIT_DEFAULT
    if not is_whole(text) or not 1 <= int(text) <= LIMIT_MAX:
        raise ApiProblem("invalid_request", f"limit is a number from 1 to {LIMIT_MAX}.", parameter="limit")
    return int(text)


def _order(resource: Resource, text: str) -> tuple[str, ...]:
    """Return the keyset of the resource, or its opposite. Raises: ApiProblem."""
    newest = resource.order
    oldest = tuple(name[1:] if name.startswith("-") else f"-{name}" for name in newest)
    if text in ("", "newest"):
        return newest
    if text != "oldest":
        raise ApiProblem("invalid_request", "order is newest or oldest.", parameter="order")
    return oldest


def _where(resource: Resource, principal: Principal, text: str) -> Q:
    """Read a condition over the facts registry, as lists and segments have it. Raises: ApiProblem."""
    if not text or resource.vocabulary is None:
        return Q()
    try:
        data = orjson.loads(text) if len(text) <= WHERE_CHARS_MAX else None
        if not isinstance(data, dict):
            raise ApiProblem("invalid_request", "where: a JSON object, at most 4000 characters.", parameter="where")
        return read_condition({"version": 1, **data}, resource.vocabulary(principal.user)).q(timezone.now())
    except ValueError as error:
        raise ApiProblem("invalid_request", "where isn't valid JSON.", parameter="where") from error
    except DomainError as error:
        raise ApiProblem("invalid_request", f"where: {error.message}", parameter="where") from error


def _filters(resource: Resource, params: dict[str, str]) -> Q:
    condition = Q()
    for name, value in params.items():
        base, bracket, rest = name.partition("[")
        one = resource.by_name[base]
        path = one.paths[0]
        if bracket:
            operator = RANGES.get(rest.removesuffix("]"))
            if operator is None or not rest.endswith("]") or one.kind not in RANGE_KINDS:
                raise ApiProblem("invalid_request", f"There is no parameter {name[:60]}.", parameter=name[:60])
            condition &= Q(**{f"{path}__{operator}": _value(one, value, name)})
        else:
            values = [_value(one, part, name) for part in _names(value, name)]
            condition &= Q(**{f"{path}__in": values}) if len(values) != 1 else Q(**{path: values[0]})
    return condition


def _value(one: Field, value: str, name: str) -> Any:
    """Read a filter's value by its field's kind. Raises: ApiProblem."""
    read: Any = None
    if one.kind == "integer" and is_whole(value.removeprefix("-")) and abs(int(value)) <= ID_MAX:
        read = int(value)
    elif one.kind == "boolean" and value in ("true", "false"):
        return value == "true"
    elif one.kind == "text" and "\x00" not in value:
        read = value
    else:
        read = _date_or_number(one.kind, value)
    if read is None:
        raise ApiProblem("invalid_request", f"{name}: {value[:60]!r} isn't a valid {one.kind}.", parameter=name)
    return read


def _date_or_number(kind: str, value: str) -> Any:
    try:
        if kind == "time":
            moment = parse_datetime(value.replace(" ", "+"))
            return moment if moment and moment.tzinfo and dt.MINYEAR < moment.year < dt.MAXYEAR else None
        if kind == "day":
            return parse_date(value)
        if kind in ("decimal", "money"):
            number = Decimal(value)
            return number if number.is_finite() and abs(number) < Decimal(10) ** 18 else None
    except (ValueError, InvalidOperation):
        return None
    return None


def _after(order: tuple[str, ...], values: list[Any]) -> Q:
    """Rows behind the cursor in the order: (a, b) after (x, y), written out so that the index is used."""
    condition = Q()
    equal = Q()
    for name, value in zip(order, values, strict=True):
        field_name, operator = name.lstrip("-"), "lt" if name.startswith("-") else "gt"
        condition |= equal & Q(**{f"{field_name}__{operator}": value})
        equal &= Q(**{field_name: value})
    if len(order) > 1:  # one range of the index, however far one goes
        first, is_down = order[0].lstrip("-"), order[0].startswith("-")
        condition &= Q(**{f"{first}__{'lte' if is_down else 'gte'}": values[0]})
    return condition


def _write_cursor(values: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(list(values))).decode().rstrip("=")


def _read_cursor(text: str, order: tuple[str, ...]) -> list[Any]:
    try:
        values = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise ApiProblem("invalid_cursor", "This cursor isn't one of ours.") from error
    is_list = isinstance(values, list) and len(values) == len(order)
    if not is_list or not all(_is_key(name, value) for name, value in zip(order, values, strict=True)):
        raise ApiProblem("invalid_cursor", "This cursor belongs to another list.")
    return list(values)


def _is_key(name: str, value: Any) -> bool:
    if name.lstrip("-").endswith("_at"):
        return isinstance(value, str) and _date_or_number("time", value) is not None
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= ID_MAX


def _note(
    principal: Principal,
    resource: Resource,
    kind: AccessKind,
    shape: Shape,
    *,
    rows: int = 1,
    client_id: int | None = None,
    record_id: int | None = None,
) -> None:
    target = f"api:{resource.name}" + (f":{record_id}" if record_id else "")
    about: dict[str, Any] = {"user": principal.user, "client_id": client_id, "brand_id": principal.user.brand_id}
    access_log.note(kind=kind, target=target, rows=rows, **about)
    if shape.reveals:
        access_log.note(kind=AccessKind.REVEAL, target=target, rows=rows, reason="contacts:read", **about)
