"""The command `huitouke`. Expected failures end with a sentence and status 1, never with a stack."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar, get_args

import asyncpg
import orjson
import pydantic
from sqlalchemy.exc import DBAPIError
from starlette.types import ASGIApp

from huitouke import backup_commands, doctor, operator_commands, plugins, standalone
from huitouke.app import access_resolver, create_app, openapi_document
from huitouke.demo import command as demo_command
from huitouke.installation import (
    OwnerMissingError,
    configured_urls,
    database_urls,
    migrate_embedded,
    owner_url,
    with_database,
)
from huitouke.kernel import key_rotation, keys, locales
from huitouke.kernel.access import second_factor, use_resolver
from huitouke.kernel.backup import BackupError
from huitouke.kernel.database.checks import UnsafeRoleError
from huitouke.kernel.database.launcher import LauncherError
from huitouke.kernel.database.migrate import SchemaAheadError, migrate
from huitouke.kernel.errors import Problem
from huitouke.kernel.files.stores import StoreMissingError
from huitouke.kernel.modules import CommandError, ModuleError, Surface, load_modules
from huitouke.kernel.notify import NotifierError
from huitouke.kernel.observability import logs
from huitouke.kernel.release import release
from huitouke.kernel.scoping import use_scoped
from huitouke.kernel.settings import Settings, get_settings
from huitouke.services import Role, SchemaBehindError

T = TypeVar("T")

EXPECTED: Final = (
    BackupError,
    keys.KeysError,
    keys.UnsealError,
    LauncherError,
    ModuleError,
    NotifierError,
    OwnerMissingError,
    plugins.DropRefusedError,
    SchemaAheadError,
    SchemaBehindError,
    StoreMissingError,
    UnsafeRoleError,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; gives the exit status."""
    try:
        options = _parser(sys.argv[1:] if arguments is None else arguments).parse_args(arguments)
        settings = get_settings()
        logs.configure(settings)
        status: int | None = options.run(options, settings)
    except KeyboardInterrupt:
        return 130
    except pydantic.ValidationError as error:
        return _fail(_settings_in_words(error))
    except Problem as error:
        return _fail(f"{locales.translate('zh-CN', f'problems.{error.type}', **error.params)} ({error})")
    except (*EXPECTED, CommandError) as error:
        return _fail(str(error))
    except (asyncpg.PostgresError, asyncpg.InterfaceError, DBAPIError, OSError) as error:
        return _fail(f"PostgreSQL: {getattr(error, 'orig', None) or error}. See: huitouke doctor")
    return status or 0


def application_from_environment() -> ASGIApp:
    """The application for `uvicorn --factory`, which `serve --reload` starts again and again."""
    settings = get_settings()
    logs.configure(settings)
    return create_app(settings, load_modules(), _roles(settings.serve_with), configured_urls(settings))


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="huitouke", description="回头客 Huitouke")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")

    serve = _command(commands, "serve", _serve, "answer requests; with roles also work and hold sockets")
    serve.add_argument("--host", help="address to listen on (HUITOUKE_HOST)")
    serve.add_argument("--port", type=int, help="port to listen on (HUITOUKE_PORT)")
    serve.add_argument("--with", dest="roles", metavar="work,realtime", help="what else this process does")
    serve.add_argument("--reload", action="store_true", help="start again when sources change (development)")
    working = _command(commands, "work", _work, "run handlers and jobs, nothing else")
    working.add_argument("--host", help="address of the port for health and metrics (HUITOUKE_HOST)")
    working.add_argument("--port", type=int, help="port for health and metrics; none by default (HUITOUKE_WORK_PORT)")
    live = _command(commands, "realtime", _realtime, "hold the live sockets, nothing else")
    live.add_argument("--host", help="address to listen on (HUITOUKE_HOST)")
    live.add_argument("--port", type=int, help="port to listen on (HUITOUKE_REALTIME_PORT)")

    migrating = _command(commands, "migrate", _migrate, "bring the database to this release")
    migrating.add_argument("--create-roles", action="store_true", help="make the roles, or print the SQL that does")

    backup_commands.add_arguments_of_backup(
        _command(commands, "backup", backup_commands.run_backup, "write database and files into one file")
    )
    backup_commands.add_arguments_of_restore(
        _command(commands, "restore", backup_commands.run_restore, "bring a backup back into an empty database")
    )

    examining = _command(commands, "doctor", _doctor, "check the installation and say what is wrong")
    examining.add_argument("--settings", action="store_true", help="list all settings")
    for kind in doctor.CONNECTIONS:
        examining.add_argument(
            f"--{kind}", type=int, default=1, metavar="N", help=f"processes of `{kind}` there will be"
        )

    _add_keys(commands)
    _add_tenants(commands)
    _add_operators(commands)
    _add_users(commands)
    _add_modules(commands)

    document = _command(commands, "openapi", _openapi, "print the OpenAPI document of a surface")
    document.add_argument("--surface", choices=get_args(Surface), default="console")

    demo = _command(commands, "demo", _demo, "a shop to try everything with, on this machine")
    demo_command.add_arguments(demo)
    data = _command(commands, "demo-data", _demo_data, "load the demo merchant into the database")
    data.add_argument("--sandbox-url", help="where the simulated WeChat answers")
    _command(commands, "version", _version, "print the version")
    if arguments[:1] and arguments[0] not in commands.choices:
        # Only now: the built-in commands need no module to be understood, and `doctor` works where one is broken.
        _add_commands_of_modules(commands)
    return parser


