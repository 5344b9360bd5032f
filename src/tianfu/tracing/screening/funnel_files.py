"""Reading a funnel from `policies/tracing/funnels/*.toml`. Everything is checked here, once."""

from __future__ import annotations

import hashlib
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from tianfu.errors import Fault, TianfuError
from tianfu.tracing.screening.definition import Funnel

# Sixteen steps with every threshold and its reason make 20 kB.
FUNNEL_BYTES_MAX: Final = 100_000
SUFFIX: Final = ".toml"
DEFAULT: Final = "wide-to-field"


class FunnelInvalidError(TianfuError):
    """The file is no usable funnel, or there is none of that name; `faults` says what is wrong."""

    code = "funnel_invalid"
    status = 422
    zh = "筛查方案有误或不存在。"
    en = "There is no usable funnel of that name."


class LoadedFunnel(NamedTuple):
    """A funnel and the SHA-256 of the file it was read from."""

    funnel: Funnel
    digest: bytes


def load(source: Path | bytes) -> LoadedFunnel:
    """The funnel in a file, or in its bytes. Raises `FunnelInvalidError`."""
    try:
        body = source if isinstance(source, bytes) else _bytes_of(source)
        parsed: dict[str, Any] = tomllib.loads(body.decode())
        funnel = msgspec.convert(parsed, Funnel)
    except (OSError, ValueError, RecursionError, msgspec.ValidationError) as error:
        raise FunnelInvalidError(
            faults=(Fault("file", "funnel", f"无法采用：{error}", f"cannot be used: {error}"),)
        ) from error
    twice = sorted(name for name, times in Counter(step.name for step in funnel.step).items() if times > 1)
    if twice:
        fault = Fault(twice[0], "step", "步骤名重复", "two steps have this name")
        raise FunnelInvalidError(faults=(fault,))
    return LoadedFunnel(funnel, hashlib.sha256(body).digest())


def find(folder: Path, name: str) -> LoadedFunnel:
    """The funnel of that name in `folder`. Raises `FunnelInvalidError`, also for a name that is no plain word."""
    if name not in names(folder):
        fault = Fault("funnel", "unknown", "没有这个名称的筛查方案", "no funnel has this name")
        raise FunnelInvalidError(faults=(fault,))
    return load(folder / f"{name}{SUFFIX}")


def folder(policies: Path) -> Path:
    """Where the funnels lie below the folder of all rule data."""
    return policies / "tracing" / "funnels"


def names(folder: Path) -> list[str]:
    """The names of the funnels in `folder`, sorted; none when there is no such folder."""
    return sorted(path.stem for path in folder.glob(f"*{SUFFIX}"))


def _bytes_of(path: Path) -> bytes:
    with path.open("rb") as file:
        body = file.read(FUNNEL_BYTES_MAX + 1)
    if len(body) > FUNNEL_BYTES_MAX:
        message = f"larger than {FUNNEL_BYTES_MAX} bytes"
        raise ValueError(message)
    return body
