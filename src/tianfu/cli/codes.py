"""`tianfu codes`: check codes without network, write the trust file for it, make cards and codes of vehicles."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final

import click

from tianfu.cli.instant import InstantParameter

# The longest text that is any code of ours is a link of 503 characters after an origin, or 438 of a device-bound code;
# four bytes each. What is longer is no code, and is not kept.
LINE_BYTES_MAX: Final = 8_192
_SKEW_SECONDS_MAX: Final = 3_600

_VERIFY: Final = """\b
Examples:
  tianfu codes trust --out trust.json
  tianfu codes verify --trust trust.json < codes.txt
  echo 'HK2:…' | tianfu codes verify --trust trust.json --at 2022-03-05T09:00:00+08:00 --skew 0

\b
One JSON object for each line, in order:
  kind     dynamic, card, device, venue, vehicle, or unknown (no code of ours; nothing is opened)
  verdict  valid, expired, not_yet_valid, invalid,
           not_green (the holder is not plainly green, or the code was killed),
           cannot_check (a list is missing, too old, or from after now; never taken for green)
Then what the code says: masked name, last digits, times; for a dynamic code its colour; for a poster its venue. A card
or a device-bound code has no colour inside: "valid" says that it was in no list of what is not green.

No database, no network and no secret key is used. Ends with 0 whatever the verdicts are.
"""


@click.group()
def command() -> None:
    """Check codes without network, and make the codes that are printed."""


@command.command("verify", epilog=_VERIFY)
@click.option(
    "--trust",
    "trust_file",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A file made by `tianfu codes trust`.",
)
@click.option("--at", type=InstantParameter(), default=None, help="The instant to check for; now by default.")
@click.option(
    "--skew",
    type=click.IntRange(0, _SKEW_SECONDS_MAX),
    default=5,
    show_default=True,
    help="Seconds by which clocks may differ.",
)
def verify(trust_file: Path, *, at: datetime | None, skew: int) -> None:
    """Read codes from standard input, one a line, and print one JSON verdict for each."""
    import msgspec

    from tianfu.clock import SystemClock
    from tianfu.passcode import bundle

    with trust_file.open("rb") as source:
        trust = bundle.read(source.read(bundle.FILE_BYTES_MAX + 1))
    clock = SystemClock()
    for line in lines(sys.stdin.buffer):
        instant = clock.now() if at is None else at
        verdict = trust.verdict(line, int(instant.timestamp()), skew)
        click.echo(msgspec.json.encode(verdict).decode())


@command.command("trust")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Where to write the file.")
def trust(out: Path) -> None:
    """Write the file with which codes can be checked elsewhere, without network.

    It holds the list keys to trust, the signed trust list, the signed list of what is not green, and the origin of
    posters: nothing secret. It says nothing any more when its lists are too old (TIANFU_LIST_HOURS); write it anew.
    """
    from tianfu.clock import SystemClock
    from tianfu.passcode import bundle
    from tianfu.platform import settings
    from tianfu.platform.keyring import GateKeys, gate_path
    from tianfu.status.read import Board

    loaded = settings.load()
    at_seconds = int(SystemClock().now().timestamp())
    ring = GateKeys.load_or_create(gate_path(loaded.var))
    board = Board.open(loaded.var / "board")
    try:
        body = bundle.write(bundle.collect(board, ring, loaded.server.public_origin, at_seconds))
    finally:
        board.close()
    out.write_bytes(body)
    click.echo(f"trust file written to {out}")


@command.command("card")
@click.argument("person")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Where to write the page.")
@click.option(
    "--kind",
    type=click.Choice(("self", "child", "elder", "ward")),
    default="self",
    show_default=True,
    help="For whom the card is.",
)
def card(person: str, *, out: Path, kind: str) -> None:
    """Print a card for PERSON (`P-000000012-62`), who has claimed a code: an A6 page in SVG.

    The one of this kind from before is refused at every gate within seconds. The person sees in the app that a card
    was made at a terminal.
    """
    from tianfu.cli.codes_make import print_card

    until = print_card(person, kind, out)
    click.echo(f"card written to {out}, good until {until.isoformat(timespec='minutes')}")


@command.group("vehicle")
def vehicle() -> None:
    """Codes to put up in buses, coaches, taxis, trains and ships."""


@vehicle.command("create")
@click.option("--plate", required=True, help="The plate, or the number of a train or a ship.")
@click.option("--operator", "operator_name", required=True, help="Who operates it, as passengers know them.")
@click.option("--kind", type=click.Choice(("bus", "coach", "taxi", "ride", "train", "ship")), required=True)
@click.option("--district", required=True, help="The six digits of the operator's county.")
@click.option("--account", required=True, help="The venue manager's account that answers for it.")
@click.option(
    "--svg", type=click.Path(path_type=Path, dir_okay=False), default=None, help="Where to write the page to print."
)
def create_vehicle(*, plate: str, operator_name: str, kind: str, district: str, account: str, svg: Path | None) -> None:
    """Make a vehicle and print the text of its code.

    \b
    Example:
      tianfu codes vehicle create --kind coach --plate 川A12345 --operator 蜀运 --district 510107 \\
        --account manager --svg coach.svg
    """  # noqa: D301 - \b is click's mark for lines that are not wrapped
    from tianfu.cli.codes_make import make_vehicle

    made = make_vehicle(plate=plate, operator=operator_name, kind=kind, district=district, account=account, svg=svg)
    click.echo(made)


def lines(source: BinaryIO) -> Iterator[str]:
    """The lines of `source` without their ends. One that is too long, or not UTF-8, comes as a text that is no code."""
    while line := source.readline(LINE_BYTES_MAX):
        is_whole = line.endswith(b"\n") or len(line) < LINE_BYTES_MAX
        while not is_whole:
            rest = source.readline(LINE_BYTES_MAX)
            is_whole = rest.endswith(b"\n") or len(rest) < LINE_BYTES_MAX
            line = b""
        yield line.rstrip(b"\r\n").decode("utf-8", "replace")
