from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.clock import FixedClock
from tests.support.codes import AT, retire, rotate
from tianfu.platform.keychange import ANNOUNCE_SECONDS
from tianfu.platform.keyfile import KeyUse
from tianfu.platform.keyring import RecordKeys, records_path
from tianfu.platform.pseudonym import PLAINTEXT_BYTES_MAX, IndexDomain, Pseudonym, SealBrokenError

DOCUMENT = "resident_id:510104199003074514"
NAME = b"resident.name 17"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return records_path(tmp_path)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def pseudonym(path: Path, clock: FixedClock) -> Pseudonym:
    return Pseudonym(RecordKeys.load_or_create(path, clock=clock), clock=clock)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Pseudonym:
    return Pseudonym(RecordKeys.load_or_create(records_path(tmp_path_factory.mktemp("records"))))


@given(plaintext=st.text(max_size=200), context=st.binary(max_size=40))
def test_what_is_sealed_opens_in_its_context(lasting: Pseudonym, plaintext: str, context: bytes) -> None:
    sealed = lasting.seal(plaintext, context=context)

    assert lasting.open(sealed.data, sealed.key_id, context=context) == plaintext


def test_one_plaintext_is_never_sealed_into_the_same_bytes_twice(pseudonym: Pseudonym) -> None:
    assert pseudonym.seal("王小明", context=NAME).data != pseudonym.seal("王小明", context=NAME).data


def test_a_sealed_value_does_not_open_in_another_row_or_column(pseudonym: Pseudonym) -> None:
    sealed = pseudonym.seal("王小明", context=NAME)

    for context in (b"resident.name 18", b"resident.phone 17", b""):
        with pytest.raises(SealBrokenError):
            pseudonym.open(sealed.data, sealed.key_id, context=context)


@given(position=st.integers(0, 36), change=st.integers(1, 255))
def test_a_changed_byte_does_not_open(lasting: Pseudonym, position: int, change: int) -> None:
    sealed = lasting.seal("王小明", context=NAME)
    changed = bytearray(sealed.data)
    changed[position] ^= change

    with pytest.raises(SealBrokenError):
        lasting.open(bytes(changed), sealed.key_id, context=NAME)


@given(data=st.binary(max_size=60), key_id=st.text(max_size=12))
def test_random_bytes_and_unknown_keys_do_not_open(lasting: Pseudonym, data: bytes, key_id: str) -> None:
    for name in (key_id, lasting.seal_key()):
        with pytest.raises(SealBrokenError):
            lasting.open(data, name, context=NAME)


def test_the_longest_plaintext_is_sealed_and_one_byte_more_is_refused(pseudonym: Pseudonym) -> None:
    longest = "x" * PLAINTEXT_BYTES_MAX
    sealed = pseudonym.seal(longest, context=NAME)

    assert pseudonym.open(sealed.data, sealed.key_id, context=NAME) == longest
    with pytest.raises(ValueError, match="at most"):
        pseudonym.seal(longest + "x", context=NAME)


def test_an_index_is_stable_keyed_and_32_bytes(path: Path, tmp_path: Path, clock: FixedClock) -> None:
    here = Pseudonym(RecordKeys.load_or_create(path, clock=clock), clock=clock)
    restarted = Pseudonym(RecordKeys.load_or_create(path, clock=clock), clock=clock)
    elsewhere = Pseudonym(RecordKeys.load_or_create(tmp_path / "other" / "records.json", clock=clock), clock=clock)

    assert here.index(DOCUMENT) == restarted.index(DOCUMENT)
    assert here.index(DOCUMENT).digest != elsewhere.index(DOCUMENT).digest
    assert len(here.index(DOCUMENT).digest) == 32
    assert here.index(DOCUMENT).digest != hashlib.sha256(DOCUMENT.encode()).digest()


def test_the_index_is_hmac_sha256_under_a_key_of_the_domain(path: Path, clock: FixedClock) -> None:
    keys = RecordKeys.load_or_create(path, clock=clock)
    secret = keys.at(AT).indexes[0].secret

    made = Pseudonym(keys, clock=clock).index(DOCUMENT, domain=IndexDomain.PHONE).digest

    domain_key = hmac.new(secret, b"tianfu index of phone", hashlib.sha256).digest()
    assert made == hmac.new(domain_key, DOCUMENT.encode(), hashlib.sha256).digest()


def test_the_same_text_has_unrelated_indexes_as_document_and_as_phone(pseudonym: Pseudonym) -> None:
    as_document = pseudonym.index("13800000000", domain=IndexDomain.DOCUMENT)

    assert pseudonym.index("13800000000") == as_document
    assert pseudonym.index("13800000000", domain=IndexDomain.PHONE).digest != as_document.digest


def test_after_a_rotation_old_rows_are_still_found_and_still_open(
    path: Path, clock: FixedClock, pseudonym: Pseudonym
) -> None:
    old_index = pseudonym.index(DOCUMENT)
    old_sealed = pseudonym.seal("王小明", context=NAME)
    rotate(path, KeyUse.INDEX, AT)
    rotate(path, KeyUse.SEAL, AT)
    clock.advance(timedelta(seconds=ANNOUNCE_SECONDS))

    candidates = pseudonym.index_candidates(DOCUMENT)

    assert [candidate.key_id for candidate in candidates] == [pseudonym.index_key(), old_index.key_id]
    assert pseudonym.index(DOCUMENT) == candidates[0] != old_index
    assert old_index == candidates[1]
    assert pseudonym.seal("王小明", context=NAME).key_id == pseudonym.seal_key() != old_sealed.key_id
    assert pseudonym.open(old_sealed.data, old_sealed.key_id, context=NAME) == "王小明"


def test_what_a_retired_key_sealed_does_not_open_any_more(path: Path, clock: FixedClock, pseudonym: Pseudonym) -> None:
    sealed = pseudonym.seal("王小明", context=NAME)
    rotate(path, KeyUse.SEAL, AT)
    retire(path, KeyUse.SEAL, sealed.key_id, AT)
    clock.advance(timedelta(minutes=1))

    with pytest.raises(SealBrokenError):
        pseudonym.open(sealed.data, sealed.key_id, context=NAME)
