"""What the reader in the browser is held against: texts, an instant, and what must be said of each.

    .venv/bin/python -m tests.support.offline_vectors

writes them to web/tests/vectors/offline.json; a test makes them again and compares.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.support.clock import NOON
from tests.support.offline_codes import (
    card,
    card_content,
    certificate,
    compressed,
    key_of,
    mirrored,
    not_green_list,
    root,
    showing,
    told,
    trust_list,
)
from tianfu.passcode import base45
from tianfu.passcode.token import Token, encode
from tianfu.platform.cose import sign1
from tianfu.platform.sign import Signer

PATH: Final = Path(__file__).resolve().parents[2] / "web" / "tests" / "vectors" / "offline.json"

AT: Final = int(NOON.timestamp())
HOUR: Final = 3600
DAY: Final = 24 * HOUR

PERSONAL, CARD, DEVICE, LIST, STRANGER = map(key_of, ("personal", "card", "device", "list", "stranger"))
NEXT_LIST, OLD, FUTURE, PHONE, OTHER_PHONE = map(key_of, ("next list", "old", "future", "phone", "other phone"))
CLEAR_ID: Final = bytes(range(16))
LISTED_ID: Final = bytes(range(16, 32))
CTI: Final = bytes(range(8))
KEYS: Final = (
    told("personal", PERSONAL),
    told("personal", OLD, 0, AT - 1),
    told("personal", FUTURE, AT + HOUR),
    told("card", CARD),
    told("device", DEVICE),
    told("list", LIST),
)
CROWD: Final = [hashlib.sha256(str(number).encode()).digest()[:16] for number in range(500)]

# One form of each item longer than the shortest; DER for the signature; a header that brings a key.
_HEAD_BYTES: Final = 12


def token(colour: int = 1, *, at: int = AT, life: int = 90) -> bytes:
    """The content of a dynamic code."""
    return encode(Token(at + life, at, CTI, bytes(8), colour, 7, "*小明", "431X"))


def dynamic(signer: Signer, content: bytes) -> str:
    """The text of a dynamic code."""
    return "HK1:" + base45.encode(sign1(signer, content))


def code(message: bytes, prefix: str = "HK1:") -> str:
    """The text of any bytes."""
    return prefix + base45.encode(message)


class _NamedAsOurs:
    """A stranger's key that calls itself by the name of ours: the right kid, the wrong key."""

    kid = PERSONAL.kid

    def sign(self, data: bytes) -> bytes:
        return STRANGER.sign(data)


def forgeries() -> Iterator[tuple[str, str]]:
    """Everything here must be told to be forged, at `AT`."""
    good = sign1(PERSONAL, token())
    yield "a key nobody trusts", dynamic(STRANGER, token())
    yield "our kid and another's key", dynamic(_NamedAsOurs(), token())
    yield "a dynamic code under a card key", dynamic(CARD, token())
    yield "a dynamic code under a list key", dynamic(LIST, token())
    yield "a card under a dynamic key", card(PERSONAL, card_content(CLEAR_ID, AT))
    yield "a card under a device key", card(DEVICE, card_content(CLEAR_ID, AT))
    yield "a certificate under a card key", showing(certificate(CARD, CLEAR_ID, compressed(PHONE), AT), PHONE, AT)
    yield "a key whose time is over", dynamic(OLD, token())
    yield "a key whose time has not begun", dynamic(FUTURE, token())
    yield "a dynamic message called a card", code(good, "HK2:")
    yield "a card called dynamic", code(sign1(CARD, card_content(CLEAR_ID, AT)))
    yield "one bit of the content", code(good[:30] + bytes((good[30] ^ 1,)) + good[31:])
    yield "one bit of the signature", code(good[:-1] + bytes((good[-1] ^ 1,)))
    yield "one byte too many", code(good + b"\0")
    yield "one byte too few", code(good[:-1])
    yield "a tag", code(b"\xd2" + good)
    yield "another algorithm", code(good.replace(b"\x01\x26\x04", b"\x01\x27\x04", 1))
    yield "an unprotected header", code(good[:_HEAD_BYTES].replace(b"\xa0", b"\xa1\x01\x26") + good[_HEAD_BYTES:])
    yield "a longer form of a length", code(good[:_HEAD_BYTES] + b"\x59\x00" + good[_HEAD_BYTES + 1 :])
    yield "a life over its limit", dynamic(PERSONAL, token(life=91))
    yield "a fifth colour", dynamic(PERSONAL, token().replace(CTI + b"\x48" + bytes(8) + b"\x01", _fifth()))
    yield "a longer form of a number inside", dynamic(PERSONAL, token().replace(b"\x07\x67", b"\x18\x07\x67"))
    yield "text that is no UTF-8", dynamic(PERSONAL, token().replace("小".encode(), b"\xff\xff\xff"))
    yield "bytes after the content", dynamic(PERSONAL, token() + b"\0")
    yield "a card of generation 0", card(CARD, card_content(CLEAR_ID, AT, generation=0))
    yield "a card for nobody's kind", card(CARD, card_content(CLEAR_ID, AT, kind=4))
    yield "a card for 181 days", card(CARD, card_content(CLEAR_ID, AT, life=181 * DAY))
    yield from _forged_showings()


