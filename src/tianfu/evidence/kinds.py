"""The registry of evidence kinds: what each kind says, as frozen types, tagged by name.

A rule file refers to a kind by its tag and to its fields by name. Fields hold no personal data: people are numbers,
places are division codes, institutions are codes. Kinds about care, travel and circumstances have their own modules;
to add a kind, add a type and name it in `Attributes` and `KINDS`.
"""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from tianfu.clock import Instant
from tianfu.evidence.care_kinds import FeverVisit, Isolation, Medicine, Sampling, Vaccination
from tianfu.evidence.circumstance_kinds import (
    Clearance,
    ColourElsewhere,
    Emergency,
    IdentityCheck,
    Letter,
    Membership,
    TestDuty,
)
from tianfu.evidence.test_words import TestMethod, TestResult
from tianfu.evidence.travel_kinds import Arrival, BorderEntry, Journey, Stay, ZoneStay


class CaseStatus(enum.Enum):
    """Where a case stands. `EXCLUDED` is a suspect who turned out not to be one."""

    CONFIRMED = "confirmed"
    ASYMPTOMATIC = "asymptomatic"
    SUSPECTED = "suspected"
    EXCLUDED = "excluded"
    DISCHARGED = "discharged"


class ContactTier(enum.Enum):
    """密接, 次密接, 时空伴随 and 一般接触者."""

    CLOSE = "close"
    SECONDARY = "secondary"
    COPRESENT = "copresent"
    GENERAL = "general"


class ContactSetting(enum.Enum):
    """On what ground somebody is a contact (the nine grounds of the ninth protocol, and means of transport)."""

    HOUSEHOLD = "household"
    CARE = "care"
    WORK = "work"
    SCHOOL = "school"
    MEAL = "meal"
    VENUE = "venue"
    FLIGHT = "flight"
    TRAIN = "train"
    COACH = "coach"
    SHIP = "ship"
    VEHICLE = "vehicle"
    TELECOM = "telecom"
    CONTAMINATED = "contaminated"
    OTHER = "other"


class Symptom(enum.Enum):
    """Symptoms a person can declare (a subset of WS 363.6)."""

    FEVER = "fever"
    COUGH = "cough"
    FATIGUE = "fatigue"
    SORE_THROAT = "sore_throat"
    BREATHLESS = "breathless"
    DIARRHOEA = "diarrhoea"
    LOSS_OF_SMELL = "loss_of_smell"


class Test(msgspec.Struct, frozen=True, kw_only=True, tag="test"):
    """A laboratory result. `laboratory` is the institution's code.

    `pooled`: the sample shared a tube with others (混管); `tube` is the laboratory's key of that tube, and everybody in
    it has a statement of their own.
    """

    result: TestResult
    method: TestMethod
    sampled_at: Instant
    resulted_at: Instant
    laboratory: str
    pooled: bool = False
    tube: str | None = None


class Case(msgspec.Struct, frozen=True, kw_only=True, tag="case"):
    """A case as the health department reports it; each new report about the case supersedes the one before."""

    status: CaseStatus
    diagnosed_at: Instant
    onset_at: Instant | None = None
    discharged_at: Instant | None = None


class Contact(msgspec.Struct, frozen=True, kw_only=True, tag="contact"):
    """A person named as a contact. `case` is the department's key of the index case.

    `parent` is, for a contact of a contact, the department's key of the close contact's own record (its
    `source_record`); that person's tests reach this one as `parent_test`.
    """

    tier: ContactTier
    last_exposure_at: Instant
    designated_at: Instant
    case: str
    setting: ContactSetting | None = None
    parent: str | None = None


class ParentTest(msgspec.Struct, frozen=True, kw_only=True, tag="parent_test"):
    """A test of the close contact through whom this person is a contact of a contact; derived, never sent.

    `contact` is the `source_record` of this person's own contact statement, `last_exposure_at` repeats its exposure, so
    that a promoted contact counts days from there.
    """

    contact: str
    result: TestResult
    method: TestMethod
    sampled_at: Instant
    last_exposure_at: Instant
    laboratory: str
    pooled: bool = False


class Declaration(msgspec.Struct, frozen=True, kw_only=True, tag="declaration"):
    """What a person says of their own health (打卡). `temperature_decidegrees` is 365 for 36.5 °C."""

    declared_at: Instant
    symptoms: tuple[Symptom, ...] = ()
    temperature_decidegrees: int | None = None


Attributes = (
    Test
    | Sampling
    | Case
    | Contact
    | ParentTest
    | Declaration
    | Isolation
    | FeverVisit
    | Medicine
    | Vaccination
    | TestDuty
    | Arrival
    | BorderEntry
    | Journey
    | Stay
    | ZoneStay
    | Letter
    | Emergency
    | ColourElsewhere
    | Membership
    | IdentityCheck
    | Clearance
)
KINDS: Final[dict[str, type[msgspec.Struct]]] = {
    "test": Test,
    "sampling": Sampling,
    "case": Case,
    "contact": Contact,
    "parent_test": ParentTest,
    "declaration": Declaration,
    "isolation": Isolation,
    "fever_visit": FeverVisit,
    "medicine": Medicine,
    "vaccination": Vaccination,
    "test_duty": TestDuty,
    "arrival": Arrival,
    "border_entry": BorderEntry,
    "journey": Journey,
    "stay": Stay,
    "zone_stay": ZoneStay,
    "letter": Letter,
    "emergency": Emergency,
    "colour_elsewhere": ColourElsewhere,
    "membership": Membership,
    "identity_check": IdentityCheck,
    "clearance": Clearance,
}
