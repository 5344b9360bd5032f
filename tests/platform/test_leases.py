"""Leases: one holder at a time, and an end that comes by itself."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest

from tests.support.clock import NOON
from tianfu.platform import leases
from tianfu.platform.database import Database, Purpose

SECONDS = 10.0


def acquire(database: Database, holder: str, at: datetime, name: str = "status") -> bool:
    with database.write(Purpose.WORKER) as write:
        return leases.acquire(write, name=name, holder=holder, at=at, seconds=SECONDS)


def renew(database: Database, holder: str, at: datetime) -> bool:
    with database.write(Purpose.WORKER) as write:
        return leases.renew(write, name="status", holder=holder, at=at, seconds=SECONDS)


def release(database: Database, holder: str) -> bool:
    with database.write(Purpose.WORKER) as write:
        return leases.release(write, name="status", holder=holder)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_a_free_name_is_given_and_a_held_one_is_not(database: Database) -> None:
    assert acquire(database, "first", NOON)

    assert not acquire(database, "second", after(9.9))
    assert acquire(database, "second", after(0), name="another")


def test_a_holder_may_ask_again_which_prolongs_its_lease(database: Database) -> None:
    acquire(database, "first", NOON)

    assert acquire(database, "first", after(5))

    assert not acquire(database, "second", after(14.9))


def test_a_lease_lapses_at_its_end_and_not_before(database: Database) -> None:
    acquire(database, "first", NOON)

    assert not acquire(database, "second", after(9.999999))
    assert acquire(database, "second", after(10))


def test_renewing_keeps_the_lease(database: Database) -> None:
    acquire(database, "first", NOON)

    assert renew(database, "first", after(9))

    assert not acquire(database, "second", after(18.9))


@pytest.mark.parametrize(("holder", "seconds"), [("first", 10), ("second", 5)])
def test_a_lapsed_or_foreign_lease_cannot_be_renewed(database: Database, holder: str, seconds: float) -> None:
    acquire(database, "first", NOON)

    assert not renew(database, holder, after(seconds))


def test_giving_back_frees_the_name_and_only_the_holder_can(database: Database) -> None:
    acquire(database, "first", NOON)

    assert not release(database, "second")
    assert release(database, "first")
    assert not release(database, "first")
    assert acquire(database, "second", NOON)


def test_of_many_that_ask_at_once_one_gets_it(database: Database) -> None:
    answers: list[bool] = []
    askers = [
        threading.Thread(target=lambda number=number: answers.append(acquire(database, f"asker {number}", NOON)))
        for number in range(6)
    ]

    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()

    assert sorted(answers) == [False] * 5 + [True]
