"""The demo's operators and venues: accounts with published passwords, for a machine that nobody depends on.

The passwords are fixed and printed at the start; the supervisor makes these accounts in the demo environment only.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from tianfu.access import accounts
from tianfu.access.accounts import Account
from tianfu.access.roles import Role
from tianfu.ids import VenueRef
from tianfu.platform.database import Database, Purpose
from tianfu.synth.county import HOME_DIVISION, SyntheticVenue
from tianfu.venues import create, store

PREFECTURE: Final = HOME_DIVISION[:4]


class DemoAccount(msgspec.Struct, frozen=True):
    """One account of the demo and what it is for."""

    username: str
    display_name: str
    role: Role
    district: str

    @property
    def password(self) -> str:
        """The same on every demo machine, and said so wherever it is shown."""
        return f"{self.username}-demo-2022"


ACCOUNTS: Final = (
    DemoAccount("manager", "演示场所管理员", Role.VENUE_MANAGER, HOME_DIVISION),
    DemoAccount("manager2", "演示场所管理员二", Role.VENUE_MANAGER, HOME_DIVISION),
    DemoAccount("guard", "演示查验员", Role.GUARD, HOME_DIVISION),
    DemoAccount("guard2", "演示查验员二", Role.GUARD, HOME_DIVISION),
    DemoAccount("epidemiologist", "演示流调员", Role.EPIDEMIOLOGIST, PREFECTURE),
    DemoAccount("epidemiologist2", "演示流调员二", Role.EPIDEMIOLOGIST, PREFECTURE),
    DemoAccount("field-worker", "演示社区随访员", Role.FIELD_WORKER, HOME_DIVISION),
    DemoAccount("desk", "演示申诉台", Role.DESK, PREFECTURE),
    DemoAccount("auditor", "演示审计员", Role.AUDITOR, ""),
    DemoAccount("demo-policy-1", "演示规则拟定人", Role.ADMINISTRATOR, ""),
    DemoAccount("demo-policy-2", "演示规则审批人", Role.ADMINISTRATOR, ""),
)


def ensure(
    database: Database, venues: Sequence[SyntheticVenue], *, at: datetime
) -> list[tuple[VenueRef, SyntheticVenue]]:
    """Make the accounts, the venues (shared between the managers), and bind each guard to one; harmless to repeat.

    The venues come back in their order, each with its number.
    """
    for wanted in ACCOUNTS:
        with database.write(Purpose.BATCH) as write:
            if accounts.find(write, wanted.username) is None:
                accounts.create(
                    write,
                    username=wanted.username,
                    display_name=wanted.display_name,
                    password=wanted.password,
                    at=at,
                )
            accounts.grant(write, username=wanted.username, role=wanted.role, district=wanted.district)
    managers = [account for account in ACCOUNTS if account.role is Role.VENUE_MANAGER]
    guards = [account for account in ACCOUNTS if account.role is Role.GUARD]
    numbered: dict[str, VenueRef] = {}
    for turn, (manager, guard) in enumerate(zip(managers, guards, strict=True)):
        with database.read(Purpose.BATCH) as read:
            account = _found(accounts.find(read, manager.username))
            have = store.managed_by(read, account.account_ref, create.VENUES_PER_MANAGER_MAX)
        for venue in venues[turn :: len(managers)][len(have) :]:
            checked = create.check(
                name=venue.name, category=venue.category, district=venue.division, address=venue.address
            )
            have.append(create.create(database, account.principal, checked, at=at))
        create.bind_guard(database, account.principal, have[0].venue_ref, guard.username, at=at)
        numbered |= {venue.name: venue.venue_ref for venue in have}
    return [(numbered[venue.name], venue) for venue in venues]


def _found(account: Account | None) -> Account:
    if account is None:
        message = "a demo account that was just made is not there"
        raise RuntimeError(message)
    return account
