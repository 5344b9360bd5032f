from __future__ import annotations

from pathlib import Path

import pytest

from tianfu.scans.foreign.issuers import (
    AGE_MAX_SECONDS_DEFAULT,
    TIME_LIMIT_MS_DEFAULT,
    ForeignIssuersInvalidError,
    load,
)

GOOD = """
[[issuer]]
id = "gd"
zh = "广东健康码"
en = "Guangdong health code"
prefixes = ["GDHC:"]
url = "https://codes.example.cn/check"
"""


def file(folder: Path, text: str) -> Path:
    path = folder / "issuers.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_names_its_issuers_with_their_limits(tmp_path: Path) -> None:
    (issuer,) = load(file(tmp_path, GOOD))

    assert (issuer.id, issuer.prefixes, issuer.time_limit_ms, issuer.age_max_seconds) == (
        *("gd", ("GDHC:",), TIME_LIMIT_MS_DEFAULT, AGE_MAX_SECONDS_DEFAULT),
    )


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('id = "gd"', 'id = "../gd"', "id"),
        ('"GDHC:"', '"HK1:"', "ours"),
        ('"GDHC:"', '"HK1:ABC"', "ours"),
        ('"GDHC:"', '"HK"', "prefix"),
        ('"GDHC:"', '"G D:"', "prefix"),
        ('"GDHC:"', '"GDHC:", "GDHC:2"', "overlap"),
        ("https://codes.example.cn/check", "http://codes.example.cn/check", "url"),
        ("https://codes.example.cn/check", "ftp://codes.example.cn/check", "url"),
        ("https://codes.example.cn/check", "https://user:secret@codes.example.cn/check", "url"),
        ("https://codes.example.cn/check", "https://[::1", "url"),
        (GOOD, GOOD + GOOD.replace("GDHC", "NATC"), "twice"),
        (GOOD, GOOD + "surprise = 1\n", "file"),
        (GOOD, GOOD + "time_limit_ms = 60000\n", "file"),
        (GOOD, GOOD + "age_max_seconds = 86400\n", "file"),
        (GOOD, "[[issuer]", "file"),
        (GOOD, "", "file"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_with_its_faults(tmp_path: Path, old: str, new: str, fault: str) -> None:
    with pytest.raises(ForeignIssuersInvalidError) as refused:
        load(file(tmp_path, GOOD.replace(old, new)))

    assert fault in {found.code for found in refused.value.faults}


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ForeignIssuersInvalidError):
        load(tmp_path / "absent.toml")
