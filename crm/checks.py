"""`manage.py check`: what must never run in production, roles that name a right nobody declares, a server that won't do."""

import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import Error, Info, Tags, Warning, register
from django.db import DatabaseError, connections
from django.db.backends.utils import CursorWrapper

from crm.files import antivirus
from crm.geo import cards
from crm.outside import destinations
from crm.security import database_role, keys

POSTGRESQL_MIN = 15
EXTENSIONS = ("pg_trgm", "btree_gist")
OTHER_VERSION_HINT = (
    "Nothing was changed. A demo or trial: `make stop`, delete `var/`, start again. A database to keep: run the version "
    "that wrote it, or restore a backup into the version it came from."
)


@register()
def countries_of_addresses_can_be_read(app_configs: Any, **kwargs: Any) -> list[Error]:
    """Report a file of countries that is missing or of another format: every sign-in would end in an error."""
    import maxminddb

    try:
        maxminddb.open_database(settings.GEOIP_FILE).close()
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
        hint = "Name a file in MaxMind's format (.mmdb), or leave KEELSON_GEOIP_FILE empty for the one that comes with Keelson."
        return [Error(f"KEELSON_GEOIP_FILE: {error}", hint=hint, id="keelson.E027")]
    return []


@register()
def countries_of_cards_can_be_read(app_configs: Any, **kwargs: Any) -> list[Error]:
    """Report a list of cards' first digits that is missing or of another format: every card payment would end in an error."""
    try:
        if settings.CARD_BIN_FILE:
            cards.read_file(Path(settings.CARD_BIN_FILE))
    except (OSError, ValueError, csv.Error) as error:
        hint = "Name a CSV file with the columns bin and country, or leave KEELSON_CARD_BIN_FILE empty."
        return [Error(f"KEELSON_CARD_BIN_FILE: {error}", hint=hint, id="keelson.E028")]
    return []


@register(Tags.security, deploy=True)
def demo_is_off(app_configs: Any, **kwargs: Any) -> list[Error]:
    """Report the demo mode: its sign-in page shows logins with their passwords."""
    if settings.DEMO:
        return [
            Error("KEELSON_DEMO is on: the sign-in page shows logins", hint="Unset KEELSON_DEMO", id="keelson.E001")
        ]
    return []


@register(Tags.security, deploy=True)
def field_key_is_real(app_configs: Any, **kwargs: Any) -> list[Error]:
    """Report field keys, today's and older ones, and keys of seals that haven't the right length."""
    configured = {
        "KEELSON_FIELD_KEY": [settings.FIELD_KEY],
        "KEELSON_FIELD_KEYS_OLD": settings.FIELD_KEYS_OLD,
        "KEELSON_SEAL_KEY": [settings.SEAL_KEY] if settings.SEAL_KEY else [],
        "KEELSON_SEAL_KEYS_OLD": settings.SEAL_KEYS_OLD,
    }
    hint = "openssl rand -hex 32"
    return [
        Error(f"{name} is not 32 bytes in hex", hint=hint, id="keelson.E002")
        for name, values in configured.items()
        if not all(keys.is_key(value) for value in values)
    ]


@register(Tags.security, deploy=True)
def mail_leaves_the_house(app_configs: Any, **kwargs: Any) -> list[Error]:
    """Report that e-mails are written to files: confirmations and reset links would reach nobody."""
    if settings.EMAIL_IS_CHOSEN:
        return []
    return [
        Error(
            "No mail server is set: e-mails are written to files",
            hint="Set EMAIL_URL=smtp+tls://user:password@host:587, or EMAIL_BACKEND where files are wanted.",
            id="keelson.E007",
        )
    ]


@register(Tags.security, deploy=True)
def seals_have_their_own_key(app_configs: Any, **kwargs: Any) -> list[Warning]:
    """Warn that seals are signed by a key derived from the field key, so that rotating it changes their key."""
    if settings.SEAL_KEY:
        return []
    return [
        Warning(
            "KEELSON_SEAL_KEY is unset: seals are signed by a key that is derived from KEELSON_FIELD_KEY",
            hint="Set it to the output of openssl rand -hex 32; older seals stay valid while the field key is configured.",
            id="keelson.W001",
        )
    ]


