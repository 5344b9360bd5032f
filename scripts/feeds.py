"""Write the sections of docs/feeds.md from the contracts: `.venv/bin/python scripts/feeds.py`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tianfu.clock import shanghai_day
from tianfu.feeds import dictionary
from tianfu.feeds.contracts import CONTRACTS
from tianfu.synth import county, feed_rows

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "feeds.md"
MARK: Final = "<!-- From here on written by scripts/feeds.py. -->\n\n"
EXAMPLE_ROWS: Final = 2
EXAMPLE_AT: Final = datetime(2022, 3, 2, tzinfo=UTC)


def main() -> None:
    """Keep what stands before the mark and write everything after it."""
    head, _, _ = PAGE.read_text(encoding="utf-8").partition(MARK)
    PAGE.write_text(head + MARK + sections(), encoding="utf-8")
    print(f"{PAGE.name}: {len(CONTRACTS)} feeds")


def sections() -> str:
    """An overview and a section for each contract, with an example about people who do not exist."""
    people = county.make(people=EXAMPLE_ROWS, seed=1, today=shanghai_day(EXAMPLE_AT)).people
    lines = ["| Feed | 名称 | Source | Kind of evidence |", "|---|---|---|---|"]
    lines += [f"| `{one.feed}` | {one.zh} | `{one.source}` | `{one.kind}` |" for one in CONTRACTS.values()]
    written = [
        dictionary.markdown(contract, feed_rows.rows(contract.feed, people, 1, EXAMPLE_AT))
        for contract in CONTRACTS.values()
    ]
    return "\n".join([*lines, "", *written]).rstrip() + "\n"


if __name__ == "__main__":
    main()
