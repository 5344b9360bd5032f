"""Resolve requirements/*.in into lock files with hashes and without addresses: `make lock`."""

from __future__ import annotations

import os
import subprocess
import tempfile
import venv
from pathlib import Path
from typing import Final

REQUIREMENTS: Final = Path(__file__).resolve().parents[1] / "requirements"
OPTIONS: Final = (
    *("--quiet", "--generate-hashes", "--strip-extras", "--allow-unsafe", "--upgrade"),
    *("--no-header", "--no-emit-index-url", "--no-emit-find-links", "--no-emit-trusted-host"),
)


def main() -> None:
    """Write every lock file anew, with a resolver in an environment of its own."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "pip-tools"]
        subprocess.run(pip, check=True)
        for source in sorted(REQUIREMENTS.glob("*.in")):
            target = source.with_suffix(".lock")
            print(f"lock: {source.name} → {target.name} …", flush=True)
            command = [str(python), "-m", "piptools", "compile", *OPTIONS]
            command += ["--output-file", target.name, source.name]
            subprocess.run(command, cwd=REQUIREMENTS, check=True, env=dict(os.environ), stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
