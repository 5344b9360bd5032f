"""From a killed card or a holder who is no longer green to every scanner without network, and to every gate."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from tests.support.clock import NOON
from tests.support.codes import retire, rotate
from tests.support.credentials import Phone
from tests.support.evidence import case, declaration, people
from tests.support.gate import request
from tests.support.lists import ORIGIN
from tests.support.province import LIFE_SECONDS, Province
from tests.support.status import append, statuses
from tianfu.ids import EvidenceId, PersonRef
from tianfu.passcode.handout import ListAbsentError
from tianfu.passcode.lists import ListTooLongError, NotGreenList, not_green
from tianfu.passcode.offline import Trust
from tianfu.platform import base64url
from tianfu.platform.database import Database, Purpose
from tianfu.platform.keyfile import KeyUse
from tianfu.platform.keyring import gate_path
from tianfu.platform.observe import Log
from tianfu.platform.publickeys import PublicKey, kid_of_point
from tianfu.platform.sign import KeyPurpose
from tianfu.policy.model import ActivePopup, Decision
from tianfu.services import signed_lists
from tianfu.services.signed_lists import EVERY, SignedLists
from tianfu.status import store


@pytest.fixture
def province(database: Database, tmp_path: Path) -> Iterator[Province]:
    made = Province(database, tmp_path)
    yield made
    made.cycle.close()


def test_the_lists_are_made_at_once_and_then_once_a_minute_with_rising_numbers(province: Province) -> None:
    assert province.work()
    first = province.read()
    assert not province.work(after=EVERY - timedelta(seconds=1))
    assert province.work(after=timedelta(seconds=1))
    second = province.read()

    assert second[0].number > first[0].number
    assert second[1].number > first[1].number
    assert {made.expires_at - made.issued_at for made in (*first, *second)} == {LIFE_SECONDS}
    assert {key.purpose for key in second[0].keys} == set(KeyPurpose) - {KeyPurpose.EVIDENCE}


def test_whose_holder_is_plainly_green_is_not_listed_and_everybody_else_is(province: Province) -> None:
    well, ill, unknown = (*province.green(2), *people(province.database, 1))
    append(province.database, case(ill, "C1"))
    ids = [province.card(person)[0] for person in (well, ill, unknown)]

    province.work()

    assert [province.listed(credential) for credential in ids] == [False, True, True]
    assert province.read()[1].entries == 2


def test_a_holder_who_is_no_longer_green_is_listed_with_the_next_beat(province: Province) -> None:
    persons = province.green(2)
    credential = province.card(persons[0])[0]
    province.work()
    assert not province.listed(credential)
    append(province.database, case(persons[1], "C1", at=NOON), at=province.clock.now())
    assert not province.work(after=timedelta(seconds=1)), "nobody with a credential changed"
    append(province.database, case(persons[0], "C2", at=NOON), at=province.clock.now())

    assert province.work(after=timedelta(seconds=1))

    assert province.listed(credential)
    assert not province.work(after=timedelta(seconds=1))


def test_a_holder_whose_decision_has_lapsed_is_listed_while_no_new_one_is_made(province: Province) -> None:
    (person,) = province.green(1)
    credential = province.card(person, days=30)[0]
    province.work()
    province.clock.advance(timedelta(days=14, seconds=60))
    province.lists.tend(province.cycle, province.clock.now())
    within_grace = province.listed(credential)

    province.clock.advance(EVERY)
    province.lists.tend(province.cycle, province.clock.now())

    assert (within_grace, province.listed(credential)) == (False, True)


def test_a_popup_that_withholds_the_code_lists_a_green_holder_and_another_popup_does_not(province: Province) -> None:
    withheld, warned = province.green(2)
    ids = [province.card(person)[0] for person in (withheld, warned)]
    province.work()
    known = statuses(province.database, [withheld, warned])

    def shown(person: PersonRef, *blocks: str) -> tuple[PersonRef, Decision]:
        popup = ActivePopup(
            popup="entry",
            popup_class="entry",
            blocks=blocks,
            rule="entry",
            evidence=EvidenceId(1),
            since=NOON,
            until=None,
        )
        return person, msgspec.structs.replace(known[person].decision, popup="entry", popups=(popup,))

    with province.database.write(Purpose.WORKER) as write:
        store.lock(write)
        store.upsert(write, [shown(withheld, "scan", "code"), shown(warned, "crowded", "scan")])

    province.clock.advance(timedelta(seconds=1))
    assert province.lists.tend(province.cycle, province.clock.now()), "at once"
    assert [province.listed(credential) for credential in ids] == [True, False]


def test_a_killed_card_is_listed_with_the_next_beat_and_refused_at_the_gate(province: Province) -> None:
    (person,) = province.green(1)
    old, _ = province.card(person)
    province.work()
    new, _ = province.card(person)

    assert province.work(after=timedelta(seconds=1))

    assert (province.listed(old), province.listed(new)) == (True, False)
    with closing(province.board()) as board:
        assert (board.is_killed(old), board.is_killed(new)) == (True, False)


def test_a_killed_card_leaves_list_and_board_some_time_after_its_life(province: Province) -> None:
    (person,) = province.green(1)
    old, _ = province.card(person)
    province.card(person)
    province.work()

    province.work(after=timedelta(days=7, minutes=2))
    listed = province.listed(old)
    province.clock.advance(timedelta(days=8))
    province.cycle.tidy(province.clock.now())

    assert not listed
    with closing(province.board()) as board:
        assert not board.is_killed(old)


def test_a_board_built_anew_has_the_killed_ones_and_the_lists_again(province: Province) -> None:
    (person,) = province.green(1)
    old, _ = province.card(person)
    province.card(person)
    province.work()
    province.cycle.close()
    for path in sorted((province.var / "board").rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    province.lists.begin_anew()

    assert province.work()

    assert province.listed(old)
    with closing(province.board()) as board:
        assert board.is_killed(old)


def test_a_changed_key_is_told_with_the_next_beat(province: Province) -> None:
    province.work()
    old = province.ring.at(province.seconds()).signers[KeyPurpose.CARD].kid
    rotate(gate_path(province.var), KeyUse.CARD, province.seconds())
    assert province.work(after=timedelta(seconds=3))
    assert len([key for key in province.read()[0].keys if key.purpose is KeyPurpose.CARD]) == 2
    retire(gate_path(province.var), KeyUse.CARD, old.hex(), province.seconds())

    assert province.work(after=timedelta(seconds=3))

    assert old not in {key.kid for key in province.read()[0].keys}


def test_numbers_go_on_rising_after_a_restart_and_after_the_database_was_set_back(province: Province) -> None:
    province.work()
    before = province.read()[0].number
    province.lists = SignedLists(province.database, province.var, Log("test"), life_seconds=LIFE_SECONDS)
    province.work()
    restarted = province.read()[0].number
    with province.database.write(Purpose.WORKER) as write:
        write.execute("delete from signed_list")
    province.lists.begin_anew()
    province.work(after=timedelta(seconds=5))

    assert before < restarted < province.read()[0].number


def test_too_many_entries_are_refused_and_said_once_and_the_trust_list_goes_on(
    province: Province, monkeypatch: pytest.MonkeyPatch
) -> None:
    persons = province.green(3)
    province.work()
    number = province.read()[1].number
    for person in persons:
        province.card(person)
        province.card(person)
    monkeypatch.setattr(signed_lists, "not_green", at_most_two)

    province.work(after=EVERY)
    province.work(after=EVERY)

    trust, not_green = province.read()
    assert (trust.issued_at, not_green.number) == (province.seconds(), number), "the old one is left to end"
    assert province.log.getvalue().count("list_too_long") == 1


def at_most_two(ids: list[bytes], *, number: int, issued_at: int, expires_at: int) -> NotGreenList:
    """The list with a limit that a test can reach."""
    if len(ids) > 2:
        raise ListTooLongError
    return not_green(ids, number=number, issued_at=issued_at, expires_at=expires_at)


def test_without_usable_keys_it_is_said_and_colours_go_on(province: Province) -> None:
    province.work()
    path = gate_path(province.var)
    kept = path.read_bytes()
    province.lists = SignedLists(province.database, province.var, Log("test", stream=province.log), life_seconds=60)
    path.write_bytes(b"{}")

    assert not province.work()
    assert province.log.getvalue().count("keyring_broken") == 1
    path.write_bytes(kept)
    assert province.work(after=timedelta(seconds=1))


def test_a_gate_without_lists_says_so(province: Province) -> None:
    province.cycle.heartbeat(NOON)
    with closing(province.board()) as board:
        desk = province.desk(board)
        for handler in (desk.trust, desk.not_green):
            with pytest.raises(ListAbsentError):
                handler(request(None))


def test_a_scanner_that_pinned_the_root_follows_the_lists_from_green_to_red(province: Province) -> None:
    (person,) = province.green(1)
    _, card = province.card(person)
    phone = Phone(province.ring, person, province.seconds())
    province.work()
    with closing(province.board()) as board:
        root = json.loads(province.desk(board).root(request(None)).body)["keys"]
    points = [base64url.decode(key["point"]) for key in root]
    assert [key["kid"] for key in root] == [kid_of_point(point).hex() for point in points]
    scanner = Trust((PublicKey(KeyPurpose.LIST, kid_of_point(point), point, 0, 0) for point in points), ORIGIN)

    def said(text: str) -> str:
        trust, not_green = province.texts()
        scanner.take_trust(trust)
        scanner.take_not_green(not_green)
        return scanner.verdict(text, province.seconds()).verdict

    assert (said(card), said(phone.text(province.seconds()))) == ("valid", "valid")
    append(province.database, case(person, "C1", at=NOON), at=province.clock.now())
    province.work(after=timedelta(seconds=1))
    assert said(card) == "not_green"


def test_a_holder_without_a_decision_is_listed_until_there_is_one_also_after_tidying(province: Province) -> None:
    early, never = people(province.database, 2)
    ids = [province.card(person)[0] for person in (early, never)]
    province.work()
    assert [province.listed(credential) for credential in ids] == [True, True]
    append(province.database, declaration(early, "D1"), at=province.clock.now())

    province.work(after=EVERY)
    province.cycle.tidy(province.clock.now())
    province.work(after=EVERY)

    assert [province.listed(credential) for credential in ids] == [False, True]
