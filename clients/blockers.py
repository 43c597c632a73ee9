"""What clients prevent: a book that has some isn't archived or handed over, a brand that has some keeps its currency."""

from __future__ import annotations

from django.utils.translation import gettext as _

from clients.models import Client
from crm.models import Book, Brand
from crm.staff.blockers import blocks_archiving, blocks_change


def has_clients(book: Book) -> str:
    """Refuse to archive a book while clients are in it."""
    if Client.objects.filter(book=book).exists():
        return _("This book has clients. Move them to another book first.")
    return ""


def has_clients_of_its_owner(book: Book) -> str:
    """Refuse another owner while clients are in the book: moving them also moves their tasks and notifies the new agent."""
    if Client.objects.filter(book=book).exists():
        return _("This book has clients. To change their owner, move them to the new owner's book.")
    return ""


def brand_has_clients(brand: Brand) -> str:
    """Refuse another base currency once a brand has clients."""
    if Client.objects.filter(brand=brand).exists():
        return _("This brand has clients, so its base currency can't change.")
    return ""


blocks_archiving(Book, has_clients)
blocks_change(Book, "owner", has_clients_of_its_owner)
blocks_change(Brand, "base_currency", brand_has_clients)
