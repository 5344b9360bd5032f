"""`tianfu account`: operators' accounts and the roles they hold.

A password is typed at a prompt or comes on standard input, never as an argument: arguments are visible to every user
of the machine and stay in the shell's history.
"""

from __future__ import annotations

import sys
from typing import Final

import click

_EPILOG: Final = """\b
Examples:
  tianfu account create li.na --name 李娜
  tianfu account grant li.na epidemiologist --district 5101
  tianfu account lock li.na
"""
_ROLES: Final = ("administrator", "venue_manager", "guard", "epidemiologist", "field_worker", "desk", "auditor")


@click.group(epilog=_EPILOG)
def command() -> None:
    """Operators' accounts and the roles they hold."""


@command.command("create")
@click.argument("username")
@click.option("--name", "display_name", required=True, help="What colleagues see.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input instead of asking.")
def create(username: str, display_name: str, *, password_stdin: bool) -> None:
    """Make an account without any role."""
    from tianfu.access import accounts
    from tianfu.clock import SystemClock
    from tianfu.platform import settings
    from tianfu.platform.database import Purpose
    from tianfu.services.installation import installed_database

    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    with installed_database(settings.load()) as database, database.write(Purpose.OPERATOR) as write:
        at = SystemClock().now()
        accounts.create(write, username=username, display_name=display_name, password=password, at=at)
        accounts.record(write, "account_created", username, at=at)
    click.echo(f"account {username} created; give it a role with: tianfu account grant {username} ROLE")


@command.command("grant")
@click.argument("username")
@click.argument("role", type=click.Choice(_ROLES))
@click.option(
    "--district", default="", help="2 digits of a province, 4 of a prefecture, 6 of a county; empty for everywhere."
)
def grant(username: str, role: str, district: str) -> None:
    """Give an account a role in a district."""
    from tianfu.access import accounts
    from tianfu.access.places import SICHUAN_PREFIX as PROVINCE
    from tianfu.access.roles import Role
    from tianfu.clock import SystemClock
    from tianfu.platform import settings
    from tianfu.platform.database import Purpose
    from tianfu.services.installation import installed_database

    with installed_database(settings.load()) as database, database.write(Purpose.OPERATOR) as write:
        accounts.grant(write, username=username, role=Role(role), district=district)
        detail = {"role": role, "place": district or PROVINCE}
        accounts.record(write, "role_granted", username, at=SystemClock().now(), detail=detail)
    click.echo(f"{username} is {role} in {district or 'the whole province'}")


@command.command("lock")
@click.argument("username")
@click.confirmation_option(prompt="Close this account for good?")
def lock(username: str) -> None:
    """Close an account for good; its sessions end in the console at once."""
    from tianfu.access import accounts
    from tianfu.clock import SystemClock
    from tianfu.platform import settings
    from tianfu.platform.database import Purpose
    from tianfu.services.installation import installed_database

    with installed_database(settings.load()) as database, database.write(Purpose.OPERATOR) as write:
        at = SystemClock().now()
        accounts.close(write, username=username, at=at)
        accounts.record(write, "account_closed", username, at=at)
    click.echo(f"account {username} is closed")


@command.command("list")
def list_accounts() -> None:
    """Accounts with their roles."""
    from tianfu.access import accounts
    from tianfu.platform import settings
    from tianfu.platform.database import Purpose
    from tianfu.services.installation import installed_database

    with installed_database(settings.load()) as database, database.read(Purpose.OPERATOR) as read:
        for account in accounts.every(read):
            held = ", ".join(f"{grant.role.value}@{grant.district or 'province'}" for grant in account.grants)
            state = " (closed)" if account.closed else ""
            click.echo(f"{account.username}{state}\t{account.display_name}\t{held or 'no role'}")
