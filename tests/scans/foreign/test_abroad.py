from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.gate import GateWorld, request
from tests.support.issuer import CODE, TOKEN, OtherProvince, other_province
from tianfu.clock import monotonic_seconds, now_milliseconds
from tianfu.errors import TianfuError
from tianfu.passcode.verify import CodeExpiredError
from tianfu.platform.cose import CodeInvalidError
from tianfu.platform.http import Answer
from tianfu.scans.batch import BatchDesk
from tianfu.scans.foreign.abroad import FRESH_MS, Abroad, ForeignTokenError, ForeignUnavailableError, Found
from tianfu.scans.foreign.breaker import FAILURES_MAX, OPEN_MS_FIRST
from tianfu.scans.foreign.desk import ForeignDesk
from tianfu.scans.foreign.issuers import Issuer
from tianfu.scans.foreign.resolver import ResolverFailedError, Word
from tianfu.status.bearer import AudienceRefusedError


@pytest.fixture
def province() -> Iterator[OtherProvince]:
    with other_province() as made:
        yield made


class Clock:
    """The real time, moved by `ahead_ms`."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def now_ms(self) -> int:
        return now_milliseconds() + self.ahead_ms


def using(
    province: OtherProvince,
    folder: Path,
    use: Callable[[Abroad, Clock], Awaitable[Any]],
    **changes: str | int,
) -> Any:  # noqa: ANN401 - what `use` gives
    """What `use` gives, with the issuers asked over HTTP in an event loop of its own."""

    async def run() -> Any:  # noqa: ANN401 - the same
        clock = Clock()
        abroad = Abroad.open(province.describe(folder, **changes), keys=folder / "keys", now_ms=clock.now_ms)
        try:
            return await use(abroad, clock)
        finally:
            await abroad.close()

    return asyncio.run(run())


async def ask(abroad: Abroad, clock: Clock) -> Found:
    del clock
    return await abroad.resolve(CODE)


def test_the_issuer_is_asked_with_the_code_and_our_token_and_its_word_is_given(
    province: OtherProvince, tmp_path: Path
) -> None:
    found = using(province, tmp_path, ask)

    assert (found.issuer.id, found.word.colour, found.word.masked_name, found.word.last_digits) == (
        *("gd", "green", "陈*", "047X"),
    )
    assert found.age_seconds <= 1
    assert province.asked == [(f"Bearer {TOKEN}", {"code": CODE})]


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ({"state": "expired"}, CodeExpiredError),
        ({"state": "invalid"}, CodeInvalidError),
        ({"state": "valid"}, ForeignUnavailableError),
        ({"state": "valid", "colour": "gold"}, ForeignUnavailableError),
        ({"state": "expired", "colour": "green"}, ForeignUnavailableError),
        ({"state": "fine", "colour": "green"}, ForeignUnavailableError),
        ({"colour": "green"}, ForeignUnavailableError),
        ({"state": "valid", "colour": "green", "checked_at": 0}, ForeignUnavailableError),
        ({"state": "valid", "colour": "green", "checked_at": 2**40}, ForeignUnavailableError),
        ({"state": "valid", "colour": "green", "checked_at": "now"}, ForeignUnavailableError),
        ({"state": "valid", "colour": "green", "checked_at": 1_600_000_000}, ForeignUnavailableError),
    ],
)
def test_only_an_answer_of_the_contract_gives_a_colour(
    province: OtherProvince, tmp_path: Path, content: dict[str, Any], error: type[TianfuError]
) -> None:
    province.content = content

    with pytest.raises(error):
        using(province, tmp_path, ask)


@pytest.mark.parametrize("raw", [b"", b"green", b"[]", b"\xff\xfe", b"[" * 4_000, b'{"state":' + b" " * 10_000_000])
def test_an_answer_that_is_none_is_no_colour(province: OtherProvince, tmp_path: Path, raw: bytes) -> None:
    province.raw = raw

    with pytest.raises(ForeignUnavailableError):
        using(province, tmp_path, ask)


@pytest.mark.parametrize("status", [204, 301, 302, 400, 401, 404, 429, 500, 503])
def test_any_status_but_success_is_no_colour_and_no_redirect_is_followed(
    province: OtherProvince, tmp_path: Path, status: int
) -> None:
    province.status = status
    province.headers = {"Location": province.url}

    with pytest.raises(ForeignUnavailableError):
        using(province, tmp_path, ask)

    assert len(province.asked) == 1


def test_a_compressed_answer_is_not_unfolded(province: OtherProvince, tmp_path: Path) -> None:
    province.raw = gzip.compress(b" " * 100_000_000)[:4_000]
    province.headers = {"Content-Encoding": "gzip"}

    with pytest.raises(ForeignUnavailableError):
        using(province, tmp_path, ask)


def test_a_name_that_is_not_masked_is_not_shown(province: OtherProvince, tmp_path: Path) -> None:
    province.content |= {"masked_name": "陈小明", "last_digits": "44010619900307047X"}

    found = using(province, tmp_path, ask)

    assert (found.word.colour, found.word.masked_name, found.word.last_digits) == ("green", "", "")


def test_a_slow_issuer_costs_its_time_limit_and_no_more(province: OtherProvince, tmp_path: Path) -> None:
    province.delay_seconds = 2.0
    began = monotonic_seconds()

    with pytest.raises(ForeignUnavailableError):
        using(province, tmp_path, ask, time_limit_ms=200)

    assert monotonic_seconds() - began < 1.5


def test_a_dead_issuer_is_no_colour(province: OtherProvince, tmp_path: Path) -> None:
    path = province.describe(tmp_path)
    province.stop()

    async def run() -> None:
        abroad = Abroad.open(path, keys=tmp_path / "keys", now_ms=now_milliseconds)
        try:
            await abroad.resolve(CODE)
        finally:
            await abroad.close()

    with pytest.raises(ForeignUnavailableError):
        asyncio.run(run())


def test_a_word_is_given_with_its_age_while_the_issuer_is_away_and_not_past_the_limit(
    province: OtherProvince, tmp_path: Path
) -> None:
    async def use(abroad: Abroad, clock: Clock) -> tuple[Found, Found]:
        first = await abroad.resolve(CODE)
        province.status = 503
        clock.ahead_ms = 45_000
        kept = await abroad.resolve(CODE)
        clock.ahead_ms = 63_000
        with pytest.raises(ForeignUnavailableError):
            await abroad.resolve(CODE)
        return first, kept

    first, kept = using(province, tmp_path, use, age_max_seconds=60)

    assert (first.age_seconds, kept.word) == (0, first.word)
    assert 44 <= kept.age_seconds <= 46


def test_a_clock_set_back_makes_no_old_word_fresh(province: OtherProvince, tmp_path: Path) -> None:
    async def use(abroad: Abroad, clock: Clock) -> None:
        await abroad.resolve(CODE)
        province.status = 503
        clock.ahead_ms = -30_000
        await abroad.resolve(CODE)

    with pytest.raises(ForeignUnavailableError):
        using(province, tmp_path, use)


def test_the_same_picture_again_is_not_asked_again_at_once(province: OtherProvince, tmp_path: Path) -> None:
    async def use(abroad: Abroad, clock: Clock) -> None:
        for _ in range(5):
            await abroad.resolve(CODE)
        clock.ahead_ms = FRESH_MS
        await abroad.resolve(CODE)

    using(province, tmp_path, use)

    assert len(province.asked) == 2


def test_an_issuer_that_fails_is_left_alone_and_taken_up_again_when_it_answers(
    province: OtherProvince, tmp_path: Path
) -> None:
    async def use(abroad: Abroad, clock: Clock) -> list[int]:
        asked = []
        province.status = 500
        for _ in range(FAILURES_MAX + 10):
            with pytest.raises(ForeignUnavailableError):
                await abroad.resolve(CODE)
        asked.append(len(province.asked))
        assert 'tianfu_gate_foreign_resting{issuer="gd"} 1' in list(abroad.metrics())
        province.status = 200
        clock.ahead_ms = OPEN_MS_FIRST
        assert (await abroad.resolve(CODE)).word.colour == "green"
        assert 'tianfu_gate_foreign_resting{issuer="gd"} 0' in list(abroad.metrics())
        asked.append(len(province.asked))
        return asked

    assert using(province, tmp_path, use) == [FAILURES_MAX, FAILURES_MAX + 1]


class Counting:
    """A resolver that notes how many ask at once."""

    def __init__(self) -> None:
        self.inside = 0
        self.most = 0

    async def ask(self, text: str) -> Word:
        del text
        self.inside += 1
        self.most = max(self.most, self.inside)
        await asyncio.sleep(0.05)
        self.inside -= 1
        return Word("valid", "green", "", "", now_milliseconds() // 1000)


def test_questions_at_once_are_bounded_and_whoever_comes_too_late_is_told_at_once() -> None:
    resolver = Counting()
    issuer = Issuer(id="gd", zh="广东", en="Guangdong", prefixes=("GDHC:",), url="https://x", concurrent_max=4)

    async def run() -> list[Found | BaseException]:
        abroad = Abroad([(issuer, resolver)], now_ms=now_milliseconds)
        return await asyncio.gather(*(abroad.resolve(f"GDHC:{n}") for n in range(40)), return_exceptions=True)

    answers = asyncio.run(run())

    assert resolver.most == 4
    assert sum(isinstance(answer, Found) for answer in answers) == 12
    assert sum(isinstance(answer, ForeignUnavailableError) for answer in answers) == 28


class Fickle:
    """A resolver that gives what it is told to, or fails."""

    def __init__(self, words: list[Word | None]) -> None:
        self.words = words

    async def ask(self, text: str) -> Word:
        del text
        word = self.words.pop(0)
        if word is None:
            raise ResolverFailedError
        return word


@given(
    steps=st.lists(
        st.tuples(st.one_of(st.none(), st.sampled_from(["green", "red"])), st.integers(0, 120_000)), min_size=1
    )
)
def test_no_colour_is_ever_given_that_was_not_said_within_the_limit(steps: list[tuple[Any, int]]) -> None:
    issuer = Issuer(id="gd", zh="广东", en="Guangdong", prefixes=("GDHC:",), url="https://x", age_max_seconds=60)
    at_ms = 1_700_000_000_000
    said: list[tuple[int, str]] = []

    async def run() -> None:
        nonlocal at_ms
        resolver = Fickle([])
        abroad = Abroad([(issuer, resolver)], now_ms=lambda: at_ms)
        for colour, pause_ms in steps:
            at_ms += pause_ms
            word = None if colour is None else Word("valid", colour, "", "", at_ms // 1000)
            resolver.words = [word]
            try:
                found = await abroad.resolve(CODE)
            except ForeignUnavailableError:
                continue
            finally:
                if not resolver.words and word is not None:
                    said.append((at_ms, colour))
            assert said[-1][1] == found.word.colour
            assert at_ms - said[-1][0] <= 61_000
            assert found.age_seconds >= (at_ms - said[-1][0]) // 1000

    asyncio.run(run())


def test_a_missing_token_stops_the_start(province: OtherProvince, tmp_path: Path) -> None:
    path = province.describe(tmp_path)
    (tmp_path / "keys" / "foreign-gd.token").unlink()

    with pytest.raises(ForeignTokenError):
        Abroad.open(path, keys=tmp_path / "keys", now_ms=now_milliseconds)


def test_a_guard_is_told_whose_code_it_is_and_nothing_is_recorded(province: OtherProvince, tmp_path: Path) -> None:
    world = GateWorld(tmp_path)

    async def use(abroad: Abroad, clock: Clock) -> Answer:
        desk = ForeignDesk(world.guard, abroad, now_ms=clock.now_ms)
        own = desk.check(request(world.guard_token(), {"code": world.shown_code(1)}))
        assert isinstance(own, Answer)
        assert len(own.records) == 1
        with pytest.raises(AudienceRefusedError):
            desk.check(request(world.resident(1), {"code": CODE}))
        with pytest.raises(CodeInvalidError):
            desk.check(request(world.guard_token(), {"code": "https://evil.example/" + CODE}))
        foreign = desk.check(request(world.guard_token(), {"code": CODE})._replace(language="en"))
        assert not isinstance(foreign, Answer)
        return await foreign

    answer = using(province, tmp_path, use)
    world.writer.close()

    content = json.loads(answer.body)
    assert (content["verdict"], content["colour"], content["issuer"]) == (
        *("foreign", "green", {"id": "gd", "name": "Guangdong health code"}),
    )
    assert content["age_seconds"] <= 1
    assert answer.records == ()
    assert len(province.asked) == 1


def test_a_bus_may_carry_people_of_several_provinces(province: OtherProvince, tmp_path: Path) -> None:
    world = GateWorld(tmp_path)
    codes = [world.shown_code(1), CODE, "GDHC:" + "X" * 2_000, CODE + "1"]
    items: list[dict[str, Any]] = [{"id": f"{number:016x}", "code": code} for number, code in enumerate(codes)]
    items.append({"id": f"{9:016x}", "code": CODE, "scanned_at": world.at_ms})

    async def use(abroad: Abroad, clock: Clock) -> Answer:
        del clock
        batch = BatchDesk(desk=world.guard, keys=world.ring, past_keys=world.ring, now_ms=world.now_ms, abroad=abroad)
        return await batch.batch(request(world.guard_token(), {"items": items}))

    answer = using(province, tmp_path, use)
    world.writer.close()

    found = json.loads(answer.body)["items"]
    assert [item.get("verdict", item.get("code")) for item in found] == [
        *("valid", "foreign", "code_invalid", "foreign", "foreign_unavailable"),
    ]
    assert len(answer.records) == 1
