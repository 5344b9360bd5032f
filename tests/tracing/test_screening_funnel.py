"""The funnel as a function: what it keeps, what it takes off, and that its past does not matter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.screening import FUNNELS, random_facts, says, wide
from tianfu.errors import InputInvalidError
from tianfu.lake.layout import Minutes, People
from tianfu.tracing.screening import definition, funnel_files, model, words
from tianfu.tracing.screening.definition import StepUnknownError, Unknown, with_thresholds
from tianfu.tracing.screening.funnel import Screening, run
from tianfu.tracing.screening.funnel_files import FunnelInvalidError
from tianfu.tracing.screening.model import Ground, Said
from tianfu.tracing.screening.summary import bar, summary

SEEDS = range(6)
PERSON = 7


def people(*numbers: int) -> People:
    return np.array(numbers, np.uint32)


def minutes(*numbers: int) -> Minutes:
    return np.array(numbers, np.int32)


def same(one: Screening, other: Screening) -> bool:
    """Everything but the time it took."""
    fields = ("person", "listed", "reason", "step", "evidence", "history")
    arrays = all(np.array_equal(getattr(one, field), getattr(other, field)) for field in fields)
    return arrays and one.results == other.results


def without(funnel: definition.Funnel, name: str) -> definition.Funnel:
    kept = tuple(step for step in funnel.step if step.name != name)
    return definition.Funnel(
        name=funnel.name, zh=funnel.zh, en=funnel.en, since=funnel.since, cites=funnel.cites, step=kept
    )


def reason_of(screening: Screening, person: int) -> Said:
    return Said(int(screening.reason[np.flatnonzero(screening.person == person)[0]]))


@pytest.mark.parametrize("seed", SEEDS)
def test_every_person_put_on_the_list_has_one_reason_and_the_step_that_gave_it(seed: int) -> None:
    screening = run(wide(), random_facts(seed))

    listed_once = screening.reason > 0
    on, off = screening.reason < model.GROUNDS_END, screening.reason >= model.PASSING_END
    assert np.array_equal(screening.listed, listed_once & on)
    assert np.array_equal(listed_once & ~screening.listed, off)
    said = screening.history[screening.step, np.arange(len(screening.person))]
    assert np.array_equal(said[listed_once], screening.reason[listed_once])
    assert screening.listed.any()
    assert off.any()


@pytest.mark.parametrize("seed", SEEDS)
def test_what_goes_in_and_what_is_added_less_what_is_removed_is_what_comes_out(seed: int) -> None:
    screening = run(wide(), random_facts(seed))

    before = 0
    for result in screening.results:
        assert result.before == before
        assert result.after == before + sum(result.added.values()) - sum(result.removed.values())
        assert sum(result.kept.values()) <= result.before - sum(result.removed.values())
        before = result.after
    assert before == np.count_nonzero(screening.listed)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_undone_step_is_as_if_it_had_never_been_in_the_funnel(seed: int) -> None:
    facts = random_facts(seed)
    for step in wide().step:
        undone, never = run(wide(), facts, undone=[step.name]), run(without(wide(), step.name), facts)

        for field in ("person", "listed", "reason", "evidence"):
            assert np.array_equal(getattr(undone, field), getattr(never, field))


@pytest.mark.parametrize("seed", SEEDS)
def test_undoing_and_doing_again_or_going_back_to_the_old_threshold_gives_the_original(seed: int) -> None:
    facts = random_facts(seed)
    original = run(wide(), facts)
    changed = with_thresholds(wide(), "scans", {"apart_minutes": 5, "unknown": "drop"})
    back = with_thresholds(changed, "scans", {"apart_minutes": 30, "unknown": "evidence"})

    assert not same(run(changed, facts), original)
    assert not same(run(wide(), facts, undone=["telecom"]), original)
    assert same(run(back, facts), original)
    assert same(run(wide(), facts), original)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_the_rows_of_a_source_never_matters(seed: int) -> None:
    facts = random_facts(seed)
    generator = np.random.default_rng(seed)

    def shuffled(source: tuple[np.ndarray[tuple[int], np.dtype[np.generic]], ...]) -> list[object]:
        order = generator.permutation(len(source[0]))
        return [column[order] if len(column) == len(order) else generator.permutation(column) for column in source]

    mixed = facts._replace(
        **{
            name: type(getattr(facts, name))(*shuffled(getattr(facts, name)))
            for name in model.Facts._fields
            if name not in ("cases", "since")
        }
    )

    assert same(run(wide(), mixed), run(wide(), facts))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_careful_funnel_takes_nobody_off_of_whom_the_sources_know_nothing(seed: int) -> None:
    facts = random_facts(seed)
    careful = funnel_files.find(FUNNELS, "nobody-by-silence").funnel
    screening = run(careful, facts)

    known = np.concatenate([facts.companions.person, facts.companions.covered, facts.scans.person, facts.scans.covered])
    known = np.concatenate([known, facts.seats.person, facts.tests.person, facts.judged.person])
    silent = np.isin(screening.person, facts.roaming.person) & ~np.isin(screening.person, known)
    assert silent.any()
    assert (screening.listed | screening.handed_over)[silent].all()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_case_is_never_screened(seed: int) -> None:
    facts = random_facts(seed)

    assert not np.isin(run(wide(), facts).person, facts.cases).any()


def test_scans_put_back_whom_the_carriers_did_not_see_with_a_case() -> None:
    facts = says()._replace(scans=model.Scans(people(PERSON), minutes(12), people(PERSON)))

    screening = run(wide(), facts)

    assert [result.after for result in screening.results[:3]] == [1, 0, 1]
    assert reason_of(screening, PERSON) is Said.SCANNED_NEAR
    assert screening.evidence[0] == Ground.ROAMING | Ground.SCAN


@pytest.mark.parametrize(
    ("rule", "together", "reason"),
    [
        (Unknown.KEEP, 20, Said.TOGETHER),
        (Unknown.DROP, 600, Said.NO_SCANS_OUT),
        (Unknown.EVIDENCE, 59, Said.NO_SCANS_OUT),
        (Unknown.EVIDENCE, 60, Said.TOGETHER),
        (Unknown.EVIDENCE, -1, Said.TOGETHER),
    ],
)
def test_a_missing_scan_takes_off_only_when_the_threshold_says_so(rule: Unknown, together: int, reason: Said) -> None:
    funnel = with_thresholds(wide(), "scans", {"unknown": rule.value, "unknown_minutes": 60})
    facts = says()._replace(
        companions=model.Companions(people(PERSON), minutes(together), minutes(3_000), people(PERSON))
    )

    assert reason_of(run(funnel, facts), PERSON) is reason


@pytest.mark.parametrize(
    ("both", "together", "stay", "listed"),
    [
        (True, 11, 1_801, True),
        (True, 10, 1_801, False),
        (True, 11, 1_800, False),
        (True, -1, -1, True),
        (False, 11, 0, True),
        (False, 0, 1_801, True),
        (False, 10, 1_800, False),
        (False, 10, -1, False),
        (False, -1, -1, True),
    ],
)
def test_companions_need_ten_minutes_and_or_a_stay_of_thirty_hours(
    *, both: bool, together: int, stay: int, listed: bool
) -> None:
    funnel = with_thresholds(wide(), "telecom", {"both": both})
    facts = says()._replace(
        companions=model.Companions(people(PERSON), minutes(together), minutes(stay), people(PERSON))
    )

    screening = run(funnel, facts, undone=[step.name for step in funnel.step[2:]])

    assert bool(screening.listed[0]) is listed
    assert listed or reason_of(screening, PERSON) is Said.SHORT_TOGETHER


@pytest.mark.parametrize(
    ("mode", "unit", "rows", "sealed", "crew", "reason"),
    [
        (model.Mode.AIR, 1, 3, -1, False, Said.SEATED_NEAR),
        (model.Mode.AIR, 1, 4, -1, False, Said.SEATED_APART),
        (model.Mode.AIR, 1, 30, -1, True, Said.SEATED_NEAR),
        (model.Mode.AIR, 1, -1, -1, False, Said.SEATED_NEAR),
        (model.Mode.RAIL, 1, 20, 1, False, Said.SEATED_NEAR),
        (model.Mode.RAIL, 1, 20, -1, False, Said.SEATED_NEAR),
        (model.Mode.RAIL, 1, 2, 0, False, Said.SEATED_APART),
        (model.Mode.RAIL, 0, 0, 1, False, Said.SEATED_APART),
        (model.Mode.RAIL, -1, -1, 1, False, Said.SEATED_NEAR),
        (model.Mode.COACH, 1, 9, 1, False, Said.SEATED_NEAR),
        (model.Mode.COACH, 1, 4, 0, False, Said.SEATED_APART),
        (model.Mode.SHIP, 0, -1, -1, False, Said.SEATED_APART),
    ],
)
def test_seats_follow_the_rows_and_the_carriage(
    *, mode: model.Mode, unit: int, rows: int, sealed: int, crew: bool, reason: Said
) -> None:
    seat = model.Seats(
        people(PERSON),
        np.array([mode], np.uint8),
        np.array([unit], np.int8),
        np.array([rows], np.int16),
        np.array([sealed], np.int8),
        np.array([crew]),
    )

    screening = run(wide(), says()._replace(seats=seat), undone=["telecom", "scans"])

    assert reason_of(screening, PERSON) is reason


def test_the_household_is_added_though_no_phone_was_seen() -> None:
    group = model.Groups(people(9), np.array([Ground.HOUSEHOLD], np.uint16), np.array([1], np.uint8))

    screening = run(wide(), says()._replace(groups=group))

    assert reason_of(screening, 9) is Said.HOUSEHOLD
    assert screening.results[4].added == {"household": 1}


@pytest.mark.parametrize(
    ("sampled", "ground", "reason"),
    [
        ((100, 1_540), 0, Said.CLEARED),
        ((100, 1_539), 0, Said.ROAMED),
        ((99, 1_540), 0, Said.ROAMED),
        ((100, 101, 1_540), 0, Said.CLEARED),
        ((100, 1_540), Ground.HOUSEHOLD, Said.HOUSEHOLD),
    ],
)
def test_two_negatives_a_day_apart_since_the_exposure_clear_who_is_not_spared(
    sampled: tuple[int, ...], ground: int, reason: Said
) -> None:
    tests = model.Tests(people(*[PERSON] * len(sampled)), minutes(*sampled), np.zeros(len(sampled), np.bool_))
    facts = says()._replace(tests=tests, exposures=model.Exposures(people(PERSON, PERSON), minutes(50, 100)))
    if ground:
        facts = facts._replace(groups=model.Groups(people(PERSON), np.array([ground], np.uint16), np.ones(1, np.uint8)))

    assert reason_of(run(wide(), facts, undone=["telecom", "scans"]), PERSON) is reason


def test_a_positive_test_puts_back_whatever_took_the_person_off() -> None:
    facts = says()._replace(tests=model.Tests(people(PERSON), minutes(500), np.ones(1, np.bool_)))

    assert reason_of(run(wide(), facts), PERSON) is Said.TESTED_POSITIVE


def test_who_left_is_handed_over_and_who_is_nowhere_known_stays() -> None:
    facts = says(PERSON, 8, 9)._replace(
        whereabouts=model.Whereabouts(people(PERSON, PERSON, 8), minutes(510104, 500101, 510104), minutes(1, 2, 1))
    )

    screening = run(wide(), facts, undone=["telecom", "scans"])

    assert reason_of(screening, PERSON) is Said.HANDED_OVER
    assert screening.handed_over.tolist() == [True, False, False]
    assert screening.history[6].tolist() == [Said.HANDED_OVER, Said.HERE, Said.WHEREABOUTS_UNKNOWN]


def test_the_field_check_has_the_last_word() -> None:
    judged = model.Judged(people(PERSON, 8), np.array([model.JudgedTier.NO_CONTACT, model.JudgedTier.CLOSE], np.uint8))

    screening = run(wide(), says(PERSON)._replace(judged=judged), undone=["telecom", "scans"])

    assert reason_of(screening, PERSON) is Said.JUDGED_NO_CONTACT
    assert reason_of(screening, 8) is Said.JUDGED_CLOSE


def test_thresholds_that_a_step_does_not_have_or_allow_are_refused() -> None:
    with pytest.raises(StepUnknownError):
        with_thresholds(wide(), "horoscope", {})
    for values in ({"apart_hours": 1}, {"kind": "tests"}, {"apart_minutes": -1}, {"unknown": "perhaps"}):
        with pytest.raises(InputInvalidError):
            with_thresholds(wide(), "scans", values)


def test_every_funnel_file_is_usable_and_names_its_sources() -> None:
    for name in funnel_files.names(FUNNELS):
        loaded = funnel_files.find(FUNNELS, name)
        assert loaded.funnel.name == name
        assert loaded.funnel.cites
    assert funnel_files.DEFAULT in funnel_files.names(FUNNELS)


def test_a_bad_funnel_file_is_refused(tmp_path: Path) -> None:
    good = (FUNNELS / "wide-to-field.toml").read_bytes()
    bad = (good + b'[[step]]\nkind = "field"\nname = "field"\n', good.replace(b"doses", b"dozes"), b"\xff", b"")
    for body in bad:
        with pytest.raises(FunnelInvalidError):
            funnel_files.load(body)
    with pytest.raises(FunnelInvalidError):
        funnel_files.find(tmp_path, "../wide-to-field")


def test_the_summary_speaks_both_languages_and_every_reason_has_words() -> None:
    screening = run(wide(), random_facts(1))

    told = summary(wide(), screening.results)

    assert told.listed == np.count_nonzero(screening.listed)
    assert told.largest == max(step.after for step in told.steps)
    assert all(count.zh and count.en for step in told.steps for count in step.removed_by)
    assert {said for said in Said if said} == set(words.REASONS)
    assert bar(1, 1_000_000) == "█"
    assert bar(0, 10) == ""
