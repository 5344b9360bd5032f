"""The registry of evidence kinds: what each kind says, as frozen types, tagged by name.

A rule file refers to a kind by its tag and to its fields by name. Fields hold no personal data: people are numbers,
places are division codes, institutions are codes. To add a kind, add a type here and to `Attributes`.
"""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from tianfu.clock import Instant


class TestResult(enum.Enum):
    """What the laboratory found."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    INDETERMINATE = "indeterminate"


class TestMethod(enum.Enum):
    """How it was found."""

    NUCLEIC_ACID = "nucleic_acid"
    ANTIGEN = "antigen"
    ANTIBODY = "antibody"


class CaseStatus(enum.Enum):
    """Where a case stands. `EXCLUDED` is a suspect who turned out not to be one."""

    CONFIRMED = "confirmed"
    ASYMPTOMATIC = "asymptomatic"
    SUSPECTED = "suspected"
    EXCLUDED = "excluded"
    DISCHARGED = "discharged"


class ContactTier(enum.Enum):
    """密接, 次密接 and 时空伴随."""

    CLOSE = "close"
    SECONDARY = "secondary"
    COPRESENT = "copresent"


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
    """A laboratory result. `laboratory` is the institution's code."""

    result: TestResult
    method: TestMethod
    sampled_at: Instant
    resulted_at: Instant
    laboratory: str


class Case(msgspec.Struct, frozen=True, kw_only=True, tag="case"):
    """A case as the health department reports it; each new report about the case supersedes the one before."""

    status: CaseStatus
    diagnosed_at: Instant
    onset_at: Instant | None = None
    discharged_at: Instant | None = None


class Contact(msgspec.Struct, frozen=True, kw_only=True, tag="contact"):
    """A person named as a contact. `case` is the department's key of the index case."""

    tier: ContactTier
    last_exposure_at: Instant
    designated_at: Instant
    case: str


class Declaration(msgspec.Struct, frozen=True, kw_only=True, tag="declaration"):
    """What a person says of their own health (打卡). `temperature_decidegrees` is 365 for 36.5 °C."""

    declared_at: Instant
    symptoms: tuple[Symptom, ...] = ()
    temperature_decidegrees: int | None = None


Attributes = Test | Case | Contact | Declaration
KINDS: Final[dict[str, type[msgspec.Struct]]] = {
    "test": Test,
    "case": Case,
    "contact": Contact,
    "declaration": Declaration,
}
