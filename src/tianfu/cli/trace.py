"""`tianfu trace`: from one positive to everybody who must know."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from typing import Final

import click

INCIDENT: Final = re.compile(r"[0-9]{4}-[0-9]{6}-[0-9]{3}", re.ASCII)

# Name of a command: its module (or module:name where that has several), and what `tianfu trace --help` says of it
# without importing it.
COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "run": ("tianfu.cli.trace_run", "Trace an incident; its number alone does the same."),
    "open": ("tianfu.cli.trace_incidents:open_command", "Open an incident in a county."),
    "close": ("tianfu.cli.trace_incidents:close_command", "Close an incident; its list stays."),
    "reopen": ("tianfu.cli.trace_incidents:reopen_command", "Open a closed incident again."),
    "incidents": ("tianfu.cli.trace_incidents:list_command", "List incidents."),
    "cases": ("tianfu.cli.trace_incidents:cases_command", "An incident's cases: add, isolate, withdraw."),
    "list": ("tianfu.cli.trace_why:list_command", "Print an incident's list, page by page."),
    "why": ("tianfu.cli.trace_why", "Say why somebody is on an incident's list."),
    "follow": ("tianfu.cli.trace_follow", "Tasks of an incident: plan, assign, done, lost, overdue."),
    "handover": ("tianfu.cli.trace_handover", "Hand people over to another county or province."),
    "notify": ("tianfu.cli.trace_notify", "Texts for contacts and places: print, queue, send."),
    "indicators": ("tianfu.cli.trace_indicators", "The numbers of the morning meeting."),
    "screen": ("tianfu.cli.trace_screen", "Screen an incident: the funnel, why, confirm."),
    "files": ("tianfu.cli.trace_files", "Trace from two plain files, without a database."),
    "rules": ("tianfu.cli.trace_rules", "The dated tracing rules: list, show, check a file."),
    "export": ("tianfu.cli.trace_export", "Write a list to a file for an office, CSV or XLSX."),
    "report": ("tianfu.cli.trace_report", "Write an incident as one page that opens offline."),
}


class TraceGroup(click.Group):
    """Commands that are imported when used; an incident's number in place of a command traces that incident."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name; `run` for the number of an incident."""
        del ctx
        entry = COMMANDS.get("run" if INCIDENT.fullmatch(cmd_name) else cmd_name)
        if entry is None:
            return None
        module, _, name = entry[0].partition(":")
        command = getattr(importlib.import_module(module), name or "command")
        if not isinstance(command, click.Command):
            message = f"{entry[0]}.command is not a click command"
            raise TypeError(message)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """An incident's number stays among the arguments of `run`."""
        if args and INCIDENT.fullmatch(args[0]):
            return "run", self.get_command(ctx, "run"), args
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table, without importing anything."""
        del ctx
        if not COMMANDS:
            return
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.command(cls=TraceGroup)
def command() -> None:
    """From one positive to everybody who must know.

    `tianfu trace 2022-510112-003` traces that incident again.
    """
