"""A synthetic province as a folder of files: people, venues, truth, the departments' feeds, the lake's days.

    people.csv venues.csv world.json            who and what there is
    truth/infections.csv truth/stays-DATE.npz   what really happened: only to score with
    feeds/lab.csv feeds/lab-2.csv …             what the departments send; feeds/manifest.json what to expect of each
    lake/                                       the scans, as closed days of a lake
    visits.csv cases.csv                        on request: the same scans and the cases, for `tianfu trace files`

The same settings give the same bytes.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from tianfu.feeds.contracts import CONTRACTS
from tianfu.feeds.table import ROWS_MAX
from tianfu.lake import days, layout
from tianfu.lake.layout import Partition
from tianfu.synth.names import VENUE_KINDS
from tianfu.synth.province import faults, identities, outbreak, routine, scanning, sources
from tianfu.synth.province.departments import Departments, Row, case_key, text
from tianfu.synth.province.disease import DAY, FAR
from tianfu.synth.province.identities import Identities
from tianfu.synth.province.model import CATEGORY, NOBODY, Setting
from tianfu.synth.province.outbreak import Outbreak, Plan
from tianfu.synth.province.sources import Records
from tianfu.synth.province.world import World
from tianfu.tracing.model import Reach

# Days of look-back of the rules the operators' list is made for: the national text's four days of local practice.
LOOK_BACK_DAYS: Final = 4
Say = Callable[[str], None]


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What the intake must make of one file: it is refused as a whole, or so many rows are set aside or repeated."""

    file: str
    feed: str
    rows: int
    fault: str | None = None
    refused: bool = False
    set_aside: int = 0
    repeated: int = 0


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What was written: the world, its outbreak, the minute of the lake that the feeds are as of, files expected."""

    world: World
    spread: Outbreak
    at: int
    expected: tuple[Expected, ...]


def write(
    world: World, plan: Plan, out: Path, *, reach: Reach, with_faults: bool, with_visits: bool, say: Say
) -> Written:
    """Write everything into `out`, which must be empty or absent; `say` is told of each part.

    Raises `FileExistsError` when something is in it, `ValueError` beyond a million people.
    """
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(out)
    (out / "feeds").mkdir(parents=True, exist_ok=True)
    (out / "truth").mkdir()
    people = identities.make(world)
    spread = outbreak.spread(world, plan)
    at = (world.settings.day_number(0) + world.settings.days) * DAY - 1
    known = int((spread.infections.resulted_at <= at).sum())
    say(f"outbreak: {len(spread.infections.person)} infections, {known} known")
    _write_people(world, people, out / "people.csv")
    _write_venues(world, out / "venues.csv")
    _write_truth(spread, people, out / "truth" / "infections.csv")
    scans = _write_days(world, spread, out)
    say(f"lake: {scans} scans of {world.settings.days} days")
    records = _records(world, spread, at, reach)
    sent = Departments(world, spread, people, at=at, records=records)
    expected: list[Expected] = []
    for feed, rows in sent.files():
        made = _write_feed(feed, list(rows), out / "feeds", with_faults=with_faults)
        expected += made
        say(f"{feed}: {sum(part.rows for part in made)} rows")
    (out / "feeds" / "manifest.json").write_bytes(msgspec.json.format(msgspec.json.encode(expected)) + b"\n")
    if with_visits:
        _write_visits(world, spread, at, out)
    (out / "world.json").write_bytes(_described(world, spread, at, scans))
    return Written(world=world, spread=spread, at=at, expected=tuple(expected))


def _records(world: World, spread: Outbreak, at: int, reach: Reach) -> Records | None:
    cases = sources.windows(spread.infections, as_of=at, look_back_days=LOOK_BACK_DAYS)
    if not len(cases.person):
        return None
    return sources.records(world, spread, cases, as_of=at, reach=reach)


def _described(world: World, spread: Outbreak, at: int, scans: int) -> bytes:
    told = {
        "settings": msgspec.to_builtins(world.settings),
        "counties": dict(zip(world.counties.codes, world.counties.names, strict=True)),
        "as_of": text(at),
        "first_positive": None if spread.alarm_at == FAR else text(spread.alarm_at),
        "scans": scans,
        "numbers": "person and venue numbers are those of people.csv and venues.csv",
    }
    return msgspec.json.format(msgspec.json.encode(told)) + b"\n"


def _write_people(world: World, people: Identities, path: Path) -> None:
    header = ("person", "name", "document_type", "document_number", "phone", "household", "county", "age")
    codes = [world.counties.codes[county] for county in world.people.county.tolist()]
    _write_rows(
        path,
        header,
        zip(
            range(1, world.settings.people + 1),
            people.names,
            itertools.repeat("resident_id"),
            people.numbers,
            people.phones,
            world.people.household.tolist(),
            codes,
            world.people.age.tolist(),
        ),
    )


def venue_name(world: World, place: int) -> str:
    """The name of a place with a poster."""
    category = next(word for word, code in CATEGORY.items() if code == world.sites.kind[place])
    endings = [ending for kind, ending, _ in VENUE_KINDS if kind == category.value] or ["场所"]
    return f"合成{endings[place % len(endings)]}{place + 1}号"


def _write_venues(world: World, path: Path) -> None:
    sites, categories = world.sites, {code: word.value for word, code in CATEGORY.items()}
    rows = (
        (
            place + 1,
            venue_name(world, place),
            categories[int(sites.kind[place])],
            "" if sites.county[place] == NOBODY else world.counties.codes[int(sites.county[place])],
        )
        for place in range(sites.posters)
    )
    _write_rows(path, ("venue", "name", "category", "division"), rows)


def _write_truth(spread: Outbreak, people: Identities, path: Path) -> None:
    header = (
        *("person", "document_number", "infected_at", "by", "place", "setting", "infectious_at"),
        *("symptoms_at", "sampled_at", "positive_at", "case_id"),
    )
    rows = spread.infections
    known = np.argsort(rows.resulted_at, kind="stable")
    number = np.empty(len(known), np.int64)
    number[known] = np.arange(1, len(known) + 1)
    written = []
    for position, infection in enumerate(zip(*(part.tolist() for part in rows), strict=True)):
        row = outbreak.Infections(*infection)
        written.append(
            (
                int(row.person) + 1,
                people.numbers[int(row.person)],
                text(int(row.at)),
                *("" if value == NOBODY else int(value) + 1 for value in (row.by, row.place)),
                Setting(int(row.setting)).name.lower(),
                text(int(row.infectious_at)),
                *(
                    "" if value == FAR else text(int(value))
                    for value in (row.onset_at, row.sampled_at, row.resulted_at)
                ),
                case_key(int(number[position])) if row.resulted_at != FAR else "",
            )
        )
    _write_rows(path, header, written)


def _write_days(world: World, spread: Outbreak, out: Path) -> int:
    scans = 0
    for number in range(world.settings.days):
        stays = routine.day(world, number, kept_in=outbreak.kept_in(world, spread.infections, number))
        partition = scanning.partition(world, number, scanning.scans(world, number, stays))
        days.write_arrays(out / "lake", partition)
        scans += len(partition.by_venue)
        name = layout.day_of(partition.day).isoformat()
        with (out / "truth" / f"stays-{name}.npz").open("wb") as file:
            np.savez(file, **routine.ordered(stays)._asdict())
    return scans


def _write_feed(feed: str, rows: Sequence[Row], folder: Path, *, with_faults: bool) -> list[Expected]:
    """The files of one feed, none longer than the intake takes at once."""
    names = [column.name for column in CONTRACTS[feed].columns]
    parts = faults.parts(feed, rows) if with_faults else [faults.whole(rows)]
    expected = []
    for part in parts:
        pieces = [part.rows[start : start + ROWS_MAX] for start in range(0, len(part.rows), ROWS_MAX)] or [()]
        if not part.rows and not part.refused:
            continue
        for number, piece in enumerate(pieces, start=1):
            path = folder / f"{feed}{part.ending}{f'-{number}' if number > 1 else ''}.csv"
            columns = [name for name in names if not piece or name in piece[0]]
            if part.fault is faults.Fault.EMPTY:
                path.write_bytes(b"")
            else:
                _write_rows(path, columns, ([row.get(name, "") for name in columns] for row in piece))
            expected.append(
                Expected(
                    file=path.name,
                    feed=feed,
                    rows=len(piece),
                    fault=None if part.fault is None else part.fault.value,
                    refused=part.refused,
                    set_aside=sum(map(faults.is_mangled, piece)) if part.fault is faults.Fault.MANGLED else 0,
                    repeated=max(0, min(number * ROWS_MAX, len(part.rows)) - max(part.once, (number - 1) * ROWS_MAX)),
                )
            )
    return expected


def _write_visits(world: World, spread: Outbreak, at: int, out: Path) -> None:
    """The scans and the known cases as `tianfu trace files` reads them."""

    def visits() -> Iterable[tuple[int, int, str]]:
        for partition in _partitions(world, spread):
            minute = (partition.by_venue >> np.uint64(layout.PERSON_BITS)) & np.uint64(layout.MINUTE_MASK)
            person = partition.by_venue & np.uint64(layout.PERSON_MASK)
            venue = partition.by_venue >> np.uint64(layout.MINUTE_BITS + layout.PERSON_BITS)
            for who, where, when in zip(person.tolist(), venue.tolist(), minute.tolist(), strict=True):
                yield who, where, iso(partition.day * DAY + when)

    _write_rows(out / "visits.csv", ("person", "venue", "at"), visits())
    cases = sources.windows(spread.infections, as_of=at, look_back_days=LOOK_BACK_DAYS)
    rows = zip(*(part.tolist() for part in cases), strict=True)
    _write_rows(
        out / "cases.csv",
        ("person", "from", "to"),
        ((person + 1, iso(since), iso(until)) for person, since, until in rows),
    )


def _partitions(world: World, spread: Outbreak) -> Iterable[Partition]:
    for number in range(world.settings.days):
        stays = routine.day(world, number, kept_in=outbreak.kept_in(world, spread.infections, number))
        yield scanning.partition(world, number, scanning.scans(world, number, stays))


def iso(minute: int) -> str:
    """A minute of the lake in ISO 8601 with the offset of Beijing."""
    return f"{text(minute).replace(' ', 'T')}:00+08:00"


def _write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[object] | Mapping[str, object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
