"""Small YAML files of settings, read from strangers and written: every value as text, so that amounts stay exact."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import yaml
from django.utils.translation import gettext as _
from pydantic import ValidationError

from crm.errors import DomainError


class _Number(str):
    """A decimal, written as it is."""


class _Dumper(yaml.SafeDumper):
    pass


def _number(dumper: yaml.SafeDumper, text: _Number) -> yaml.Node:
    kind = "float" if "." in text else "int"
    return dumper.represent_scalar(f"tag:yaml.org,2002:{kind}", str(text))


_Dumper.add_representer(_Number, _number)


def plain(value: Decimal) -> _Number:
    """Return a decimal as YAML writes it: no zeros at its end, no exponent."""
    return _Number(f"{value.normalize():f}")


def write_tree(data: Any) -> str:
    """Write lists, dicts and values as YAML, in their order."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


def read_tree(content: bytes, *, bytes_max: int, nodes_max: int) -> Any:
    """Parse a file into lists, dicts and texts. Aliases, tags and keys that come twice are refused: settings need none.

    Raises: DomainError that names the line: too large, no text, no YAML.
    """
    if len(content) > bytes_max:
        raise DomainError(_("The file is larger than a plan can be (%(most)s bytes).") % {"most": bytes_max})
    try:
        text = content.decode("utf-8-sig")
        for count, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
            if count > nodes_max:
                raise DomainError(_("The file has more entries than a plan can have."))
            if isinstance(event, yaml.AliasEvent) or getattr(event, "tag", None) is not None:
                raise DomainError(
                    _("Line %(line)s: references and tags aren't allowed.") % {"line": _line(event.start_mark)}
                )
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except UnicodeDecodeError:
        raise DomainError(_("The file isn't text in UTF-8.")) from None
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise DomainError(
            _("Line %(line)s isn't valid YAML: %(problem)s")
            % {"line": _line(mark), "problem": getattr(error, "problem", None) or _("it can't be read")}
        ) from None
    return _value(node)


def _line(mark: Any) -> int:
    return mark.line + 1 if mark is not None else 1


def _value(node: yaml.Node | None) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return [_value(item) for item in node.value]
    if not isinstance(node, yaml.MappingNode):
        return None if node is None or node.tag.endswith(":null") else node.value
    values: dict[str, Any] = {}
    for key, value in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else ""
        if name in values:
            raise DomainError(_("Line %(line)s: “%(key)s” comes twice.") % {"line": _line(key.start_mark), "key": name})
        values[name] = _value(value)
    return values


def first_problem(error: ValidationError) -> str:
    """Name the first problem of a file, with the key it is at."""
    problem = error.errors(include_url=False)[0]
    at = ".".join(str(part) for part in problem["loc"] if part != "[key]") or _("the file")
    if problem["type"] == "extra_forbidden":
        return _("Unknown key “%(key)s”.") % {"key": at}
    if problem["type"] == "missing":
        return _("“%(key)s” is missing.") % {"key": at}
    return _("“%(key)s”: %(problem)s") % {"key": at, "problem": problem["msg"]}
