from __future__ import annotations

import binascii
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.codes import AT, HOLDER, gate_ring, retire, rotate
from tianfu.access.session import (
    MASK_BYTES_MAX,
    SESSION_LIFE_SECONDS_MAX,
    TOKEN_CHARACTERS_MAX,
    Audience,
    Session,
    SessionExpiredError,
    SessionInvalidError,
    SessionKeys,
    new_session_id,
)
from tianfu.platform.keychange import ANNOUNCE_SECONDS
from tianfu.platform.keyfile import KeyUse

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

sessions = st.builds(
    Session,
    audience=st.sampled_from(Audience),
    session_id=st.binary(min_size=8, max_size=8),
    subject=st.integers(0, 2**64 - 1),
    venue=st.integers(0, 2**32 - 1),
    masked_name=st.text(max_size=16),
    masked_document=st.text(max_size=16),
    expires_at=st.integers(AT + 1, AT + SESSION_LIFE_SECONDS_MAX),
)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> SessionKeys:
    return SessionKeys(gate_ring(tmp_path_factory.mktemp("gate")))


@pytest.fixture(scope="module")
def token(keys: SessionKeys) -> str:
    return keys.issue(HOLDER, AT)


@given(session=sessions)
def test_a_session_comes_back_from_its_token(keys: SessionKeys, session: Session) -> None:
    token = keys.issue(session, AT)

    assert keys.open(token, AT) == session
    assert keys.open(token, AT, audience=session.audience) == session
    assert set(token) <= set(ALPHABET)


def test_the_longest_session_fits_into_the_limit(keys: SessionKeys) -> None:
    longest = HOLDER._replace(masked_name="*" * MASK_BYTES_MAX, masked_document="*" * MASK_BYTES_MAX)

    assert len(keys.issue(longest, AT)) <= TOKEN_CHARACTERS_MAX
    assert keys.open(keys.issue(longest, AT), AT) == longest


@pytest.mark.parametrize(
    "session",
    [
        HOLDER._replace(masked_name="明" * MASK_BYTES_MAX),
        HOLDER._replace(masked_document="*" * (MASK_BYTES_MAX + 1)),
        HOLDER._replace(session_id=b"short"),
        HOLDER._replace(expires_at=AT + SESSION_LIFE_SECONDS_MAX + 1),
    ],
)
def test_a_session_outside_the_limits_is_not_issued(keys: SessionKeys, session: Session) -> None:
    with pytest.raises(ValueError, match=r"mask|session"):
        keys.issue(session, AT)


def test_nothing_of_the_session_can_be_read_in_the_token(keys: SessionKeys) -> None:
    raw = binascii.a2b_base64(keys.issue(HOLDER, AT).translate(str.maketrans("-_", "+/")))

    assert HOLDER.session_id not in raw
    assert "小明".encode() not in raw
    assert keys.issue(HOLDER, AT) != keys.issue(HOLDER, AT)


def test_a_session_ends_at_its_instant(keys: SessionKeys, token: str) -> None:
    assert keys.open(token, HOLDER.expires_at - 1) == HOLDER
    with pytest.raises(SessionExpiredError):
        keys.open(token, HOLDER.expires_at)


@pytest.mark.parametrize("audience", [Audience.GUARD, Audience.OPERATOR])
def test_a_session_for_another_audience_is_refused(keys: SessionKeys, token: str, audience: Audience) -> None:
    with pytest.raises(SessionInvalidError):
        keys.open(token, AT, audience=audience)


def test_a_token_of_another_installation_is_refused(keys: SessionKeys, tmp_path: Path) -> None:
    with pytest.raises(SessionInvalidError):
        keys.open(SessionKeys(gate_ring(tmp_path)).issue(HOLDER, AT), AT)


@given(position=st.integers(0, 115), character=st.sampled_from(ALPHABET))
def test_a_changed_character_is_refused_wherever_it_is(
    keys: SessionKeys, token: str, position: int, character: str
) -> None:
    changed = token[:position] + character + token[position + 1 :]

    if changed != token:
        with pytest.raises(SessionInvalidError):
            keys.open(changed, AT)


@given(text=st.one_of(st.text(max_size=500), st.text(alphabet=ALPHABET, min_size=80, max_size=140)))
def test_random_text_is_refused(keys: SessionKeys, text: str) -> None:
    with pytest.raises(SessionInvalidError):
        keys.open(text, AT)


@pytest.mark.parametrize("written", ["{}=", "{}====", "{}A", "{}\n", " {}", "{}AAAA", "A{}"])
def test_another_way_to_write_the_token_is_refused(keys: SessionKeys, token: str, written: str) -> None:
    with pytest.raises(SessionInvalidError):
        keys.open(written.format(token), AT)


def test_ordinary_base64_is_refused(keys: SessionKeys) -> None:
    token = next(t for t in (keys.issue(HOLDER, AT) for _ in range(1000)) if "-" in t)

    with pytest.raises(SessionInvalidError):
        keys.open(token.replace("-", "+"), AT)


def test_sessions_live_through_a_rotation_until_their_key_is_retired(tmp_path: Path) -> None:
    ring = gate_ring(tmp_path)
    path = tmp_path / "keys" / "gate.json"
    keys = SessionKeys(ring)
    before = keys.issue(HOLDER, AT)
    rotate(path, KeyUse.SESSION, AT)

    waiting = keys.issue(HOLDER, AT + ANNOUNCE_SECONDS - 1)
    after = keys.issue(HOLDER, AT + ANNOUNCE_SECONDS)

    later = AT + ANNOUNCE_SECONDS
    assert [keys.open(token, later) for token in (before, waiting, after)] == [HOLDER] * 3
    assert before[0] == waiting[0]
    retire(path, KeyUse.SESSION, "1", later)
    with pytest.raises(SessionInvalidError):
        keys.open(before, later + 10)
    assert keys.open(after, later + 10) == HOLDER


def test_session_ids_are_random() -> None:
    assert len({new_session_id() for _ in range(1000)}) == 1000


def test_a_session_in_a_traceback_shows_no_mask() -> None:
    assert "小明" not in repr(HOLDER)
    assert "1X" not in repr(HOLDER)
