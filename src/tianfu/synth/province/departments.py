"""What every department would have sent by an instant: rows of their files by the feeds' own contracts. Pure.

The rows come from the world and its outbreak as that department sees them: laboratories their samples, carriers by rail
and air their seats, the operators who shared a cell, schools their classes. Contacts of cases are nobody's feed here:
they are what tracing is asked for. Feeds that the world has no cause for (vaccination, medicines …) are filled with
a few valid rows as `tianfu.synth.feed_rows` makes them.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np

from tianfu.feeds.contracts import CONTRACTS
from tianfu.lake import layout
from tianfu.synth import feed_rows
from tianfu.synth.county import SyntheticPerson
from tianfu.synth.province import disease, sources, testing
from tianfu.synth.province.disease import DAY, FAR
from tianfu.synth.province.identities import Identities
from tianfu.synth.province.model import KIND_CLASS, NOBODY, Flags, Mode
from tianfu.synth.province.outbreak import Outbreak
from tianfu.synth.province.sources import Records
from tianfu.synth.province.travel import ELSEWHERE
from tianfu.synth.province.world import World

Row = Mapping[str, str]

# Not made: what tracing is asked for, and lists that need an order registered first.
LEFT_OUT: Final = frozenset({"contacts", "emergency"})
# Feeds the world has no cause for: so many people stand in each.
FILLED: Final = ("sampling", "letters", "medicine", "vaccination", "zones", "identity", "test_duties")
FILLED_ELSEWHERE: Final = ("colours_elsewhere", "colours_national")
FILLED_PEOPLE: Final = 50
# Of everybody on an ordinary day, without an outbreak known.
TESTED_DAILY: Final = 0.02
# Every so many-th passenger from abroad on a flight home.
_BORDER_EVERY: Final = 5
_BORDER_DAYS: Final = 21
_ADULT: Final = 18
_SERVICES: Final = {Mode.RAIL: "G{:04d}", Mode.COACH: "川A{:05d}", Mode.AIR: "SY{:04d}"}
_SEATS: Final = "ABCDEF"


class Departments:
    """The departments as of `at`, a minute of the lake: what each has to send."""

    def __init__(
        self, world: World, spread: Outbreak, identities: Identities, *, at: int, records: Records | None = None
    ) -> None:
        """`records` are those around the known cases, for the operators' list of companions; None where none is."""
        self._world, self._spread, self._at, self._records = world, spread, at, records
        self._numbers = identities.numbers
        self._names = identities.names
        self._codes = world.counties.codes
        self._first = world.settings.day_number(0) * DAY

    def files(self) -> Iterator[tuple[str, Iterable[Row]]]:
        """Each feed with its rows, in the order of the contracts; a feed without any row is left out."""
        made: dict[str, Callable[[], Iterable[Row]]] = {
            "lab": self._lab,
            "cases": self._cases,
            "telecom_companions": self._companions,
            "isolation": self._isolation,
            "fever_clinic": self._fever,
            "border_entry": self._border,
            "entry_points": functools.partial(self._arrivals, 0),
            "telecom_arrivals": functools.partial(self._arrivals, 1),
            "community_reports": functools.partial(self._arrivals, 2),
            "telecom_stays": self._telecom_stays,
            "aviation": functools.partial(self._journeys, Mode.AIR),
            "railway": functools.partial(self._journeys, Mode.RAIL),
            "coach": functools.partial(self._journeys, Mode.COACH),
            "education": self._education,
            "civil_affairs": self._civil,
        }
        for feed in CONTRACTS:
            if feed in made:
                yield feed, made[feed]()
            elif feed in (*FILLED, *FILLED_ELSEWHERE):
                yield feed, self._filled(feed)

    def _document(self, person: int) -> dict[str, str]:
        return {"document_type": "resident_id", "document_number": self._numbers[person]}

    def _place(self, person: int) -> str:
        return self._codes[int(self._world.people.county[person])]

    def _sample(self, person: int, sampled: int, resulted: int, number: int, *, positive: bool) -> Row:
        return {
            **self._document(person),
            "sample_id": f"S{number:09d}",
            "sampled_at": text(sampled),
            "resulted_at": text(resulted),
            "result": "positive" if positive else "negative",
            "method": "nucleic_acid",
            "laboratory": f"SYN-LAB-{self._place(person)}",
            "pooled": "",
            "tube": "",
            "place": self._place(person),
        }

    def _lab(self) -> Iterator[Row]:
        found = sources.tests_until(self._world, self._spread, until=self._at)
        mass = zip(*(part.tolist() for part in found), strict=True)
        ordinary = ((*test, False) for test in self._ordinary_tests())
        for number, (person, sampled, resulted, positive) in enumerate(itertools.chain(mass, ordinary), start=1):
            yield self._sample(person, sampled, resulted, number, positive=positive)

    def _ordinary_tests(self) -> Iterator[tuple[int, int, int]]:
        """Tests on the days before anything is known: of people whom a test cannot find."""
        infected = np.zeros(self._world.settings.people, np.bool_)
        infected[self._spread.infections.person] = True
        for day in range(self._world.settings.days):
            begins = self._first + day * DAY
            if begins + 2 * DAY > min(self._spread.alarm_at, self._at):
                return
            dice = self._world.settings.dice(42, day)
            who = np.flatnonzero((dice.random(len(infected), np.float32) < TESTED_DAILY) & ~infected)
            sampled = begins + testing.BEGINS + dice.integers(0, testing.LASTS, len(who))
            resulted = sampled + dice.integers(disease.RESULT_HOURS[0] * 60, disease.RESULT_HOURS[1] * 60, len(who))
            yield from zip(who.tolist(), sampled.tolist(), resulted.tolist(), strict=True)

    def _known(self) -> Iterator[tuple[int, int, int, int, int]]:
        """Known cases in the order of their results: person, onset (FAR when none is known), sample, result, number."""
        rows = self._spread.infections
        known = np.flatnonzero(rows.resulted_at <= self._at)
        known = known[np.argsort(rows.resulted_at[known], kind="stable")]
        for number, position in enumerate(known.tolist(), start=1):
            onset = int(rows.onset_at[position])
            resulted = int(rows.resulted_at[position])
            yield (
                int(rows.person[position]),
                onset if onset <= resulted else FAR,
                int(rows.sampled_at[position]),
                resulted,
                number,
            )

    def _cases(self) -> Iterator[Row]:
        for person, onset, _, resulted, number in self._known():
            yield {
                "case_id": case_key(number),
                **self._document(person),
                "status": "asymptomatic" if onset == FAR else "confirmed",
                "diagnosed_at": text(resulted),
                "onset_at": "" if onset == FAR else text(onset),
                "discharged_at": "",
                "reported_at": text(min(resulted + 60, self._at)),
                "place": self._place(person),
            }

    def _companions(self) -> Iterator[Row]:
        if self._records is None:
            return
        shared = self._records.shared
        for number, row in enumerate(np.flatnonzero(shared.together > 0).tolist(), start=1):
            person = int(shared.person[row])
            yield {
                "record_id": f"TEL-{number:07d}",
                **self._document(person),
                "last_exposure_at": text(min(int(shared.last[row]), self._at)),
                "designated_at": text(self._at),
                # The operators answer for all cases at once; the first stands for them.
                "case_id": case_key(1),
                "place": self._place(person),
            }

    def _isolation(self) -> Iterator[Row]:
        for person, _, _, resulted, number in self._known():
            began = min(resulted + 120, self._at)
            yield {
                "record_id": f"ISO-{number:05d}",
                **self._document(person),
                "stage": "central",
                "began_at": text(began),
                "ended_at": "",
                "site": "SYN-SITE-1",
                "reported_at": text(self._at),
                "place": self._place(person),
            }

    def _fever(self) -> Iterator[Row]:
        for person, onset, sampled, _, number in self._known():
            if onset == FAR or sampled < onset:
                continue
            yield {
                "record_id": f"FEV-{number:05d}",
                **self._document(person),
                "visited_at": text(sampled),
                "institution": f"SYN-HOSPITAL-{self._place(person)}",
                "excluded_at": "",
                "reported_at": text(self._at),
                "place": self._place(person),
            }

    def _legs(self, chosen: Flags) -> Iterator[int]:
        legs = self._world.travel.legs
        arrives = self._first + legs.day.astype(np.int64) * DAY + legs.ends
        yield from np.flatnonzero(chosen & (arrives <= self._at)).tolist()

    def _journeys(self, mode: Mode) -> Iterator[Row]:
        legs = self._world.travel.legs
        column = {Mode.RAIL: "train", Mode.COACH: "coach", Mode.AIR: "flight"}[mode]
        for leg in self._legs(legs.mode == mode):
            person, day = int(legs.person[leg]), self._first + int(legs.day[leg]) * DAY
            ends = [self._place(person), ELSEWHERE[int(legs.elsewhere[leg])]]
            origin, destination = reversed(ends) if legs.back[leg] else ends
            departed, arrived = day + int(legs.begins[leg]), day + int(legs.ends[leg])
            row = {
                "record_id": f"{column.upper()}-{leg:07d}",
                **self._document(person),
                column: _SERVICES[mode].format(int(legs.run[leg])),
                "departed_at": text(departed),
                "arrived_at": text(arrived),
                "origin": origin,
                "destination": destination,
                "carriage": f"{legs.carriage[leg]:02d}",
                "row": str(legs.row[leg]),
                "seat": _SEATS[int(legs.seat[leg])],
                "ventilation": "sealed",
                "crew": "no",
                "reported_at": text(self._at),
                "place": self._place(person),
            }
            if mode is not Mode.RAIL:
                del row["carriage"]
            if mode is Mode.AIR:
                del row["ventilation"]
            yield row

    def _arrivals(self, channel: int) -> Iterator[Row]:
        """Who came back, as noticed at the station, by the operators, and as reported by themselves: not all by all."""
        legs = self._world.travel.legs
        for leg in self._legs(legs.back):
            if (leg * 7 + channel) % 10 >= (6, 9, 4)[channel]:
                continue
            person, day = int(legs.person[leg]), self._first + int(legs.day[leg]) * DAY
            yield {
                "record_id": f"ARR-{channel}-{leg:07d}",
                **self._document(person),
                "origin": ELSEWHERE[int(legs.elsewhere[leg])],
                "arrived_at": text(day + int(legs.ends[leg])),
                "left_origin_at": text(day + int(legs.begins[leg])),
                "origin_level": "",
                "reported_at": text(self._at),
                "place": self._place(person),
            }

    def _border(self) -> Iterator[Row]:
        legs = self._world.travel.legs
        for leg in self._legs(legs.back & (legs.mode == Mode.AIR)):
            if leg % _BORDER_EVERY:
                continue
            person, day = int(legs.person[leg]), self._first + int(legs.day[leg]) * DAY
            home = day + int(legs.begins[leg])
            yield {
                "record_id": f"ENT-{leg:07d}",
                **self._document(person),
                "entered_at": text(home - _BORDER_DAYS * DAY),
                "port": "SYN-PORT-1",
                "destination": "in_province",
                "isolation_ended_at": text(home - DAY),
                "left_province_at": "",
                "reported_at": text(self._at),
                "place": self._place(person),
            }

    def _telecom_stays(self) -> Iterator[Row]:
        """The roaming list: each phone that was in a county, since the first day or since it came back."""
        phones = np.flatnonzero(self._world.people.holder == np.arange(self._world.settings.people))
        back = self._world.travel.back
        for person in phones.tolist():
            since = max(0, int(back[person])) if back[person] < self._world.settings.days else 0
            began = self._first + since * DAY + (DAY - 60 if since else 0)
            if began > self._at:
                continue
            yield {
                "record_id": f"STAY-{person:07d}",
                **self._document(person),
                "division": self._place(person),
                "began_at": text(began),
                "ended_at": "",
                "cell": "",
                "reported_at": text(self._at),
            }

    def _member(self, key: str, person: int, group: str, institution: str, unit: str) -> Row:
        return {
            "record_id": key,
            **self._document(person),
            "group": group,
            "institution": institution,
            "unit": unit,
            "began_at": "2021-09-01",
            "ended_at": "",
            "reported_at": text(self._first),
            "place": self._place(person),
        }

    def _education(self) -> Iterator[Row]:
        works, kinds, unit = self._world.people.works_at, self._world.sites.kind, self._world.sites.unit_of
        learns = (works != NOBODY) & (kinds[works] == KIND_CLASS)
        for person in np.flatnonzero(learns).tolist():
            place = int(works[person])
            group = "teacher" if self._world.people.age[person] >= _ADULT else "pupil"
            yield self._member(f"EDU-{person:07d}", person, group, f"SYN-SCHOOL-{unit[place]}", f"CLASS-{place}")

    def _civil(self) -> Iterator[Row]:
        """Households as the register has them, and who works where."""
        works, kinds, unit = self._world.people.works_at, self._world.sites.kind, self._world.sites.unit_of
        for person, household in enumerate(self._world.people.household.tolist()):
            yield self._member(f"HOME-{person:07d}", person, "household", f"SYN-HOME-{household}", "")
        jobs = (works != NOBODY) & (kinds[works] != KIND_CLASS)
        for person in np.flatnonzero(jobs).tolist():
            place = int(works[person])
            firm = f"SYN-VENUE-{place}" if place < self._world.sites.posters else f"SYN-FIRM-{unit[place]}"
            yield self._member(f"JOB-{person:07d}", person, "worker", firm, f"ROOM-{place}")

    def _filled(self, feed: str) -> Sequence[Row]:
        """Rows about a few people, and a sample that is taken but has no result of its own kind."""
        dice = self._world.settings.dice(43)
        everybody = self._world.settings.people
        some = np.sort(dice.choice(everybody, min(FILLED_PEOPLE, everybody), replace=False))
        people = [self._synthetic(person) for person in some.tolist()]
        return feed_rows.rows(feed, people, self._world.settings.seed, layout.instant_of(self._at))

    def _synthetic(self, person: int) -> SyntheticPerson:
        return SyntheticPerson(
            name=self._names[person],
            number=self._numbers[person],
            phone="",
            born=date(1970, 1, 1),
            household=int(self._world.people.household[person]),
            place=None,
        )


def case_key(number: int) -> str:
    """The health department's key of the how-manieth case."""
    return f"CASE-{number:05d}"


def text(minute: int) -> str:
    """A minute of the lake as departments write it, Beijing time."""
    day, rest = divmod(minute, DAY)
    return f"{_day(day)} {rest // 60:02d}:{rest % 60:02d}"


@functools.lru_cache(maxsize=10_000)
def _day(number: int) -> str:
    return layout.day_of(number).isoformat()


def instant(minute: int) -> datetime:
    """The end of a minute of the lake: when everything said to happen in it has."""
    return layout.instant_of(minute) + timedelta(minutes=1)
