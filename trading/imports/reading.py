"""A server's logins into staged rows. A repeat refreshes what nobody decided about, and changes nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeVar

import orjson
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.canonical import canonical_email, canonical_phone
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.files.jobs import start_job
from crm.models import User
from crm.money.numbers import is_whole
from crm.security import audit
from crm.security.policies import require
from trading import policies
from trading.audit_codes import TradingAction
from trading.choices import UNDECIDED, ImportState, StagedState, Verdict
from trading.core.batching import batched
from trading.imports import matching
from trading.imports.countries import country_code
from trading.models import AccountImport, StagedLogin, TradingServer
from trading.platforms.base import LEVERAGE_MAX, AccountData, Platform, Purpose
from trading.platforms.errors import FinalError, PlatformError
from trading.platforms.pool import capabilities_of, platform_for

BATCH: Final = 400
TRIES: Final = 3
TRY_AGAIN_SECONDS: Final = 2.0
Report = Callable[[int, int, str], None]
COLUMNS: Final = (
    'login varchar, "group" varchar, currency varchar, leverage int, allowed jsonb, name varchar, email varchar,'
    " email_canonical varchar, phone varchar, phone_canonical varchar, country varchar, balance numeric, credit numeric,"
    " registered_at timestamptz, verdict varchar, problem varchar"
)
NAMES: Final = [column.split()[0] for column in COLUMNS.split(", ")]
UPSERT: Final = (
    f"INSERT INTO trading_stagedlogin (server_id, batch_id, state, reasons, note, read_at, {', '.join(NAMES)}) "  # noqa: S608
    f"SELECT %(server)s, %(batch)s, '{StagedState.WAITING.value}', '[]', '', clock_timestamp(), "
    f"{', '.join('i.' + name for name in NAMES)} "
    f"FROM jsonb_to_recordset(%(rows)s::jsonb) AS i({COLUMNS}) ORDER BY i.login "
    "ON CONFLICT (server_id, login) DO UPDATE SET batch_id = excluded.batch_id, read_at = excluded.read_at, "
    + ", ".join(f"{name} = excluded.{name}" for name in NAMES)
    + ", client_id = NULL, account_type_id = NULL, reasons = '[]' "
    "WHERE trading_stagedlogin.state = ANY(%(undecided)s)"
)
HERE: Final = """
UPDATE trading_stagedlogin s SET state = 'attached', verdict = 'known', account_id = a.id, client_id = a.client_id,
  account_type_id = a.account_type_id, problem = ''
FROM trading_tradingaccount a
WHERE s.server_id = %(server)s AND s.login = ANY(%(logins)s) AND s.state = ANY(%(undecided)s)
  AND a.server_id = s.server_id AND a.login = s.login
"""


@transaction.atomic
def start_import(
    *, server_id: int, actor: User, mask: str, first_login: int | None = None, last_login: int | None = None
) -> AccountImport:
    """Have a server's logins read in the background. Nothing becomes a client's account by that.

    Who: `trading.import_accounts`. Raises: NotAllowed, DomainError for a mask or range that can't be, WrongState while
    another reading of the server is under way.
    """
    require(policies.can_import(actor))
    server = lock(TradingServer, server_id)
    if not server.is_enabled:
        raise DomainError(_("This server is switched off."))
    if not capabilities_of(server.kind).lists_accounts:
        raise DomainError(
            _("%(platform)s doesn't list its accounts, so they can't be imported.")
            % {"platform": server.get_kind_display()}
        )
    if not mask.strip():
        raise DomainError(_("Enter the groups, e.g. real*."))
    if first_login is not None and last_login is not None and last_login < first_login:
        raise DomainError(_("The last login must not be lower than the first."))
    running = server.imports.filter(state=ImportState.READING).select_related("job").first()
    if running is not None and running.job is not None and running.job.finished_at is None:
        raise WrongState(_("This server is already being read. Wait until it finishes."))
    batch = AccountImport.objects.create(
        server=server, mask=mask.strip()[:300], first_login=first_login, last_login=last_login, owner=actor
    )
    audit.record(
        actor=actor,
        action=TradingAction.IMPORT_STARTED,
        target=batch,
        after={"server": server.name, "mask": batch.mask, "first": first_login, "last": last_login},
    )
    batch.job = start_job(
        "trading.read_logins",
        owner=actor,
        parameters={"import": batch.pk},
        title=_("Accounts of %(server)s") % {"server": server},
    )
    batch.save(update_fields=["job"])
    return batch


def read(batch: AccountImport, report: Report) -> int:
    """Read everything and match it. Not in a transaction: what was read stays when a later part fails.

    Raises: PlatformError when the server can't be read to the end; the rows so far are there, a repeat goes on.
    """
    server = batch.server
    try:
        count = _read(batch, server, report)
    except PlatformError as problem:
        _end(batch, ImportState.FAILED, str(problem))
        raise
    except BaseException:
        _end(
            batch,
            ImportState.FAILED,
            _("The import was cancelled or interrupted. Logins already read are kept; start again to continue."),
        )
        raise
    _end(batch, ImportState.READY, "")
    return count


def _end(batch: AccountImport, state: ImportState, problem: str) -> None:
    batch.move_to(state)
    batch.problem, batch.finished_at = problem[:300], timezone.now()
    batch.save(update_fields=["state", "problem", "finished_at"])


def _read(batch: AccountImport, server: TradingServer, report: Report) -> int:
    platform = platform_for(server, Purpose.BACKFILL)
    currencies = {group.name: group.currency for group in platform.groups()}
    logins = [login for login in platform.logins(batch.mask) if _in_range(login, batch)]
    synced = set(logins) if batch.mask == server.group_mask else set(platform.logins(server.group_mask))
    AccountImport.objects.filter(pk=batch.pk).update(read=len(logins))
    done = 0
    for part in batched(sorted(logins, key=lambda login: (len(login), login)), BATCH):
        rows = [staged_row(account, currencies, synced) for account in _accounts(platform, part)]
        with transaction.atomic():
            keep(batch, rows)
            matching.match_logins(server, [str(row["login"]) for row in rows], user=batch.owner)
        done += len(part)
        report(done, len(logins), _("logins read"))
    return len(logins)


def _in_range(login: str, batch: AccountImport) -> bool:
    if batch.first_login is None and batch.last_login is None:
        return True
    number = int(login) if is_whole(login) else -1
    return (batch.first_login is None or number >= batch.first_login) and (
        batch.last_login is None or number <= batch.last_login
    )


Asked = TypeVar("Asked")


@dataclass(frozen=True)
class Unreadable:
    """A login whose description nobody can make sense of."""

    login: str
    why: str


def _accounts(platform: Platform, logins: Sequence[str]) -> list[AccountData | Unreadable]:
    """Read a batch of logins; when one can't be read, read each by itself, so that a bad one costs no other."""
    try:
        return list(_asked(lambda: platform.read_accounts(logins)))
    except (ValueError, KeyError, FinalError):
        return [account for login in logins if (account := _one(platform, login)) is not None]


