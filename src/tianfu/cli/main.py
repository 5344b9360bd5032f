"""The `tianfu` command: a table of names, each loaded only when it is used.

A command lives in `tianfu.cli.<module>` and exposes `command`. Expected failures (`TianfuError`) become one clear
sentence on standard error in the language of the terminal and exit code 2; a fault of ours keeps its traceback.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from importlib import metadata
from typing import Final, NamedTuple

import click

from tianfu.errors import TianfuError

EXIT_REFUSED: Final = 2


class Entry(NamedTuple):
    """Where a command lives and what `tianfu --help` says of it, so that help imports nothing."""

    module: str
    summary: str


COMMANDS: Final[Mapping[str, Entry]] = {
    "up": Entry("tianfu.cli.up", "Start everything on this machine and say where it is."),
    "feed": Entry("tianfu.cli.feed", "Load departments' files, and look after what was set aside."),
    "cities": Entry("tianfu.cli.migrate_cities", "Take over the holders of the old city codes."),
    "person": Entry("tianfu.cli.person", "Find a person's reference; merge people known twice."),
    "canary": Entry("tianfu.cli.canary", "Documents that nobody has, whose look-up raises an alarm."),
    "explain": Entry("tianfu.cli.explain", "Say why a person has the colour they have."),
    "decide": Entry("tianfu.cli.decide", "Decide from evidence in a file, without a database."),
    "evidence": Entry("tianfu.cli.evidence", "List what the ledger holds about a person."),
    "replay": Entry("tianfu.cli.replay", "Recompute every status from the ledger and report differences."),
    "policy": Entry("tianfu.cli.policy", "Check, compare, publish and list rule sets."),
    "zone": Entry("tianfu.cli.zone", "Declare, lower and lift risk areas."),
    "emergency": Entry("tianfu.cli.emergency", "Register an emergency order."),
    "codes": Entry("tianfu.cli.codes", "Check codes without network; make cards and codes of vehicles."),
    "keys": Entry("tianfu.cli.keys", "List, rotate and retire keys."),
    "resolver": Entry("tianfu.cli.resolver", "Other provinces' codes: check the file of issuers, ask them."),
    "account": Entry("tianfu.cli.account", "Operators' accounts and the roles they hold."),
    "database": Entry("tianfu.cli.database", "Apply migrations."),
    "synth": Entry("tianfu.cli.synth", "Make a synthetic province with an outbreak; the drill."),
    "trace": Entry("tianfu.cli.trace", "From one positive to everybody who must know."),
    "journal": Entry("tianfu.cli.journal", "Show what a gate has recorded, and move it into the lake."),
    "lake": Entry("tianfu.cli.lake", "The days of visits: roll, compact, look, verify, erase."),
    "board": Entry("tianfu.cli.board", "The gates' board: look at it, follow another one, take a copy."),
    "bench": Entry("tianfu.cli.bench", "Measure the budgets against a baseline in the same run."),
}

EXAMPLES: Final = (
    ("tianfu up", "start; Ctrl-C stops"),
    ("tianfu feed load lab var/demo/lab.csv", "load test results"),
    ("tianfu explain P-000000012-62", "why this colour"),
    ("tianfu decide --policy sichuan-core --evidence FILE.json --at 2022-09-01T08:00:00+08:00", "no database needed"),
)


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table, which is the order of interest."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module; None for a name that is not in the table."""
        del ctx
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command = importlib.import_module(entry.module).command
        if not isinstance(command, click.Command):
            message = f"{entry.module}.command is not a click command"
            raise TypeError(message)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the table and the examples without importing a command."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])
        with formatter.section("Examples"):
            for line, says in EXAMPLES:
                formatter.write(f"  {line}\n      {says}\n")


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(metadata.version("tianfu"), "--version", prog_name="tianfu")
def application() -> None:
    """Tianfu: a province's health code. Colours are derived from published rules and evidence, never set."""


def terminal_language(environ: Mapping[str, str]) -> str:
    """`zh` when the terminal's locale is Chinese, `en` otherwise."""
    locale = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return "zh" if locale.lower().startswith("zh") else "en"


def describe(error: TianfuError, language: str) -> str:
    """The sentence of an expected failure, and one line for each field that is wrong."""
    lines = [error.sentence(language)]
    lines += [f"  {fault.field}: {fault.zh if language == 'zh' else fault.en}" for fault in error.faults]
    return "\n".join(lines)


def main() -> None:
    """Run the command line; never returns."""
    try:
        application(prog_name="tianfu")
    except TianfuError as error:
        click.echo(f"tianfu: {describe(error, terminal_language(os.environ))}", err=True)
        sys.exit(EXIT_REFUSED)
