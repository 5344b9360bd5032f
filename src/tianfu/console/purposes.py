"""Why an operator asks. One rule for every route about people, incidents and what follows from them.

**The request states its purpose in its body, and the server never supplies one.** What is checked against the role,
what stands in the trail and what the person is shown are the word that a human being sent. So these routes are POST
with a form that is a `StatedForm`, also those that change something, answer with numbers only, or could be allowed for
one purpose alone: which purposes a role has is a table that changes (`tianfu.access.roles`), and who adds a route need
not judge whether it reads somebody. A word that is no purpose is a fault of the request; one that the role does not
have is refused like a wrong role or place.

Signing in and an operator's own venues read nobody's record and have no purpose.
"""

from __future__ import annotations

import msgspec

from tianfu.access.roles import Purpose
from tianfu.errors import Fault, InputInvalidError


class StatedForm(msgspec.Struct, frozen=True, kw_only=True):
    """A request that says why it is made: `investigation`, `follow_up`, `consultation`, `appeal` or `entry`."""

    purpose: str

    @property
    def stated(self) -> Purpose:
        """The purpose. Raises `InputInvalidError` for a word that is none."""
        return purpose_of(self.purpose)


class PurposeForm(StatedForm, frozen=True, kw_only=True):
    """Why this is asked, and nothing else."""


def purpose_of(word: str) -> Purpose:
    """The purpose that a form states. Raises `InputInvalidError`."""
    known = next((purpose for purpose in Purpose if purpose.value == word), None)
    if known is None:
        raise InputInvalidError(
            faults=(Fault("purpose", "purpose", "请选择查询事由。", "Please state why this is read."),)
        )
    return known
