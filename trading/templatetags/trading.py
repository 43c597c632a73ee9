"""`{% load trading %}`: how a deal is called."""

from django import template

from trading.models import Deal
from trading.tables import deal_kind as kind_of

register = template.Library()


@register.filter
def deal_kind(deal: Deal) -> str:
    return kind_of(deal)
