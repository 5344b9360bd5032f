"""Run the fault tests again and again, each time in another order and with other seeds: `make soak`."""

from __future__ import annotations

import secrets
import subprocess
import sys
import time


def main() -> None:
    """Go on until the minutes of the first argument are over or a run fails; the failing seed is printed."""
    until = time.monotonic() + 60 * int(sys.argv[1])
    runs = 0
    while time.monotonic() < until:
        seed = secrets.randbelow(2**31)
        runs += 1
        print(f"soak: run {runs}, seed {seed} …", flush=True)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/flows"]
        result = subprocess.run([*command, f"--randomly-seed={seed}"], check=False)
        if result.returncode != 0:
            sys.exit(f"soak: run {runs} failed; repeat it with: pytest tests/flows --randomly-seed={seed}")
    print(f"soak: {runs} runs passed", flush=True)


if __name__ == "__main__":
    main()
