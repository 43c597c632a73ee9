"""Setting a connection up: one person proposes it with its keys, another approves it. Keys are sealed from the start.

Keys are sent to the connection's address. So a new address doesn't get the stored ones: whoever proposes it enters them again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Final, Generic, TypeVar

from django.db import transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from crm import approvals
from crm.approvals import Change
from crm.audit_codes import AuditCode
from crm.connections.http import SANDBOX, probe
from crm.connections.models import Connection, ConnectionProposal
from crm.db.locking import lock
from crm.errors import DomainError, WrongState, outcome_of
from crm.i18n.localized_text import LocalizedText, joined
from crm.models import Actor, Brand, User
from crm.outside.destinations import require_public_url
from crm.security import audit
from crm.security.policies import Decision, on_whole_brand, require

C = TypeVar("C", bound=Connection)
P = TypeVar("P", bound=ConnectionProposal)
COMMON: Final = ("name", "base_url", "is_enabled")
# Before the name of a key in `keys_changed`: it is removed.
REMOVED: Final = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSetup:
    """A connection as it shall be. keys: those that were entered; a stored one that is left out stays, at the same address.

    removed: the stored keys that it shall do without, optional ones only.
    """

    adapter: str
    code: str
    name: str
    base_url: str
    is_enabled: bool
    keys: Mapping[str, str]
    removed: Collection[str] = ()


class ConnectionApproval(approvals.ApprovalKind[P], Generic[C, P]):
    """A kind of connection: its adapters, what it says beside its name and keys, and the approval of a proposal.

    Who decides holds the same right as who proposes, on the whole brand.
    """

    connection: type[C]
    adapters: ClassVar[Mapping[str, Any]]
    tested: ClassVar[AuditCode]
    path: ClassVar[str]  # of the page that lists the connections
    own: ClassVar[tuple[str, ...]] = ()  # fields beside COMMON
    # What the adapter is called on pages, and errors that name the kind.
    adapter_label: ClassVar[str | Promise]
    choose: ClassVar[str | Promise]
    another_in_use: ClassVar[str | Promise]
    brand_path = "brand_id"
    related = ("brand", "connection")
    one_open = ("brand",)

    # ── what is its own ──────────────────────────────────────────────────────────────────────────────────────────────

    def check(self, setup: Any) -> None:
        """Refuse what its own fields can't say. Raises: DomainError."""

    def require_address(self, url: str) -> None:
        """Refuse an address that isn't a public one of this service. Raises: DomainError."""
        require_public_url(url)

    def new(self, brand: Brand, item: P) -> C:
        """Make the row of a new connection, unsaved."""
        return self.connection(brand=brand, code=item.code, adapter=item.adapter)

    def applied(self, connection: C) -> None:
        """Follow an approved connection, in that transaction."""

    def shown(self, row: C | P) -> dict[str, str]:
        """Describe its own fields for whoever decides."""
        return {}

    # ── proposing ────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def fields(self) -> tuple[str, ...]:
        return (*COMMON, *self.own)

    def can_set_up(self, actor: Actor, brand_id: int) -> Decision:
        """Propose, decide and test a connection: the right on the whole brand."""
        return on_whole_brand(actor, self.asks, brand_id)

    @transaction.atomic
    def propose(self, setup: Any, *, brand_id: int, actor: User, reason: str, connection_id: int | None) -> P:
        """Propose a new connection of a brand, or a change of one. Nothing changes before another person approves.

        Raises: NotAllowed, DomainError (adapter, address, keys, a code that is taken, no reason), WrongState (nothing would
        change, or a proposal waits).
        """
        require(self.can_set_up(actor, brand_id))
        brand = lock(Brand, brand_id)
        rows = self.connection._default_manager.filter(brand=brand)
        connection = lock(rows, connection_id) if connection_id is not None else None
        self._check(setup, connection)
        keys = {name: value for name, value in setup.keys.items() if value}
        values = {name: _listed(getattr(setup, name)) for name in self.fields}
        fields: dict[str, Any] = {"connection": connection, "reason": reason, **values}
        proposal = self.model(
            brand=brand,
            adapter=setup.adapter,
            code=connection.code if connection is not None else setup.code,
            sealed_credentials=self.model.sealed(keys) if keys else None,
            keys_changed=sorted([*keys, *(f"{REMOVED}{name}" for name in setup.removed)]),
            **fields,
        )
        if (
            connection is not None
            and not proposal.keys_changed
            and all(getattr(connection, name) == values[name] for name in values)
        ):
            raise WrongState(_("Nothing would change."))
        return approvals.propose(proposal, actor=actor)

    def _check(self, setup: Any, connection: C | None) -> None:
        if setup.adapter not in self.adapters:
            raise DomainError(str(self.choose))
        self.check(setup)
        if setup.base_url and not setup.base_url.startswith(SANDBOX):
            self.require_address(setup.base_url)
        needs_all = connection is None or connection.base_url != setup.base_url
        stored = connection.credentials if connection is not None and needs_all else {}
        keys = [key for key in self.adapters[setup.adapter].keys if key.name not in setup.removed]
        needed = [key for key in keys if key.is_required or stored.get(key.name)]
        missing = [str(key.label) for key in needed if needs_all and not setup.keys.get(key.name)]
        if missing:
            raise DomainError(_("Enter all keys for this address: %(names)s.") % {"names": ", ".join(missing)})
        if connection is None:
            self._require_free(setup.code)
        self._require_removable(setup, connection)

    def _require_removable(self, setup: Any, connection: C | None) -> None:
        """Refuse to remove what is needed, isn't stored, or was entered as well. Raises: DomainError."""
        optional = {key.name: str(key.label) for key in self.adapters[setup.adapter].keys if not key.is_required}
        stored = connection.stored_keys if connection is not None else frozenset()
        for name in setup.removed:
            if name not in optional or name not in stored:
                raise DomainError(_("There is no such key to remove."))
            if setup.keys.get(name):
                raise DomainError(
                    _("Enter a new key or remove the stored one, not both: %(name)s.") % {"name": optional[name]}
                )

    def _require_free(self, code: str) -> None:
        if self.connection._default_manager.filter(code=code).exists():
            raise DomainError(_("“%(code)s” is already taken. Choose another code.") % {"code": code})

    # ── deciding ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def apply(self, item: P, actor: User, **given: Any) -> None:
        """Write the connection with its keys; the webhook secret of before stays valid beside the new one.

        Raises: DomainError (the code was taken meanwhile, or another connection of the brand is in use).
        """
        brand, item_of = lock(Brand, item.brand_id), item.connection_id  # type: ignore[attr-defined]
        if item_of is None:
            self._require_free(item.code)
        connection = lock(self.connection, item_of) if item_of is not None else self.new(brand, item)
        others = self.connection._default_manager.filter(brand=brand, is_enabled=True).exclude(pk=connection.pk)
        if item.is_enabled and others.exists():
            raise DomainError(str(self.another_in_use))
        stored = connection.credentials if connection.base_url == item.base_url else {}
        keys = item.credentials
        if "webhook_secret" in keys and stored.get("webhook_secret"):
            keys["previous_webhook_secret"] = stored["webhook_secret"]
        for name in self.fields:
            setattr(connection, name, getattr(item, name))
        removed = {name.removeprefix(REMOVED) for name in item.keys_changed if name.startswith(REMOVED)}
        kept = {name: value for name, value in {**stored, **keys}.items() if name not in removed}
        connection.sealed_credentials = connection.sealed(kept)
        connection.failing_since, connection.problem = None, ""
        connection.last_checked_at, connection.last_check_error = None, ""
        connection.save()
        self.applied(connection)
        item.connection, item.sealed_credentials = connection, None  # type: ignore[attr-defined]

    def give_back(self, item: P, actor: User) -> None:
        """Forget the keys of what wasn't approved."""
        item.sealed_credentials = None

    def title(self, item: P) -> LocalizedText:
        return joined([self.label, item.name], " ")

    def url(self, item: P) -> str:
        return self.path

    def changes(self, item: P) -> list[Change]:
        connection = item.connection  # type: ignore[attr-defined]
        before = self._described(connection) if connection is not None else {}
        rows = [
            Change(label, value, before.get(label, "–"))
            for label, value in self._described(item).items()
            if before.get(label) != value
        ]
        labels = {key.name: str(key.label) for key in self.adapters[item.adapter].keys}
        removed = [name.removeprefix(REMOVED) for name in item.keys_changed if name.startswith(REMOVED)]
        new = [name for name in item.keys_changed if not name.startswith(REMOVED)]
        for title, names in ((_("New keys"), new), (_("Removed keys"), removed)):
            if names:
                rows.append(Change(title, ", ".join(labels.get(name, name) for name in names)))
        # What it means to do without one: as where it is entered.
        effects = [key.help_text for key in self.adapters[item.adapter].keys if key.name in removed and key.help_text]
        rows += [Change(_("Effect"), str(text)) for text in effects]
        return rows

    def _described(self, row: C | P) -> dict[str, str]:
        return {
            str(self.adapter_label): self.adapters[row.adapter].title,
            _("Name"): row.name,
            _("API address"): row.base_url or _("Default address"),
            **self.shown(row),
            _("In use"): _("Yes") if row.is_enabled else _("No"),
        }

    def after(self, item: P) -> dict[str, Any]:
        values = {name: getattr(item, name) for name in (*self.fields, "adapter", "code", "keys_changed")}
        return {name: str(value) if isinstance(value, Decimal) else value for name, value in values.items()}

    # ── testing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @transaction.atomic
    def test(self, connection_id: int, actor: User) -> str:
        """Ask for something harmless with our keys; empty when it is good, else what is wrong. Kept for the page.

        Raises: NotAllowed.
        """
        connection = self.connection._default_manager.get(pk=connection_id)
        require(self.can_set_up(actor, connection.brand_id))
        done = outcome_of(lambda: probe(connection, self.adapters[connection.adapter](connection)))
        problem = ((done.result or "") if done else done.message)[:300]
        rows = self.connection._default_manager.filter(pk=connection_id)
        rows.update(last_checked_at=timezone.now(), last_check_error=problem)
        audit.record(
            actor=actor,
            action=self.tested,
            target=connection,
            brand_id=connection.brand_id,
            after={"works": not problem},
            reason=problem,
        )
        return problem


def _listed(value: Any) -> Any:
    return sorted(value) if isinstance(value, list | tuple) else value