@register(Tags.security, deploy=True)
def redis_is_ones_own(app_configs: Any, **kwargs: Any) -> list[Warning]:
    """Warn of the embedded Valkey: it gets fixes only when Keelson's pin moves, which is good enough for a trial."""
    if not settings.REDIS_IS_EMBEDDED:
        return []
    return [
        Warning(
            "REDIS_URL is unset: queues and cache use the embedded Valkey, which is for trying out",
            hint="Run Redis 7 or Valkey of your system, which gets security updates, and set REDIS_URL.",
            id="keelson.W002",
        )
    ]


@register(Tags.security, deploy=True)
def proxies_in_front_are_counted(app_configs: Any, **kwargs: Any) -> list[Error]:
    """Report uncounted proxies: nothing of ours ends TLS, so over https every request seems to come from the proxy."""
    count = settings.TRUSTED_PROXIES
    if count < 0 or (count == 0 and settings.BASE_URL.startswith("https:")):
        text = f"KEELSON_TRUSTED_PROXIES is {count}: all people would have the address of the proxy that ends TLS"
        hint = "Set it to the number of proxies in front that add to X-Forwarded-For; 1 with deploy/nginx/keelson.conf."
        return [Error(text, hint=hint, id="keelson.E020")]
    return []


@register(Tags.security, deploy=True)
def private_addresses_are_named(app_configs: Any, **kwargs: Any) -> list[Warning]:
    """Warn that every outgoing address is allowed: a PSP or server that staff set up could be the metadata service."""
    if not destinations.is_open():
        return []
    return [
        Warning(
            "KEELSON_OUTGOING_PRIVATE allows every address, also those inside your own network",
            hint="Name the hosts and networks that PSPs and trading servers are at (bridge.lan,10.0.7.0/24), or unset it.",
            id="keelson.W003",
        )
    ]


@register(Tags.security)
def virus_scanner_has_an_address(app_configs: Any, **kwargs: Any) -> list[Error]:
    """Report an address of clamd that can't be read: no client's file would ever be taken."""
    if settings.CLAMD:
        try:
            antivirus.address_of(settings.CLAMD)
        except ValueError as error:
            return [Error(f"KEELSON_CLAMD: {error}", hint="For example unix:/run/clamav/clamd.ctl.", id="keelson.E026")]
    return []


@register(Tags.security, deploy=True)
def clients_files_are_scanned(app_configs: Any, **kwargs: Any) -> list[Info]:
    """Note that files of strangers are opened, in their confined child, without a scan for malware."""
    if settings.CLAMD:
        return []
    hint = "Install clamav-daemon and set KEELSON_CLAMD, for example to unix:/run/clamav/clamd.ctl."
    return [Info("KEELSON_CLAMD is empty: clients' files aren't scanned for malware", hint=hint, id="keelson.I002")]


@register(Tags.security, deploy=True)
def processes_have_their_own_role(app_configs: Any, **kwargs: Any) -> list[Error]:
    """Report faults of the processes' database role, on a server of one's own; the embedded one has it."""
    if not os.environ.get("DATABASE_URL"):
        return []
    try:
        return [Error(fault, id="keelson.E021") for fault in database_role.faults()]
    except DatabaseError as error:
        return [Error(f"the database of DATABASE_URL does not answer: {str(error).strip()}", id="keelson.E022")]


@register(Tags.models, Tags.database)
def roles_name_known_permissions(app_configs: Any, **kwargs: Any) -> list[Error]:
    """Report permissions that a role lists and no model declares, such as a misspelt one."""
    from django.apps import apps

    from crm.security.roles import CATALOGUE

    known = set()
    for model in apps.get_models():
        meta = model._meta
        known |= {f"{meta.app_label}.{verb}_{meta.model_name}" for verb in meta.default_permissions}
        known |= {f"{meta.app_label}.{codename}" for codename, _label in meta.permissions}
    unknown = sorted(set().union(*CATALOGUE.values()) - known)
    if unknown:
        return [Error(f"roles name unknown permissions: {', '.join(unknown)}", id="keelson.E003")]
    return []


@register(Tags.database)
def server_is_fit(app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any) -> list[Error]:
    """Check the server for `migrate`, before it changes anything, and for `manage.py check --database default`."""
    errors = []
    for alias in databases or ():
        with connections[alias].cursor() as cursor:
            cursor.execute(
                "SELECT current_setting('server_version_num')::int / 10000, current_setting('server_encoding'),"
                " ARRAY(SELECT name::text FROM pg_available_extensions)"
            )
            errors += unfit(*cursor.fetchone())
            cursor.execute(
                "SELECT current_user::text, current_database()::text, has_schema_privilege('public', 'CREATE'),"
                " has_database_privilege(current_database(), 'CREATE'), ARRAY(SELECT extname::text FROM pg_extension)"
            )
            errors += not_allowed(*cursor.fetchone())
            cursor.execute("SELECT has_table_privilege(to_regclass('django_migrations'), 'SELECT')")
            if cursor.fetchone()[0]:
                cursor.execute(
                    "SELECT app, name FROM django_migrations WHERE app = ANY(%s) ORDER BY id", [settings.KEELSON_APPS]
                )
                applied = cursor.fetchall()
                errors += of_another_version(applied) or of_another_schema(applied, _schema_version(cursor))
    return errors