def _add_commands_of_modules(commands: Any) -> None:
    for module in load_modules():
        for command in module.commands:
            if command.name in commands.choices:
                raise ModuleError(f"module {module.name!r}: there is a command {command.name!r} already")
            command.add_arguments(_command(commands, command.name, command.run, command.help))


def _add_keys(commands: Any) -> None:
    ring = commands.add_parser("keys", help="the key ring that seals secrets").add_subparsers(required=True)
    making = _command(ring, "make", _keys_make, "make a key file")
    making.add_argument("--print", action="store_true", dest="show", help="print a ring for HUITOUKE_KEYS instead")
    rotating = _command(ring, "rotate", _keys_rotate, "seal everything anew with a new key, while running")
    rotating.add_argument("--drop-old", action="store_true", help="forget the old keys afterwards")
    _command(ring, "show", _keys_show, "print the ring's fingerprint")


def _add_tenants(commands: Any) -> None:
    tenants = commands.add_parser("tenant", help="merchants of this installation").add_subparsers(required=True)
    creating = _command(tenants, "create", _tenant_create, "make a merchant with its first owner")
    creating.add_argument("--name", required=True, help="the merchant's name")
    creating.add_argument("--owner", required=True, help="the owner's sign-in name")
    creating.add_argument("--password", help="the owner's password; asked for when missing")
    operator_commands.add_tenant_commands(tenants, _command)


def _add_operators(commands: Any) -> None:
    operators = commands.add_parser("operator", help="who runs this installation").add_subparsers(required=True)
    operator_commands.add_operator_commands(operators, _command)


def _add_users(commands: Any) -> None:
    users = commands.add_parser("user", help="people who sign in").add_subparsers(required=True)
    removing = _command(
        users, "remove-second-step", _user_remove_second_step, "let somebody who lost the phone in with the password"
    )
    removing.add_argument("sign_in_name", help="the person's sign-in name")


def _add_modules(commands: Any) -> None:
    modules = commands.add_parser("module", help="modules and plug-ins").add_subparsers(required=True)
    _command(modules, "list", _module_list, "list what is loaded")
    dropping = _command(modules, "drop", _module_drop, "drop the tables that an uninstalled plug-in left")
    dropping.add_argument("name")
    dropping.add_argument("--yes", action="store_true", help="don't ask")


def _command(
    commands: Any, name: str, run: Callable[[argparse.Namespace, Settings], int | None], help_text: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help_text, description=help_text)
    parser.set_defaults(run=run)
    return parser


def _serve(options: argparse.Namespace, settings: Settings) -> int:
    # uvicorn is needed by this command alone.
    from huitouke import server

    modules = load_modules()
    everything = ",".join(Role) if settings.database_url is None else ""
    chosen = _roles(options.roles if options.roles is not None else everything)
    host = options.host or settings.host
    port = settings.port if options.port is None else options.port
    keys.ensure_ring(settings)
    with database_urls(settings) as urls:
        migrate_embedded(settings, urls, modules)
        if not options.reload:
            app = create_app(settings, modules, chosen, urls)
            return 0 if server.serve(app, host, port, settings.drain_seconds) else 1
        # The server is a child that starts again with each change: it is told by the environment where things are.
        os.environ |= {
            "DATABASE_URL": urls.application,
            "DATABASE_DIRECT_URL": urls.direct,
            "HUITOUKE_SERVE_WITH": ",".join(chosen),
        }
        server.serve_and_reload("huitouke.cli:application_from_environment", host, port)
    return 0


def _work(options: argparse.Namespace, settings: Settings) -> int:
    return _run_role(Role.WORK, options, settings, settings.work_port)


def _realtime(options: argparse.Namespace, settings: Settings) -> int:
    return _run_role(Role.REALTIME, options, settings, settings.realtime_port)


def _run_role(role: Role, options: argparse.Namespace, settings: Settings, usual_port: int | None) -> int:
    modules = load_modules()
    use_resolver(access_resolver(modules))
    use_scoped(rule for module in modules for rule in module.scoped)
    host = options.host or settings.host
    port = usual_port if options.port is None else options.port
    with database_urls(settings) as urls:
        migrate_embedded(settings, urls, modules)
        return 0 if standalone.run(settings, modules, role, urls, host, port) else 1


def _migrate(options: argparse.Namespace, settings: Settings) -> int | None:
    modules = load_modules()
    if options.create_roles:
        return doctor.create_roles(settings)
    with database_urls(settings) as urls:
        applied = asyncio.run(migrate(owner_url(urls), modules))
    print(f"applied: {', '.join(applied)}" if applied else "the schema is up to date")
    return 0


