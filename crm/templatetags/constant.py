"""Tags of which most uses are the same on every page: drawn once in a process instead of some 150 times a page.

They replace Django's `{% translate %}`, `{% url %}` and `{% static %}` and our `{% icon %}`, and mean the same. With variables
in them, or `as`, they are what they were.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import template
from django.conf import settings
from django.template.base import FilterExpression, Node, Parser, TextNode, Token, Variable
from django.template.defaulttags import URLNode
from django.template.defaulttags import url as plain_url
from django.template.library import SimpleNode
from django.templatetags.i18n import TranslateNode, do_translate
from django.templatetags.static import do_static
from django.urls import get_script_prefix, get_urlconf
from django.utils.translation import get_language

from crm.templatetags import keelson

register = template.Library()
plain_icon = keelson.register.tags["icon"]


class Constant(Node):
    """A tag that differs by its key alone, such as the language."""

    child_nodelists = ()

    def __init__(self, node: Node, key: Callable[[], Any]) -> None:
        self.node, self.key = node, key
        self.drawn: dict[Any, str] = {}

    def render(self, context: template.Context) -> str:
        key = self.key()
        drawn = self.drawn.get(key)
        if drawn is None:
            drawn = self.drawn[key] = self.node.render(context)
        return drawn


def _addresses() -> tuple[str, str]:
    return get_urlconf() or settings.ROOT_URLCONF, get_script_prefix()


def _files() -> str:
    return settings.STATIC_URL


def _is_literal(expression: FilterExpression | None) -> bool:
    if expression is None:
        return True
    value = expression.var
    return not expression.filters and (not isinstance(value, Variable) or value.lookups is None)


@register.tag("translate")
def translate(parser: Parser, token: Token) -> Node:
    """Translate as Django does, once for each language."""
    node = do_translate(parser, token)
    assert isinstance(node, TranslateNode)
    is_constant = not node.asvar and _is_literal(node.filter_expression) and _is_literal(node.message_context)
    return Constant(node, get_language) if is_constant else node


@register.tag("url")
def url(parser: Parser, token: Token) -> Node:
    """Reverse an address as Django does; one without arguments once for each set of addresses."""
    node = plain_url(parser, token)
    assert isinstance(node, URLNode)
    is_constant = not (node.args or node.kwargs or node.asvar) and _is_literal(node.view_name)
    return Constant(node, _addresses) if is_constant else node


@register.tag("static")
def static(parser: Parser, token: Token) -> Node:
    """Write a static file's address as Django does; of a file that is named in the template once for each place of files."""
    node = do_static(parser, token)
    return Constant(node, _files) if not node.varname and _is_literal(node.path) else node


@register.tag("icon")
def icon(parser: Parser, token: Token) -> Node:
    """Draw an icon; one that is named in the template is a part of its text."""
    node = plain_icon(parser, token)
    assert isinstance(node, SimpleNode)
    if node.target_var or node.kwargs or not all(map(_is_literal, node.args)):
        return node
    return TextNode(keelson.icon(*(argument.resolve(template.Context()) for argument in node.args)))