def _schema_version(cursor: CursorWrapper) -> int:
    """Read the version of the database's tables; 1 where it has none yet."""
    cursor.execute("SELECT to_regprocedure('keelson_schema_version()') IS NOT NULL")
    if not cursor.fetchone()[0]:
        return 1
    cursor.execute("SELECT keelson_schema_version()")
    version: int = cursor.fetchone()[0]
    return version


def of_another_schema(applied: Sequence[tuple[str, str]], version: int) -> list[Error]:
    """Refuse a database whose migrations have the same names but other tables. An empty one has no version yet."""
    text = (Path(settings.BASE_DIR) / "crm/sql/schema_version.sql").read_text(encoding="utf-8")
    expected = int(text.rpartition("SELECT ")[2].split()[0])
    if version == expected or ("crm", "0002_sql") not in applied:
        return []
    words = f"another version of Keelson wrote this database: its tables are version {version}, here they are version {expected}"
    return [Error(words, hint=OTHER_VERSION_HINT, id="keelson.E025")]


def of_another_version(applied: Sequence[tuple[str, str]]) -> list[Error]:
    """Report a database with migrations unknown here: a newer version wrote it, or one before they were squashed."""
    base = Path(settings.BASE_DIR)
    unknown = [f"{app}.{name}" for app, name in applied if not (base / app / "migrations" / f"{name}.py").exists()]
    if not unknown:
        return []
    text = f"another version of Keelson wrote this database: {unknown[-1]} is unknown here"
    if len(unknown) > 1:
        text += f", as are {len(unknown) - 1} more"
    return [Error(text, hint=OTHER_VERSION_HINT, id="keelson.E025")]


def not_allowed(
    user: str, database: str, may_make_tables: bool, may_extend: bool, extensions: Sequence[str]
) -> list[Any]:
    """Report the rights that the role of `DATABASE_URL` lacks to migrate. What processes log in as needs none of them."""
    if user == database_role.APP_ROLE:
        text = f"DATABASE_URL logs in as {user}, which runs Keelson but can't migrate"
        return [Info(text, hint="`manage.py migrate` needs the address of the tables' owner.", id="keelson.I001")]
    errors: list[Any] = []
    if not may_make_tables:
        hint = f'As an administrator: ALTER DATABASE "{database}" OWNER TO "{user}"; GRANT CREATE ON SCHEMA public TO "{user}";'
        errors.append(
            Error(f"{user} may not make tables in the schema public of {database}", hint=hint, id="keelson.E023")
        )
    if not may_extend and (missing := [name for name in EXTENSIONS if name not in extensions]):
        hint = "As an administrator, in this database: " + " ".join(f"CREATE EXTENSION {name};" for name in missing)
        text = f"{user} may not create the extensions {', '.join(missing)} in {database}"
        errors.append(Error(text, hint=hint, id="keelson.E024"))
    return errors


def unfit(version: int, encoding: str, available: Sequence[str]) -> list[Error]:
    """List what a PostgreSQL server lacks for Keelson, each with what to do about it."""
    errors = []
    if version < POSTGRESQL_MIN:
        text = f"this is PostgreSQL {version}, Keelson needs {POSTGRESQL_MIN} or newer"
        errors.append(
            Error(text, hint="Point DATABASE_URL at a newer server; nothing was changed here.", id="keelson.E004")
        )
    if encoding != "UTF8":
        hint = "Make a database with ENCODING 'UTF8' TEMPLATE template0 and point DATABASE_URL at it."
        errors.append(Error(f"the database's encoding is {encoding}, Keelson needs UTF8", hint=hint, id="keelson.E005"))
    if missing := [name for name in EXTENSIONS if name not in available]:
        hint = "Install PostgreSQL's contrib package on the server."
        errors.append(Error(f"the server lacks the extensions {', '.join(missing)}", hint=hint, id="keelson.E006"))
    return errors
