"""How a person likes a table: the columns they chose (in their preferences), the views they saved or were shared."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from crm.db.prepared import ByKey
from crm.errors import DomainError, NotAllowed
from crm.models import SavedView, User
from crm.ui.preferences import preference, set_preference

VIEWS_MAX = 30
_VIEWS: Final = ByKey(
    lambda: SavedView.objects.order_by("name", "id"),
    "owner",
    "desk",
    "table",
    most=VIEWS_MAX,
    where=lambda owner, desk, table: (Q(owner=owner) | Q(desk=desk)) & Q(table=table),
)


@dataclass(frozen=True)
class Layout:
    """`columns` is empty where the table's own choice holds; `default` is the view that the list opens with."""

    columns: Sequence[str] = ()
    views: Sequence[SavedView] = field(default_factory=list)
    active: SavedView | None = None
    default: SavedView | None = None


def views_of(user: User, table: str) -> list[SavedView]:
    """List the user's own saved views of a table and those shared with their desk."""
    return _VIEWS.all(owner=user.pk, desk=getattr(user, "desk_id", None), table=table)


def read(user: User, table: str, active: str = "") -> Layout:
    """Read a user's layout of a table: the active saved view's columns, else their own choice, else none."""
    views = views_of(user, table)
    chosen = next((view for view in views if str(view.pk) == active), None)
    own = preference(user, "columns", table) or ()
    usual = preference(user, "views", table)
    default = next((view for view in views if view.pk == usual), None)
    return Layout(columns=(chosen.columns if chosen else None) or own, views=views, active=chosen, default=default)


def choose_columns(*, user: User, table: str, columns: Sequence[str]) -> None:
    """Keep the user's columns of a table, in order; none brings the table's own choice back."""
    set_preference(user=user, section="columns", key=table, value=list(columns))


def choose_default(*, user: User, table: str, view_id: int | None) -> None:
    """Open a list with one of the views that the user sees from now on; None: with the whole list again."""
    if view_id is not None and view_id not in {view.pk for view in views_of(user, table)}:
        raise SavedView.DoesNotExist
    set_preference(user=user, section="views", key=table, value=view_id)


def save_view(
    *, user: User, table: str, name: str, query: str, columns: Sequence[str] = (), for_desk: bool = False
) -> SavedView:
    """Name the list as it is now; the same name again replaces the user's own view. Sharing needs a desk."""
    name = name.strip()[:60]
    if not name:
        raise DomainError(_("Enter a name for the view."))
    if for_desk and user.desk_id is None:
        raise DomainError(_("You don't belong to a desk, so you can't share this view. Save it for yourself instead."))
    if SavedView.objects.filter(owner=user, table=table).exclude(name=name).count() >= VIEWS_MAX:
        raise DomainError(_("You've reached the limit of saved views for this list. Delete one you no longer use."))
    try:
        with transaction.atomic():
            view, _created = SavedView.objects.update_or_create(
                owner=user,
                table=table,
                name=name,
                defaults={"query": query, "columns": list(columns), "desk_id": user.desk_id if for_desk else None},
            )
    except IntegrityError:
        raise DomainError(_("Someone saved this view at the same time. Try again."))
    return view


def delete_view(*, user: User, view_id: int) -> str:
    """Delete a view; returns its table. Who: its owner. Others can't see private ones and can't delete shared ones."""
    view = next((v for v in SavedView.objects.filter(pk=view_id)[:1]), None)
    if view is None or (view.owner_id != user.pk and (view.desk_id is None or view.desk_id != user.desk_id)):
        raise SavedView.DoesNotExist
    if view.owner_id != user.pk:
        raise NotAllowed(_("Only the person who saved this view can delete it."))
    table = view.table
    view.delete()
    return table
