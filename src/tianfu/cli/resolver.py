"""`tianfu resolver`: other issuers of codes: is the file right, and does the other side answer as agreed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click
import msgspec

from tianfu.clock import now_milliseconds
from tianfu.errors import TianfuError
from tianfu.platform import settings
from tianfu.scans.foreign import issuers
from tianfu.scans.foreign.abroad import Abroad, words
from tianfu.scans.foreign.issuers import ForeignIssuersInvalidError

_EPILOG = """\b
Examples:
  tianfu resolver check
  tianfu resolver try < codes.txt

The file is the one that TIANFU_RESOLVERS names; docs/foreign-codes.md describes it.
"""


@click.group(epilog=_EPILOG)
def command() -> None:
    """Other provinces' codes: check the file of issuers, ask the issuers."""


@command.command()
def check() -> None:
    """Read the file and the tokens, and list whose codes are known."""
    abroad, path = _opened()
    asyncio.run(abroad.close())
    for issuer in issuers.load(path):
        prefixes = " ".join(issuer.prefixes)
        click.echo(
            f"{issuer.id:<12} {prefixes:<24} {issuer.time_limit_ms:>5} ms {issuer.age_max_seconds:>4} s  {issuer.en}"
        )


@command.command("try")
def try_codes() -> None:
    """Ask about the codes on standard input, one a line; print one JSON object a line, as a guard would get it."""

    async def ask() -> None:
        abroad, _ = _opened()
        try:
            for line in sys.stdin:
                code = line.strip()
                if not abroad.knows(code):
                    click.echo(msgspec.json.encode({"code": "code_invalid"}))
                    continue
                try:
                    found = await abroad.resolve(code)
                except TianfuError as error:
                    click.echo(msgspec.json.encode({"code": error.code, "detail": error.en}))
                else:
                    click.echo(b"{%b}" % words(found, "en", now_milliseconds() // 1000))
        finally:
            await abroad.close()

    asyncio.run(ask())


def _opened() -> tuple[Abroad, Path]:
    """The issuers of the settings, and their file. Raises `ForeignIssuersInvalidError` where none is named."""
    loaded = settings.load()
    path = loaded.gate.resolvers
    if path is None:
        raise ForeignIssuersInvalidError(
            en="TIANFU_RESOLVERS names no file of other issuers.", zh="未设置外省健康码对接文件（TIANFU_RESOLVERS）。"
        )
    return Abroad.open(path, keys=loaded.var / "keys", now_ms=now_milliseconds), path
