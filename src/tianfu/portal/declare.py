"""Declaring one's own health (打卡): evidence by oneself, valid for 14 days."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from tianfu.errors import Fault, InputInvalidError
from tianfu.evidence import ledger
from tianfu.evidence.kinds import Declaration, Symptom
from tianfu.evidence.model import NewEvidence
from tianfu.ids import PersonRef
from tianfu.interval import Interval
from tianfu.platform.database import Write
from tianfu.residents import store as residents

# The Sichuan code lived 14 days at most and then needed a new declaration.
DECLARATION_DAYS: Final = 14
# What a thermometer shows for a living person.
TEMPERATURE_DECIDEGREES_MIN: Final = 340
TEMPERATURE_DECIDEGREES_MAX: Final = 430
_SOURCE: Final = "self"


class Checked(msgspec.Struct, frozen=True):
    """A declaration that can be accepted."""

    symptoms: tuple[Symptom, ...]
    temperature_decidegrees: int | None


def check(symptoms: Sequence[str], temperature_decidegrees: int | None, *, truthful: bool) -> Checked:
    """The declaration, parsed. Raises `InputInvalidError` with all faults at once."""
    faults = []
    by_word = {symptom.value: symptom for symptom in Symptom}
    if not set(symptoms) <= by_word.keys():
        faults.append(Fault("symptoms", "symptom", "含有未知的症状。", "There is an unknown symptom."))
    if temperature_decidegrees is not None and not (
        TEMPERATURE_DECIDEGREES_MIN <= temperature_decidegrees <= TEMPERATURE_DECIDEGREES_MAX
    ):
        faults.append(
            Fault(
                "temperature_decidegrees",
                "temperature",
                "体温应在 34.0 至 43.0 ℃ 之间。",
                "The temperature must lie between 34.0 and 43.0 °C.",
            )
        )
    if not truthful:
        faults.append(Fault("truthful", "truthful", "请确认所填内容属实。", "Please confirm that this is true."))
    if faults:
        raise InputInvalidError(faults=tuple(faults))
    # In the registry's order and once each, so that the same statement is the same evidence.
    return Checked(tuple(symptom for symptom in Symptom if symptom.value in symptoms), temperature_decidegrees)


def declare(write: Write, person: PersonRef, declaration: Checked, *, at: datetime) -> datetime:
    """Append the declaration and return until when it counts.

    Each is a record of its own, so a correction on the same day is simply a later declaration, and the rules look at
    the latest. Sent twice it is declared twice, which changes nothing.
    """
    valid = Interval(at, at + timedelta(days=DECLARATION_DAYS))
    statement = NewEvidence(
        person=person,
        source=_SOURCE,
        source_record=f"declaration-{secrets.token_hex(16)}",
        attributes=Declaration(
            declared_at=at,
            symptoms=declaration.symptoms,
            temperature_decidegrees=declaration.temperature_decidegrees,
        ),
        occurred_at=at,
        valid=valid,
        place=residents.district_of(write, person),
    )
    ledger.append(write, [statement], received_at=at)
    return at + timedelta(days=DECLARATION_DAYS)
