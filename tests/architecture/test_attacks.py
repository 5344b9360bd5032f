"""Each attack that the gate must survive has a test under its number; the numbers are those of the list below."""

from __future__ import annotations

import ast
import re

from tests.architecture.tree import python_files, tree

# What has been done to other health codes, and a gate must withstand.
ATTACKS = {
    1: "an old screenshot",
    2: "a borrowed code of another person",
    3: "a live code shown at a second gate",
    4: "a code signed with the attacker's own key",
    5: "a key id that leads to another key",
    6: "a right key for a wrong purpose",
    7: "a stolen key",
    9: "a sticker over the venue's poster",
    10: "a photograph of the poster, scanned from far away",
    12: "looking somebody up by document",
    13: "reading record after record",
    16: "a stolen card that is to open more than a door",
    19: "linking one person's codes across scanners",
    20: "guessing the number of another venue",
    21: "hostile contents",
    22: "a wrong clock on a scanner without network",
    23: "an old list",
    24: "a collapse after which people are waved through",
    25: "misuse of ECDSA",
    26: "a link in the place of a code",
}
_NAME = re.compile(r"test_attack_(\d\d)_[a-z0-9_]{20,}")


def test_every_attack_has_a_named_test_and_every_named_test_an_attack() -> None:
    tried = {
        int(match[1])
        for path in python_files("tests/attacks")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef) and (match := _NAME.fullmatch(node.name))
    }

    assert tried == set(ATTACKS)


def test_what_is_in_the_folder_of_attacks_is_named_by_an_attack() -> None:
    others = [
        node.name
        for path in python_files("tests/attacks")
        for node in tree(path).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and not _NAME.fullmatch(node.name)
    ]

    assert others == []
