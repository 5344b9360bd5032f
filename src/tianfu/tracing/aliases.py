"""People known under several numbers, in arrays: one human being is one row, whichever number scanned. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Self

import numpy as np

from tianfu.lake.layout import People
from tianfu.tracing.model import Sources


class Aliases(NamedTuple):
    """The merges that stand (`tianfu.residents.merging`): `merged` uint32 ascending, each once; `kept` uint32 its own.

    A number that is kept is never merged itself, so looking up once is enough.
    """

    merged: People
    kept: People

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, int]]) -> Self:
        """From (kept, merged) pairs."""
        ordered = sorted((merged, kept) for kept, merged in pairs)
        merged = np.array([pair[0] for pair in ordered], np.uint32)
        return cls(merged, np.array([pair[1] for pair in ordered], np.uint32))

    def kept_of(self, people: People) -> People:
        """For each of `people` the number that is kept; their own where nothing was merged."""
        if not len(self.merged):
            return people
        at = np.searchsorted(self.merged, people)
        at[at == len(self.merged)] = 0
        return np.where(self.merged[at] == people, self.kept[at], people).astype(np.uint32)

    def everybody(self, people: People) -> People:
        """`people` and every other number of theirs, ascending, each once."""
        kept = np.unique(self.kept_of(people))
        return np.union1d(kept, self.merged[np.isin(self.kept, kept)]).astype(np.uint32)

    def sources(self, sources: Sources) -> Sources:
        """The same people infectious at the same times, under each of their numbers."""
        if not len(self.merged):
            return sources
        # Whoever is under a merged number stands here under the kept one too; doubled rows do no harm.
        kept = self.kept_of(sources.person)
        people, since, until = [kept], [sources.since], [sources.until]
        order = np.argsort(self.kept, kind="stable")
        begins = np.searchsorted(self.kept, kept, "left", sorter=order)
        counts = np.searchsorted(self.kept, kept, "right", sorter=order) - begins
        rows = np.repeat(np.arange(len(kept)), counts)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        people.append(self.merged[order[np.repeat(begins, counts) + within]])
        since.append(sources.since[rows])
        until.append(sources.until[rows])
        return Sources(
            np.concatenate(people).astype(np.uint32),
            np.concatenate(since).astype(np.int32),
            np.concatenate(until).astype(np.int32),
        )


NONE = Aliases.of(())
"""Nobody was merged."""
