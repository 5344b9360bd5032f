"""What a start does between "the database answers" and "the processes run": tables, keys, rules, demo county."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from tianfu.errors import TianfuError
from tianfu.platform import migrate
from tianfu.platform.database import Database, Purpose
from tianfu.platform.keyring import GateKeys, RecordKeys
from tianfu.platform.pseudonym import Pseudonym
from tianfu.platform.settings import Environment, Settings
from tianfu.policy import publish
from tianfu.residents import store
from tianfu.synth import demo

# Two people publish a policy; on a demo machine these two names stand for them.
FIRST_POLICY: Final = "sichuan-core.toml"
FIRST_PUBLISHED_BY: Final = "demo-policy-1"
FIRST_APPROVED_BY: Final = "demo-policy-2"

Step = Callable[[str], AbstractContextManager[None]]


class KeysMissingError(TianfuError):
    """There are records and no key to read them with."""

    code = "keys_missing"
    status = 500


class PolicyMissingError(TianfuError):
    """No policy is in force, and only two people can publish one."""

    code = "policy_missing"
    status = 500
    zh = "尚无生效的赋码规则，请先由两人发布：tianfu policy publish。"
    en = "No policy is in force; two people publish one with: tianfu policy publish"


def prepare(settings: Settings, url: str, *, at: datetime, step: Step) -> None:
    """Bring a database and a data folder to the state that the processes expect; harmless to repeat."""
    database_settings = msgspec.structs.replace(settings.database, url=url)
    with Database.open(url, database_settings) as database:
        with step("checking the database's tables"):
            migrate.apply(database, settings.migrations)
        keys = _keys(settings, database)
        _ensure_policy(settings, database, at)
        if settings.environment is Environment.DEMO:
            demo.load(
                database,
                settings.var / "demo",
                lake=settings.var / "lake",
                pseudonym=Pseudonym(keys),
                at=at,
                step=step,
            )


def _keys(settings: Settings, database: Database) -> RecordKeys:
    """The key rings, made when there never were any. Raises `KeysMissingError` when records wait for lost ones."""
    records: Path = settings.var / "keys" / "records.json"
    if not records.exists():
        with database.read(Purpose.BATCH) as read:
            if store.any_person(read):
                raise KeysMissingError(
                    zh=f"数据库已有记录，但密钥文件 {records} 不存在；请从备份恢复该文件。",
                    en=f"The database holds records, but their keys are gone: restore {records} from a backup.",
                )
    GateKeys.load_or_create(settings.var / "keys" / "gate.json")
    return RecordKeys.load_or_create(records)


def _ensure_policy(settings: Settings, database: Database, at: datetime) -> None:
    """A policy in force. On a demo machine the first one is published; elsewhere two people have to do that."""
    with database.write(Purpose.BATCH) as write:
        if publish.any_in_force(write, at):
            return
        if settings.environment is Environment.PRODUCTION:
            raise PolicyMissingError
        publish.publish(
            write,
            body=(settings.policies / FIRST_POLICY).read_bytes(),
            published_by=FIRST_PUBLISHED_BY,
            approved_by=FIRST_APPROVED_BY,
            effective_from=at,
            at=at,
        )
