"""Every contract with a department: what its file must look like and what a row of it states. Pure.

Intake, quarantine, the commands, the push service and the data dictionary (docs/feeds.md) read contracts from here.
Those of one field have a module of their own; a new feed is a new contract there and a line in `CONTRACTS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tianfu.feeds.contract import Contract
from tianfu.feeds.contracts_care import FEVER_CLINIC, ISOLATION, MEDICINE, VACCINATION
from tianfu.feeds.contracts_disease import CASES, CONTACTS, LETTERS, TELECOM_COMPANIONS
from tianfu.feeds.contracts_lab import LAB, SAMPLING
from tianfu.feeds.contracts_people import (
    CIVIL_AFFAIRS,
    COLOURS_ELSEWHERE,
    COLOURS_NATIONAL,
    EDUCATION,
    EMERGENCY,
    IDENTITY,
    TEST_DUTIES,
)
from tianfu.feeds.contracts_places import (
    BORDER_ENTRY,
    COMMUNITY_REPORTS,
    ENTRY_POINTS,
    TELECOM_ARRIVALS,
    TELECOM_STAYS,
    ZONES,
)
from tianfu.feeds.contracts_travel import AVIATION, COACH, RAILWAY

CONTRACTS: Final[Mapping[str, Contract]] = {
    contract.feed: contract
    for contract in (
        LAB,
        SAMPLING,
        CASES,
        CONTACTS,
        LETTERS,
        TELECOM_COMPANIONS,
        ISOLATION,
        FEVER_CLINIC,
        MEDICINE,
        VACCINATION,
        BORDER_ENTRY,
        ENTRY_POINTS,
        TELECOM_ARRIVALS,
        COMMUNITY_REPORTS,
        TELECOM_STAYS,
        ZONES,
        AVIATION,
        RAILWAY,
        COACH,
        IDENTITY,
        EDUCATION,
        CIVIL_AFFAIRS,
        TEST_DUTIES,
        EMERGENCY,
        COLOURS_ELSEWHERE,
        COLOURS_NATIONAL,
    )
}