def _fifth() -> bytes:
    return CTI + b"\x48" + bytes(8) + b"\x04"


def _forged_showings() -> Iterator[tuple[str, str]]:
    ours = certificate(DEVICE, CLEAR_ID, compressed(PHONE), AT - HOUR)
    others = certificate(DEVICE, LISTED_ID, compressed(OTHER_PHONE), AT - HOUR)
    shown = base45.decode(showing(ours, PHONE, AT)[4:])
    yield "a certificate shown by another phone", showing(ours, OTHER_PHONE, AT)
    yield "a showing moved to another certificate", code(others + shown[-68:], "HK3:")
    yield "a showing with another time", code(ours + (AT + 1).to_bytes(4, "big") + shown[-64:], "HK3:")
    yield "a certificate alone", code(ours, "HK3:")
    off_curve = b"\x02" + bytes(31) + b"\x01"
    yield "a phone's key off the curve", showing(certificate(DEVICE, CLEAR_ID, off_curve, AT), PHONE, AT)
    beyond = b"\x02" + b"\xff" * 32
    yield "a phone's key beyond the field", showing(certificate(DEVICE, CLEAR_ID, beyond, AT), PHONE, AT)
    uncompressed = b"\x04" + compressed(PHONE)[1:]
    yield "a phone's key in another form", showing(certificate(DEVICE, CLEAR_ID, uncompressed, AT), PHONE, AT)
    long = certificate(DEVICE, CLEAR_ID, compressed(PHONE), AT - HOUR, life=169 * HOUR)
    yield "a certificate for more than a week", showing(long, PHONE, AT)


