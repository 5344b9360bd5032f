"""One family of errors for everything that can be told to a person.

A feature raises its own subclass, defined beside the code that raises it, with a stable `code`, an HTTP status and
one safe sentence in each language. The sentence may be shown to anybody: it holds no personal data and no internals.
The cause is chained (`raise … from cause`) for the log. `tianfu.platform.http` renders the family as problem+json;
anything else that escapes becomes a bare "internal".
"""

from __future__ import annotations

from typing import ClassVar

import msgspec


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with one field of an input: its name, a stable code, and the sentence in each language."""

    field: str
    code: str
    zh: str
    en: str


class TianfuError(Exception):
    """Base of every expected failure.

    `code` is stable and documented in docs/errors.md; `status` is the HTTP status; `zh` and `en` are what the person
    reads. `faults` lists every field that is wrong, not only the first. `retry_after_seconds` says when trying again
    makes sense, where it does.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    zh: str = "系统出现问题，请稍后再试。"
    en: str = "Something went wrong on our side. Please try again later."

    def __init__(
        self,
        *,
        zh: str | None = None,
        en: str | None = None,
        faults: tuple[Fault, ...] = (),
        retry_after_seconds: int | None = None,
    ) -> None:
        """Keep the sentences of the class unless this occasion has better ones."""
        super().__init__(en or self.en)
        self.zh = zh or self.zh
        self.en = en or self.en
        self.faults = faults
        self.retry_after_seconds = retry_after_seconds

    def sentence(self, language: str) -> str:
        """What to tell the person; `language` is `zh` or `en`, anything else reads as `zh`."""
        return self.en if language == "en" else self.zh


class InputInvalidError(TianfuError):
    """One or more fields of an input cannot be accepted; `faults` says which and why."""

    code = "input_invalid"
    status = 422
    zh = "填写内容有误，请按提示修改。"
    en = "Some of what was sent cannot be accepted; see the fields named."


class NotFoundError(TianfuError):
    """What was asked for does not exist, or the asker may not know whether it does."""

    code = "not_found"
    status = 404
    zh = "没有找到。"
    en = "Not found."
