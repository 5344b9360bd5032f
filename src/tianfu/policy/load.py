"""Reading a rule-set file. Everything is checked here, once; what comes out can be decided with."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from tianfu.errors import Fault, TianfuError
from tianfu.policy import toml_text
from tianfu.policy.check import faults_of
from tianfu.policy.compile import Policy, compile_policy
from tianfu.policy.rules import RuleSet
from tianfu.policy.strict import read

# 500 rules of about 1.5 kB of text in two languages make 750 kB.
POLICY_BYTES_MAX: Final = 1_000_000
SUFFIX: Final = ".toml"


class PolicyInvalidError(TianfuError):
    """The file is no usable rule set; `faults` names everything that is wrong with it."""

    code = "policy_invalid"
    status = 422
    zh = "规则文件有误，未予采用。"
    en = "This rule set cannot be used; every fault is listed."


class PolicyUnreadableError(TianfuError):
    """The file is missing, too large, or not a file."""

    code = "policy_unreadable"
    status = 422
    zh = "无法读取规则文件。"
    en = "The rule-set file cannot be read."


def load(source: Path | bytes) -> Policy:
    """The policy in a file, or in its bytes. The same bytes always give the same `hash`.

    Raises `PolicyUnreadableError`, or `PolicyInvalidError` with every fault found.
    """
    body = _bytes_of(source) if isinstance(source, Path) else source
    if len(body) > POLICY_BYTES_MAX:
        raise PolicyUnreadableError(
            zh=f"规则文件超过 {POLICY_BYTES_MAX} 字节。", en=f"The rule set is larger than {POLICY_BYTES_MAX} bytes."
        )
    faults: list[Fault] = []
    parsed = _parse(body)
    rule_set = read(parsed, RuleSet, path="", faults=faults)
    if rule_set is not None:
        faults = [*faults_of(rule_set), *toml_text.unseen(parsed)]
    if rule_set is None or faults:
        raise PolicyInvalidError(faults=tuple(faults))
    return compile_policy(rule_set, digest=hashlib.sha256(body).hexdigest(), body=body)


def path_of(name_or_path: str, folder: Path) -> Path:
    """The file that a person means: a path when it looks like one, else `<folder>/<name>.toml`."""
    if name_or_path.endswith(SUFFIX) or "/" in name_or_path:
        return Path(name_or_path)
    return folder / f"{name_or_path}{SUFFIX}"


def _bytes_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(POLICY_BYTES_MAX + 1)
    except OSError as error:
        reason = error.strerror or "unknown reason"
        raise PolicyUnreadableError(
            zh=f"无法读取规则文件 {path}：{reason}。", en=f"The rule set {path} cannot be read: {reason}."
        ) from error


def _parse(body: bytes) -> dict[str, object]:
    parsed = toml_text.parse(body, "file")
    if isinstance(parsed, Fault):
        raise PolicyInvalidError(faults=(parsed,))
    return parsed