def cases() -> Iterator[dict[str, object]]:
    """Every text with the instant it is held up and what must be said of it."""
    good = dynamic(PERSONAL, token())
    message = sign1(PERSONAL, token())
    for colour, word in enumerate(("checking", "green", "yellow", "red")):
        yield _case(f"a {word} code", dynamic(PERSONAL, token(colour)), AT, "dynamic", colour=word, number=CTI.hex())
    mirror = code(message[:-64] + mirrored(message[-64:]))
    yield _case("a mirrored signature is the same code", mirror, AT, "dynamic", colour="green", number=CTI.hex())
    for seconds, verdict in ((-6, "early"), (-5, "dynamic"), (94, "dynamic"), (95, "expired")):
        yield _case(f"a dynamic code {seconds} s after its making", good, AT + seconds, verdict)
    clear = card(CARD, card_content(CLEAR_ID, AT - DAY))
    yield _case("a card on no list", clear, AT, "clear", number=CLEAR_ID[:8].hex())
    yield _case("a card on the list", card(CARD, card_content(LISTED_ID, AT - DAY)), AT, "listed")
    yield _case("a card of yesterday's week", card(CARD, card_content(CLEAR_ID, AT - 8 * DAY)), AT, "expired")
    yield _case("a card of tomorrow", card(CARD, card_content(CLEAR_ID, AT + DAY)), AT, "early")
    ours = certificate(DEVICE, CLEAR_ID, compressed(PHONE), AT - HOUR)
    number = hashlib.sha256(CLEAR_ID + AT.to_bytes(4, "big")).digest()[:8].hex()
    yield _case("a phone's own code", showing(ours, PHONE, AT), AT, "clear", number=number)
    yield _case("the same with a mirrored signature", showing(ours, PHONE, AT, mirror=True), AT, "clear", number=number)
    listed = certificate(DEVICE, LISTED_ID, compressed(PHONE), AT - HOUR)
    yield _case("a phone's code on the list", showing(listed, PHONE, AT), AT, "listed")
    for seconds, verdict in ((-31, "early"), (-30, "clear"), (119, "clear"), (120, "expired")):
        yield _case(f"a phone's code {seconds} s after its showing", showing(ours, PHONE, AT), AT + seconds, verdict)
    over = certificate(DEVICE, CLEAR_ID, compressed(PHONE), AT - 25 * HOUR)
    yield _case("a fresh showing of yesterday's certificate", showing(over, PHONE, AT), AT, "expired")
    for what, text in forgeries():
        yield _case(what, text, AT, "forged")
    for what, text in (("a link", "https://example.com/"), ("nothing", ""), ("a longer code", good + "A" * 300)):
        yield _case(what, text, AT, "foreign")


def _case(what: str, text: str, at: int, verdict: str, **more: str) -> dict[str, object]:
    return {"what": what, "text": text, "at": at, "verdict": verdict, **more}


def lists() -> dict[str, object]:
    """Lists that must and must not be taken over."""
    following = (*KEYS, told("list", NEXT_LIST))
    after = tuple(key for key in following if key != told("list", LIST))
    unsound = KEYS[0]._replace(point=bytes(64))
    return {
        "root": root([told("list", LIST)]),
        "trust": trust_list(LIST, KEYS, AT - 60, number_=5),
        "trust_older": trust_list(LIST, KEYS, AT - 120, number_=4),
        "trust_introducing": trust_list(LIST, following, AT - 30, number_=6),
        "trust_introduced": trust_list(NEXT_LIST, after, AT - 20, number_=7),
        "trust_revoking": trust_list(LIST, KEYS[1:], AT - 30, number_=6),
        "trust_stranger": trust_list(STRANGER, (*KEYS, told("list", STRANGER)), AT - 10, number_=9),
        "trust_card_key": trust_list(CARD, KEYS, AT - 10, number_=9),
        "trust_without_roots": trust_list(LIST, KEYS[:5], AT - 10, number_=9),
        "trust_off_curve": trust_list(LIST, (*KEYS, unsound), AT - 10, number_=9),
        "trust_for_ever": trust_list(LIST, KEYS, AT - 10, number_=9, life=30 * DAY),
        "not_green": not_green_list(LIST, [LISTED_ID, *CROWD], AT - 60, number_=5),
        "not_green_older": not_green_list(LIST, [], AT - 120, number_=4),
        "not_green_empty": not_green_list(LIST, [], AT - 30, number_=6),
        "not_green_stranger": not_green_list(STRANGER, [], AT - 10, number_=9),
        "listed": [identifier.hex() for identifier in (LISTED_ID, *CROWD)],
    }


def vectors_text() -> str:
    """The file."""
    content = {"at": AT, "lists": lists(), "cases": list(cases())}
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.write_text(vectors_text(), encoding="utf-8")
