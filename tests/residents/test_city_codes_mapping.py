"""Mapping files: ten layouts are read by description, and a description that is wrong is refused whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.city_codes import CHENGDU, MAPPINGS, Registration, chengdu, number
from tests.support.clock import NOON
from tests.support.control import resident_id
from tianfu.residents.city_codes import blocks, mapping
from tianfu.residents.city_codes.mapping import MappingInvalidError
from tianfu.residents.city_codes.preview import preview
from tianfu.residents.city_codes.read import CityFileInvalidError, Holder, Reader, Refused

ID = resident_id("51010719900307011")
# 2020-05-01 in Beijing.
MAY = 1_588_262_400

LAYOUTS = {
    "chengdu": (
        f"姓名,证件类型,证件号码,手机号码,居住区县,注册时间\n张小明,身份证,{ID},138-0000-0001,武侯区,2020-05-01\n"
    ),
    "zigong": f"xingming\tzjlx\tzjhm\tsjh\txzqh\tzcrq\n张小明\t身份证\t{ID}\t13800000001\t510302\t2020/5/1\n",
    "panzhihua": f"xing|ming|card_type|card_no|mobile|area_code|created\n张|小明|1|{ID}|13800000001|510402|{MAY}\n",
    "luzhou": (
        "full_name;id_type;id_number;country_code;phone;county;registered_at\n"
        f"张小明;ID_CARD;{ID.lower()};+86;138 0000 0001;江阳区;2020-05-01 00:00\n"
    ),
    "deyang": f"姓名,身份证号,联系电话,现住区县,申领日期\n张小明,{ID},手机：13800000001,旌阳区,2020年5月1日\n",
    "mianyang": f"1\t张小明\t111\t{ID}\t8613800000001\t510703\t20200501000000\n",
    "nanchong": (
        f"userName,certType,certNo,mobileNo,areaCode,createTime\n张小明,111,'{ID},'13800000001,511302,{MAY}000\n"
    ),
    "yibin": f"姓名^证件种类^证件号^电话^居住地\n张小明^身份证^{ID}^13800000001^翠屏\n",
    "dazhou": f'"XM"|"ZJLX"|"ZJHM"|"LXDH"|"DJSJ"\n"张小明"|"111"|"{ID}"|"13800000001"|"2020-05-01 00:00:00"\n',
    "bazhong": f"xm~doc~sfzh~tel~quxian~time\n张小明~~{ID}~+86 138 0000 0001~巴州区~2020/05/01\n",
}


def rows_of(name: str, text: str, folder: Path) -> list[Holder | Refused]:
    known = mapping.load(MAPPINGS / f"{name}.toml").mapping
    path = folder / "city.txt"
    path.write_bytes(text.encode(known.encoding))
    plan = blocks.plan(path, has_header=not known.columns)
    reader = Reader(known, plan.header, at=NOON)
    with path.open("rb") as file:
        return [row for block in plan.blocks for row in reader.lines(blocks.read(file, block), block.first_row)]


@pytest.mark.parametrize("name", sorted(LAYOUTS))
def test_each_layout_gives_the_same_holder(name: str, tmp_path: Path) -> None:
    (row,) = rows_of(name, LAYOUTS[name], tmp_path)

    assert isinstance(row, Holder), (row.field, row.reason)
    assert (row.document_type, row.document_number) == ("resident_id", ID)
    assert (row.name, row.phone) == ("张小明", "+8613800000001")
    assert row.district.startswith("51")
    assert row.registered == MAY or name == "yibin"


def test_every_mapping_has_a_layout_here() -> None:
    assert {path.stem for path in MAPPINGS.glob("*.toml")} == set(LAYOUTS)


def test_all_faults_of_a_mapping_are_told_at_once() -> None:
    text = CHENGDU.read_text(encoding="utf-8")
    text = text.replace('"510100"\nname_zh', '"110100"\nname_zh').replace('delimiter = ","', 'delimiter = "x"')
    text = text.replace('= "passport"', '= "pasport"').replace("[fields.name]", "[fields.name]\nguess = true")

    with pytest.raises(MappingInvalidError) as unknown:
        mapping.parse(text.encode())
    with pytest.raises(MappingInvalidError) as wrong:
        mapping.parse(text.replace("guess = true", "").encode())

    assert [fault.field for fault in unknown.value.faults] == ["fields.name.guess"]
    assert {fault.field for fault in wrong.value.faults} == {
        *("city", "delimiter"),
        # The city itself stands for a district, so a wrong city makes that wrong too.
        *("fields.document_type", "fields.district"),
    }


def test_nobodys_name_number_or_phone_is_made_up() -> None:
    text = CHENGDU.read_text(encoding="utf-8").replace('columns = ["手机号码"]', 'otherwise = "13800000001"')

    with pytest.raises(MappingInvalidError) as refused:
        mapping.parse(text.encode())

    assert {fault.field for fault in refused.value.faults} == {"fields.phone.columns", "fields.phone.otherwise"}


def test_a_file_without_a_column_is_refused_naming_every_one(tmp_path: Path) -> None:
    with pytest.raises(CityFileInvalidError) as refused:
        rows_of("chengdu", "姓名,证件类型,证件号码\n", tmp_path)

    assert [fault.field for fault in refused.value.faults] == ["居住区县", "手机号码", "注册时间"]


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        (Registration(ID[:-1] + "A"), "document.number", "document_format"),
        (Registration("510107900307011"), "document.number", "document_old"),
        (Registration("5.10107E+17"), "document.number", "document_format"),
        (Registration(number(1), name="张*明"), "name", "name"),
        (Registration(number(1), name=""), "name", "missing"),
        (Registration(number(1), phone="138****0001"), "phone", "phone"),
        (Registration(number(1), kind="学生证"), "document_type", "word"),
        (Registration(number(1), district="江阳区"), "district", "district"),
        (Registration(number(1), registered="2020/05/01"), "registered", "instant"),
        (Registration(number(1), registered="1900-01-00"), "registered", "instant"),
        (Registration(number(1), registered="2099-01-01"), "registered", "future"),
        (Registration(number(1), name="张,明"), "", "columns"),
        (Registration(number(1), name='"张'), "", "quoting"),
    ],
)
def test_a_row_is_refused_for_a_reason_and_never_guessed(
    row: Registration, field: str, reason: str, tmp_path: Path
) -> None:
    text = chengdu(tmp_path / "rows.csv", [row, Registration(number(2))]).read_text(encoding="utf-8")

    refused, accepted = rows_of("chengdu", text, tmp_path)

    assert isinstance(refused, Refused)
    assert (refused.row, refused.field, refused.reason) == (2, field, reason)
    assert isinstance(accepted, Holder)


def test_a_line_in_another_encoding_is_set_aside_and_its_neighbours_are_not(tmp_path: Path) -> None:
    path = chengdu(tmp_path / "rows.csv", [Registration(number(1)), Registration(number(2))])
    path.write_bytes(path.read_bytes() + "王五,身份证,".encode("gb18030") + b"\n")
    known = mapping.load(CHENGDU).mapping
    plan = blocks.plan(path, has_header=True)
    with path.open("rb") as file:
        data = blocks.read(file, plan.blocks[0])

    rows = list(Reader(known, plan.header, at=NOON).lines(data, 2))

    assert [row.row for row in rows] == [2, 3, 4]
    assert isinstance(rows[2], Refused)
    assert rows[2].reason == "encoding"


@pytest.mark.parametrize("size", [1, 7, 64, 100, 1_000, 100_000])
def test_blocks_of_any_size_hold_every_line_once_under_its_number(size: int, tmp_path: Path) -> None:
    path = chengdu(tmp_path / "rows.csv", [Registration(number(at), name="张" * (1 + at % 9)) for at in range(50)])
    plan = blocks.plan(path, has_header=True, block_bytes=size)
    reader = Reader(mapping.load(CHENGDU).mapping, plan.header, at=NOON)

    with path.open("rb") as file:
        rows = [row.row for block in plan.blocks for row in reader.lines(blocks.read(file, block), block.first_row)]

    assert rows == list(range(2, 52))
    assert plan.rows == 50


def test_a_check_shows_the_first_rows_masked(tmp_path: Path) -> None:
    path = chengdu(tmp_path / "rows.csv", [Registration(ID), Registration(ID, phone="x")])

    found = preview(path, CHENGDU, at=NOON)

    assert found.accepted == 1
    assert found.refused == (("phone", "phone", 1),)
    assert (found.shown[0].name, found.shown[0].phone) == ("张*明", "138****0001")
    assert ID not in repr(found)


@pytest.mark.parametrize("text", [b"a = " + b"9" * 5000, b"a = " + b"[" * 5000, b"\xff"])
def test_what_no_parser_reads_is_no_mapping(text: bytes) -> None:
    with pytest.raises(MappingInvalidError):
        mapping.parse(text)
