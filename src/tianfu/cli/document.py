"""A document's number from a terminal: never an argument, which stays in the shell's history and in process lists."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from tianfu.residents import documents

# Four bytes for each character of the longest number that is looked at, and one character more to see that it is over.
_LINE_BYTES_MAX: Final = 4 * (documents.NUMBER_TYPED_LENGTH_MAX + 1)

Command = TypeVar("Command", bound=Callable[..., Any])


def type_option(command: Command) -> Command:
    """The option `--type`, given to the command as `kind`."""
    option = click.option(
        "--type",
        "kind",
        type=click.Choice([kind.value for kind in documents.DocumentType]),
        default=documents.DocumentType.RESIDENT_ID.value,
        show_default=True,
        help="Which document it is.",
    )
    return option(command)


def typed_number() -> str:
    """The number as typed, without showing it on a terminal, or the first line of standard input."""
    if sys.stdin.isatty():
        return str(click.prompt("document number", hide_input=True, err=True))
    return sys.stdin.buffer.readline(_LINE_BYTES_MAX).decode("utf-8", "replace")
