"""`tianfu up`: everything on this machine, until Ctrl-C."""

from __future__ import annotations

import os
import sys
from typing import Final

import click

from tianfu.platform.settings import Settings

EXIT_NOT_STARTED: Final = 1


@click.command("up", help="Start everything on this machine: database, worker, control API, gate and web app.")
def command() -> None:
    """Run the supervisor; exit code 1 with one sentence when it cannot start."""
    from tianfu.cli.main import describe, terminal_language
    from tianfu.errors import TianfuError
    from tianfu.platform import settings
    from tianfu.platform.observe import Log
    from tianfu.services import checks
    from tianfu.services.all_in_one import AllInOne

    def say(line: str) -> None:
        click.echo(f"tianfu: {line}")
        sys.stdout.flush()

    try:
        loaded = settings.load()
        checks.require_folder(loaded.var)
        with (loaded.var / "supervisor.log").open("a", encoding="utf-8") as stream:
            AllInOne(loaded, say=say, log=Log("supervisor", stream=stream)).run(ready=lambda: welcome(loaded))
    except TianfuError as error:
        click.echo(f"tianfu: {describe(error, terminal_language(os.environ))}", err=True)
        sys.exit(EXIT_NOT_STARTED)


def welcome(loaded: Settings) -> None:
    """Print the address and, on a demo machine, who can log in and how to claim."""
    from tianfu.platform.settings import Environment
    from tianfu.synth import demo, operators

    address = loaded.server.public_origin
    lines = ["", f"  Tianfu is ready · 已就绪  {address}", ""]
    if loaded.environment is Environment.DEMO:
        waiting = demo.samples(loaded.var / "demo")
        lines += [f"  Residents · 居民  {address}/claim   (the one-time password is shown on the page)"]
        lines += [f"    {person.name}  {person.number}  {person.phone}" for person in waiting]
        lines += ["", f"  Operators · 工作人员  {address}/console"]
        for account in operators.ACCOUNTS:
            lines.append(f"    {account.username:<15} {account.password:<26} {account.display_name}")
        lines += ["", "  Everybody above is synthetic, and these passwords are public: a demo machine only.", ""]
    lines += ["  Ctrl-C stops everything; the data stays.", ""]
    click.echo("\n".join(lines))
    sys.stdout.flush()