def _one(platform: Platform, login: str) -> AccountData | Unreadable | None:
    try:
        return _asked(lambda: [platform.read_account(login)])[0]
    except (ValueError, KeyError, FinalError) as problem:
        return Unreadable(login, str(problem)[:200])


def _asked(ask: Callable[[], Sequence[Asked]]) -> Sequence[Asked]:
    """Ask again after a moment where a server is busy or starting. Raises: PlatformError."""
    for attempt in range(1, TRIES + 1):
        try:
            return ask()
        except FinalError:
            raise
        except PlatformError:
            if attempt == TRIES:
                raise
            time.sleep(TRY_AGAIN_SECONDS)
    raise AssertionError


def staged_row(account: AccountData | Unreadable, currencies: dict[str, str], synced: set[str]) -> dict[str, Any]:
    """Turn a platform's account into the values of a staged login, with the problems that don't depend on its client."""
    if isinstance(account, Unreadable):
        empty = dict.fromkeys(
            ("group", "currency", "name", "email", "email_canonical", "phone", "phone_canonical", "country"), ""
        )
        return {
            **empty,
            "login": account.login,
            "leverage": 0,
            "allowed": [],
            "balance": Decimal(0),
            "credit": Decimal(0),
            "registered_at": None,
            "verdict": Verdict.BROKEN.value,
            "problem": _("The platform's data can't be read: %(why)s") % {"why": account.why},
        }
    country = country_code(account.country)
    verdict, problem = _against(account, currencies, synced)
    email = account.email.strip().lower()[:254]
    return {
        "login": account.login,
        "group": account.group[:120],
        "currency": currencies.get(account.group, ""),
        "leverage": account.leverage,
        "allowed": sorted(right.value for right in account.allowed),
        "name": " ".join(account.name.split())[:200],
        "email": email,
        "email_canonical": canonical_email(email) if "@" in email else "",
        "phone": account.phone.strip()[:40],
        "phone_canonical": canonical_phone(account.phone, country)[:20],
        "country": country,
        "balance": account.balance,
        "credit": account.credit,
        "registered_at": account.registered_at,
        "verdict": verdict.value,
        "problem": problem,
    }


def _against(account: AccountData, currencies: dict[str, str], synced: set[str]) -> tuple[Verdict, str]:
    if account.group not in currencies:
        return Verdict.BROKEN, _(
            "The server doesn't list the group “%(group)s”. The manager login may not have access to it."
        ) % {"group": account.group}
    if not 1 <= account.leverage <= LEVERAGE_MAX:
        return Verdict.BROKEN, _("Leverage 1:%(leverage)s is outside the range 1:1 to 1:500.") % {
            "leverage": account.leverage
        }
    if account.login not in synced:
        return Verdict.NOT_READ, _("The server's settings exclude this group, so its deals wouldn't be read.")
    return Verdict.NO_CLIENT, ""


def keep(batch: AccountImport, rows: Iterable[dict[str, Any]]) -> None:
    """Write staged rows; what a person decided stays as it is, and what is an account here is marked as one."""
    rows = list(rows)
    undecided = list(UNDECIDED)
    with connection.cursor() as cursor:
        cursor.execute(
            UPSERT,
            {
                "server": batch.server_id,
                "batch": batch.pk,
                "undecided": undecided,
                "rows": orjson.dumps(rows, default=str).decode(),
            },
        )
        cursor.execute(
            HERE, {"server": batch.server_id, "logins": [row["login"] for row in rows], "undecided": undecided}
        )


@transaction.atomic
def note_problem(row_id: int, problem: str) -> None:
    """Keep why a login could not be attached; it waits on."""
    StagedLogin.objects.filter(pk=row_id, state__in=UNDECIDED).update(problem=problem[:300])
