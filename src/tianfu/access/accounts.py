"""Accounts of operators and the roles they hold: the only place that reads or writes them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

import msgspec

from tianfu.access import passwords
from tianfu.access.decide import Grant, Principal
from tianfu.access.places import divisions
from tianfu.access.roles import Role
from tianfu.audit import trail
from tianfu.errors import Fault, InputInvalidError, NotFoundError, TianfuError
from tianfu.platform.database import Read, Write

FAILURES_MAX: Final = 5
LOCK_MINUTES: Final = 15
ACCOUNTS_LISTED_MAX: Final = 1_000
DISPLAY_NAME_LENGTH_MAX: Final = 64

_USERNAME: Final = re.compile(r"[a-z][a-z0-9._-]{2,31}", re.ASCII)
# The trail names accounts, and must hold no number that could be a person's.
_LONG_NUMBER: Final = re.compile(r"[0-9]{9}", re.ASCII)
_COUNTY_DIGITS: Final = 6
# A province, a prefecture, a county.
_SCOPE_DIGITS: Final = (2, 4, 6)


class AccountExistsError(TianfuError):
    """The username is taken."""

    code = "account_exists"
    status = 409
    zh = "用户名已被使用。"
    en = "This username is taken."


class AccountNotFoundError(NotFoundError):
    """There is no open account of that name."""

    code = "account_not_found"
    zh = "没有这个账号，或账号已停用。"
    en = "There is no such account, or it is closed."


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An operator: who it is and what it holds."""

    account_ref: int
    username: str
    display_name: str
    grants: tuple[Grant, ...]
    closed: bool
    locked_until: datetime | None

    @property
    def principal(self) -> Principal:
        """What `access.decide` needs; a closed account holds nothing."""
        return Principal(account=self.account_ref, grants=() if self.closed else self.grants)


class Try(msgspec.Struct, frozen=True):
    """A sign-in under way: the failure is already counted."""

    account_ref: int
    password_hash: str


def create(write: Write, *, username: str, display_name: str, password: str, at: datetime) -> int:
    """A new account without any role; its number.

    Raises `InputInvalidError` naming every unusable field, `AccountExistsError`.
    """
    faults = []
    if _USERNAME.fullmatch(username) is None or _LONG_NUMBER.search(username):
        faults.append(
            Fault(
                "username",
                "username",
                "用户名为 3 至 32 个小写字母、数字或 . _ -，以字母开头，不得含手机号或证件号。",
                "A username has 3 to 32 small letters, digits or . _ -, begins with a letter, holds no phone number.",
            )
        )
    if not 1 <= len(display_name) <= DISPLAY_NAME_LENGTH_MAX or not display_name.isprintable():
        faults.append(
            Fault("display_name", "display_name", "显示名称为 1 至 64 个字。", "A display name has 1 to 64 characters.")
        )
    try:
        passwords.check_new(password)
    except InputInvalidError as error:
        faults.extend(error.faults)
    if faults:
        raise InputInvalidError(faults=tuple(faults))
    account = write.value(
        "insert into account (username, display_name, password_hash, created_at) values (%s, %s, %s, %s)"
        " on conflict (username) do nothing returning account_ref",
        (username, display_name, passwords.digest(password), at),
    )
    if account is None:
        raise AccountExistsError
    return int(account)


def grant(write: Write, *, username: str, role: Role, district: str) -> None:
    """Give a role in a district; giving it twice changes nothing.

    `district` is `""` for everywhere, or the digits of a province (`51`), prefecture (`5101`) or county (`510104`).
    Raises `AccountNotFoundError`, `InputInvalidError`.
    """
    if not _is_scope(district):
        fault = Fault(
            "district",
            "district",
            "辖区应为空（全部）、2 位省、4 位市州或 6 位区县代码。",
            "A district is empty (everywhere), or 2 digits of a province, 4 of a prefecture or 6 of a county.",
        )
        raise InputInvalidError(faults=(fault,))
    account = find(write, username)
    if account is None or account.closed:
        raise AccountNotFoundError
    write.execute(
        "insert into account_role (account_ref, role, district) values (%s, %s, %s)"
        " on conflict (account_ref, role, district) do nothing",
        (account.account_ref, role.value, district),
    )


