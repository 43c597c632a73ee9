"""Finding people by what a person types: parts of names, mailboxes, telephones, or a number."""

from __future__ import annotations

import re

from django.db.models import Q, QuerySet

from clients.models import Client

MOST_WORDS = 5
SHORTEST = 2
PHONE = re.compile(r"^[+\d][\d\s()/.-]{3,}$")


def search_clients(queryset: QuerySet[Client], words: str) -> QuerySet[Client]:
    """Keep the clients whose search text, lower case and with a trigram index, has every word.

    A phone number is found however it is written; `#123`, and 123 where a number is that short, is a client's id. Words of two
    letters are looked up as whole names (Li, Ng): three letters are the shortest part that the index knows.
    """
    text = words.strip().lower()
    if PHONE.match(text):
        return queryset.filter(_number(text))
    for word in text.split()[:MOST_WORDS]:
        if len(word) > SHORTEST or word.startswith("#"):
            queryset = queryset.filter(search_text__contains=word)
        elif len(word) == SHORTEST:
            queryset = queryset.filter(Q(search_text__contains=f" {word} ") | Q(search_text__startswith=f"{word} "))
    return queryset


def _number(text: str) -> Q:
    digits = re.sub(r"\D", "", text)
    matching = Q(search_text__contains=digits.removeprefix("00").lstrip("0") or digits)
    if len(digits) <= 9 and not text.startswith(("+", "0")):
        matching |= Q(pk=int(digits))
    return matching