def _doctor(options: argparse.Namespace, settings: Settings) -> int:
    if options.settings:
        doctor.print_settings()
        return 0
    modules = load_modules()
    with database_urls(settings) as urls:
        processes = {kind: getattr(options, kind) for kind in doctor.CONNECTIONS}
        return asyncio.run(doctor.examine(settings, modules, urls, processes))


def _keys_make(options: argparse.Namespace, settings: Settings) -> None:
    if options.show:
        print(f"HUITOUKE_KEYS={keys.make_ring().serialise()}")
        return
    try:
        keys.write_ring(settings.key_file, keys.make_ring())
    except FileExistsError as error:
        raise CommandError(f"{settings.key_file} exists already; `huitouke keys rotate` adds a new key") from error
    print(f"made {settings.key_file}; keep a copy apart from the backups: without it sealed secrets are lost")


def _keys_rotate(options: argparse.Namespace, settings: Settings) -> None:
    ring = keys.read_ring(settings)
    if settings.keys is None:
        ring = ring.with_new_first()
        keys.write_ring(settings.key_file, ring, overwrite=True)

    async def rotate() -> key_rotation.Rotated:
        return await key_rotation.reseal_everything(ring, lambda done: _progress(f"{done.tenants} merchants"))

    done = with_database(settings, rotate)
    print(f"\nsealed {done.values} values anew with key {ring.first_kid}")
    if options.drop_old and settings.keys is None:
        keys.write_ring(settings.key_file, ring.without_old(), overwrite=True)
        print("the old keys are gone; addresses signed with them have ended")
    elif options.drop_old:
        print("now take all but the first key out of HUITOUKE_KEYS")


def _keys_show(options: argparse.Namespace, settings: Settings) -> None:
    print(keys.read_ring(settings).fingerprint())


def _tenant_create(options: argparse.Namespace, settings: Settings) -> None:
    # Founding a tenant is organization's rule; the other commands do without that module.
    from huitouke.modules.organization import service as organization

    password = options.password or getpass.getpass("Password of the owner: ")

    async def create() -> Any:
        return await organization.found_tenant(options.name, options.owner, keys.Secret(password), simple=True)

    founded = with_database(settings, create)
    print(f"made {options.name} ({founded.tenant_id}); {options.owner} can sign in")


def _user_remove_second_step(options: argparse.Namespace, settings: Settings) -> None:
    use_resolver(access_resolver(load_modules()))
    removed = with_database(settings, lambda: second_factor.remove_by_name(options.sign_in_name))
    name = options.sign_in_name
    print(f"{name} signs in with the password alone" if removed else f"{name} has no second step; nothing was changed")


def _module_list(options: argparse.Namespace, settings: Settings) -> None:
    for module in load_modules():
        requires = f"  requires {', '.join(module.requires)}" if module.requires else ""
        print(f"{module.name:<16} {module.version}{requires}")


def _module_drop(options: argparse.Namespace, settings: Settings) -> None:
    modules = load_modules()
    with database_urls(settings) as urls:
        owner = owner_url(urls)
        leftover = asyncio.run(plugins.find_leftover(owner, options.name, modules))
        tables = ", ".join(leftover.tables) or "no tables"
        if not options.yes and input(f"drop {tables} with all rows? Type {options.name} to go on: ") != options.name:
            raise CommandError("nothing was dropped")
        asyncio.run(plugins.drop(owner, leftover))
    print(f"dropped {tables}")


def _openapi(options: argparse.Namespace, settings: Settings) -> None:
    document = openapi_document(load_modules(), options.surface)
    sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode() + "\n")


def _demo(options: argparse.Namespace, settings: Settings) -> int:
    return demo_command.main(options)


def _demo_data(options: argparse.Namespace, settings: Settings) -> None:
    # Uses organization, which the other commands do without.
    from huitouke import demo_data

    async def load() -> bool:
        return await demo_data.load(load_modules(), public_url=settings.public_url, sandbox_url=options.sandbox_url)

    made = with_database(settings, load)
    print("demo data loaded" if made else "the demo data are there already")


def _version(options: argparse.Namespace, settings: Settings) -> None:
    print(f"huitouke {release()}")


def _roles(text: str) -> frozenset[Role]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in set(Role)]
    if unknown:
        raise CommandError(f"--with knows {', '.join(Role)}, not {', '.join(unknown)}")
    return frozenset(Role(name) for name in names)


def _settings_in_words(error: pydantic.ValidationError) -> str:
    lines = [f"{'.'.join(str(part) for part in found['loc'])}: {found['msg']}" for found in error.errors()]
    return "a setting is wrong (all of them: huitouke doctor --settings)\n  " + "\n  ".join(lines)


def _progress(text: str) -> None:
    with suppress(OSError):
        sys.stderr.write(f"\r{text}")
        sys.stderr.flush()


def _fail(message: str) -> int:
    print(f"✗ {message}", file=sys.stderr)
    return 1
