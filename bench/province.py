"""A synthetic province's visits as the lake's arrays: what the tracing benchmarks search.

People are uniform, minutes uniform over the day, venues Zipf with exponent 0.8 under shuffled numbers. Uniform people
and heavy venues make the second hop larger than life, where the same people meet again: the benchmark is pessimistic.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tianfu.lake.layout import DAY_MINUTES, Partition, turned, venue_words

FIRST_DAY: Final = 19_266  # 2022-10-01
SEED: Final = 20_261_125
ZIPF: Final = 0.8


class Province(NamedTuple):
    """How large: `scans` are of one day."""

    people: int
    venues: int
    days: int
    scans: int

    @property
    def visits(self) -> int:
        """All of them."""
        return self.days * self.scans

    @property
    def array_bytes(self) -> int:
        """What its arrays take of a disk: two words a visit."""
        return self.visits * 16


# The Sichuan of September 2022: 19.04 million venue scans on the top day.
FULL: Final = Province(people=90_000_000, venues=2_000_000, days=14, scans=19_040_000)
# The same two weeks with 3.75 times as many scans: what every venue of the province would make.
BILLION: Final = FULL._replace(scans=71_430_000)


def scaled(size: Province, people: int) -> Province:
    """`size` with so many people, and venues and scans in proportion."""
    return size._replace(
        people=people, venues=size.venues * people // size.people, scans=size.scans * people // size.people
    )


def make(folder: Path, size: Province, *, threads: int = 2) -> list[Partition]:
    """Write the arrays of `size` into `folder`, a pair of files a day, and map them. The same ones each time."""
    weights = np.arange(1, size.venues + 1, dtype=np.float64) ** -ZIPF
    weights /= weights.sum()
    weights = np.random.default_rng(SEED).permutation(weights)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda day: _write(folder, size, weights, day), range(size.days)))
    return opened(folder, size)


def opened(folder: Path, size: Province) -> list[Partition]:
    """The arrays that `make` wrote, mapped."""
    return [Partition(FIRST_DAY + day, *(_mapped(name) for name in _files(folder, day))) for day in range(size.days)]


def _write(folder: Path, size: Province, weights: NDArray[np.float64], day: int) -> None:
    source = np.random.default_rng([SEED, day])
    venues = np.repeat(np.arange(size.venues), source.multinomial(size.scans, weights))
    minutes = source.integers(0, DAY_MINUTES, size.scans, dtype=np.uint16)
    people = source.integers(0, size.people, size.scans, dtype=np.uint32)
    by_venue = venue_words(venues, minutes, people)
    by_venue.sort()
    at_venues, of_people = _files(folder, day)
    by_venue.tofile(at_venues)
    turned(by_venue).tofile(of_people)


def _files(folder: Path, day: int) -> Iterable[Path]:
    return folder / f"{day}.venue", folder / f"{day}.person"


def _mapped(name: Path) -> NDArray[np.uint64]:
    return np.asarray(np.memmap(name, np.uint64, "r"))
