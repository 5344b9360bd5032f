"""The worked examples of docs/formats.md, made again from their ingredients: neither may change without the other."""

from __future__ import annotations

import re
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tianfu.passcode import base45, token
from tianfu.passcode.reference import seal
from tianfu.passcode.token import Token
from tianfu.platform.cose import sign1
from tianfu.platform.sign import KeyPurpose, SigningKey
from tianfu.venues.poster import PosterClaim, poster_text

PAGE = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")

# RFC 6979, A.2.5: a published key, so that anybody can check the examples and nobody can take it for a real one.
SECRET = bytes.fromhex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")
REFERENCE_KEY = bytes(range(32))
CTI = bytes.fromhex("0001020304050607")


def example(name: str) -> str:
    """The text of the block that follows `<!-- example: name -->`."""
    found = re.search(rf"<!-- example: {name} -->\n```text\n(.*?)\n```", PAGE, re.DOTALL)
    assert found is not None, f"docs/formats.md has no example {name}"
    return found.group(1)


def hexadecimal(name: str) -> bytes:
    """The bytes of such a block; what follows a semicolon is a remark."""
    return bytes.fromhex("".join(line.partition(";")[0] for line in example(name).splitlines()))


def test_the_personal_code_of_the_page_is_the_one_we_make() -> None:
    cipher = Cipher(algorithms.AES256(REFERENCE_KEY), modes.ECB()).encryptor()  # noqa: S305 - as in the ring
    reference = seal(12_345, CTI, cipher)
    content = token.encode(Token(1_646_107_290, 1_646_107_200, CTI, reference, 1, 7, "*小明", "1X"))
    message = sign1(SigningKey(SECRET, KeyPurpose.PERSONAL), content)

    assert hexadecimal("content") == content
    assert hexadecimal("message") == message
    assert example("code") == "HK1:" + base45.encode(message)


def test_the_poster_of_the_page_is_the_one_we_make() -> None:
    claim = PosterClaim(bytes(range(16)), 3, "510104", "transport", "成都东站")

    assert example("poster") == poster_text(SigningKey(SECRET, KeyPurpose.VENUE), claim, "https://jkt.example.cn")
