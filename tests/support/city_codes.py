"""Files of old city codes with synthetic holders, and a desk to load them at."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tests.support.clock import FixedClock
from tests.support.control import resident_id
from tianfu.evidence import changes
from tianfu.platform import settings
from tianfu.platform.database import Database
from tianfu.platform.keyring import RecordKeys, records_path
from tianfu.platform.pseudonym import Pseudonym
from tianfu.residents.city_codes.desk import Desk

MAPPINGS = settings.PROJECT_ROOT / "mappings"
CHENGDU = MAPPINGS / "chengdu.toml"
LUZHOU = MAPPINGS / "luzhou.toml"


class Registration(NamedTuple):
    """What Chengdu's file says of one holder."""

    number: str
    name: str = "张小明"
    phone: str = "13800000001"
    district: str = "武侯区"
    registered: str = "2020-05-01 10:00:00"
    kind: str = "身份证"


def number(sequence: int) -> str:
    """The document of a synthetic person, one for each sequence below 10,000."""
    day, last = divmod(sequence, 1_000)
    return resident_id(f"510107199003{day + 1:02d}{last:03d}")


def chengdu(path: Path, rows: list[Registration]) -> Path:
    """Chengdu's file."""
    lines = ["姓名,证件类型,证件号码,手机号码,居住区县,注册时间"]
    lines += [f"{row.name},{row.kind},{row.number},{row.phone},{row.district},{row.registered}" for row in rows]
    path.write_text("\ufeff" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def luzhou(path: Path, rows: list[Registration]) -> Path:
    """The same as Luzhou would have written it."""
    lines = ["full_name;id_type;id_number;country_code;phone;county;registered_at"]
    lines += [f"{row.name};ID_CARD;{row.number};+86;{row.phone};510502;{row.registered}" for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def many(count: int, *, begin: int = 0) -> list[Registration]:
    """That many different holders."""
    return [Registration(number(begin + at), phone=f"139{at:08d}") for at in range(count)]


def desk_of(database: Database, var: Path) -> Desk:
    """A desk on the test's database with the keys under `var`, at the tests' noon."""
    clock = FixedClock()
    return Desk(
        database, Pseudonym(RecordKeys.load_or_create(records_path(var), clock=clock), clock=clock), changes.mark
    )


def desk_in_process(url: str, var: str) -> Desk:
    """A desk in another process."""
    return desk_of(Database.open(url, settings.load({}).database), Path(var))
