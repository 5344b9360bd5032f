"""Faults for a long time: `make soak`.

A hundred processes are killed under load, PostgreSQL is taken away for ten minutes, then the fault tests run again and
again in another order with other seeds, as long as asked. What failed is repeated with the words it prints.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import time

SEED_MAX = 2**31


def main() -> None:
    """Run what the command line asks for; exit code 1 at the first failure."""
    parser = argparse.ArgumentParser(description="Kill, take away, start again, and count.")
    parser.add_argument("--rounds", type=int, default=100, help="how many processes to kill under load")
    parser.add_argument("--outage", type=int, default=600, help="seconds without PostgreSQL; 0 for none")
    parser.add_argument("--minutes", type=int, default=0, help="how long to repeat the fault tests after that")
    parser.add_argument("--seed", type=int, default=0, help="repeat the deaths of a run that printed this seed")
    arguments = parser.parse_args()
    seed = arguments.seed or secrets.randbelow(SEED_MAX)
    if arguments.rounds:
        run(["tests/flows/test_killed_at_random.py"], SOAK_ROUNDS=arguments.rounds, SOAK_SEED=seed)
    if arguments.outage:
        run(["tests/flows/test_without_the_database.py"], SOAK_OUTAGE_SECONDS=arguments.outage)
    until = time.monotonic() + 60 * arguments.minutes
    while time.monotonic() < until:
        seed = secrets.randbelow(SEED_MAX)
        run(["tests/flows", f"--randomly-seed={seed}"], SOAK_SEED=seed)
    print("soak: everything passed", flush=True)


def run(words: list[str], **settings: int) -> None:
    """One run of pytest with these settings; ends the program when it fails."""
    asked = {name: str(value) for name, value in settings.items()}
    shown = " ".join([*(f"{name}={value}" for name, value in asked.items()), "pytest", "-s", *words])
    print(f"soak: {shown} …", flush=True)
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", *words]
    if subprocess.run(command, env={**os.environ, **asked}, check=False).returncode != 0:
        sys.exit(f"soak: failed; repeat it with: {shown}")


if __name__ == "__main__":
    main()