def close(write: Write, *, username: str, at: datetime) -> None:
    """Close an account for good: no sign-in and no use of a session any more. Raises `AccountNotFoundError`."""
    if not write.execute("update account set closed_at = %s where username = %s and closed_at is null", (at, username)):
        raise AccountNotFoundError


def record(write: Write, action: str, username: str, *, at: datetime, detail: dict[str, str] | None = None) -> None:
    """Put a change of an account, made at this machine, into the trail."""
    trail.record(
        write,
        trail.Entry(
            at=at,
            actor_kind="system",
            actor="command-line",
            action=action,
            purpose="accounts",
            subject=f"account:{username}",
            detail=detail or {},
        ),
    )


def find(read: Read, username: str) -> Account | None:
    """The account of that name, closed or not."""
    row = read.row(
        "select account_ref, username, display_name, closed_at, locked_until from account where username = %s",
        (username,),
    )
    return None if row is None else _account(row, _grants(read, [row[0]]))


def get(read: Read, account_ref: int) -> Account | None:
    """The account of that number, closed or not."""
    row = read.row(
        "select account_ref, username, display_name, closed_at, locked_until from account where account_ref = %s",
        (account_ref,),
    )
    return None if row is None else _account(row, _grants(read, [account_ref]))


def every(read: Read) -> list[Account]:
    """Accounts in order of username, `ACCOUNTS_LISTED_MAX` at most."""
    rows = read.rows(
        "select account_ref, username, display_name, closed_at, locked_until from account order by username limit %s",
        (ACCOUNTS_LISTED_MAX,),
    )
    grants = _grants(read, [row[0] for row in rows])
    return [_account(row, grants) for row in rows]


def begin_try(write: Write, username: str, at: datetime) -> Try | None:
    """Count a failure in advance and return what to compare with; None when there is no open, unlocked account.

    The caller commits before it compares, so that guesses made side by side cannot outrun the lock; a right password
    takes the count back.
    """
    row = write.row(
        "update account set"
        " failures = case when locked_until is null then failures + 1 else 1 end,"
        " locked_until = case when locked_until is null and failures + 1 >= %(most)s then %(until)s::timestamptz end"
        " where username = %(username)s and closed_at is null and (locked_until is null or locked_until <= %(at)s)"
        " returning account_ref, password_hash",
        {"most": FAILURES_MAX, "until": at + timedelta(minutes=LOCK_MINUTES), "username": username, "at": at},
    )
    return None if row is None else Try(row[0], row[1])


def clear_failures(write: Write, account_ref: int) -> None:
    """Forget failures and lock after a right password."""
    write.execute("update account set failures = 0, locked_until = null where account_ref = %s", (account_ref,))


def _grants(read: Read, accounts: list[int]) -> dict[int, tuple[Grant, ...]]:
    rows = read.rows(
        "select account_ref, role, district from account_role where account_ref = any(%s)"
        " order by account_ref, role, district",
        (accounts,),
    )
    known = {role.value: role for role in Role}
    found: dict[int, tuple[Grant, ...]] = {}
    for account, role, district in rows:
        # A role that this version no longer knows grants nothing.
        if role in known:
            found[account] = (*found.get(account, ()), Grant(known[role], district))
    return found


def _account(
    row: tuple[int, str, str, datetime | None, datetime | None], grants: dict[int, tuple[Grant, ...]]
) -> Account:
    return Account(
        account_ref=row[0],
        username=row[1],
        display_name=row[2],
        grants=grants.get(row[0], ()),
        closed=row[3] is not None,
        locked_until=row[4],
    )


def _is_scope(district: str) -> bool:
    """Whether `district` is empty or the beginning of a division that exists."""
    if district == "":
        return True
    whole = f"{district:0<{_COUNTY_DIGITS}}"
    return len(district) in _SCOPE_DIGITS and not district.endswith("00") and whole in divisions()
