"""What a person agrees to before a code is made, in words that can be read, and what was answered.

Health and whereabouts are sensitive personal information: the law (个人信息保护法 art. 29) wants a consent of its own
for each use, and art. 16 forbids refusing the service for want of a consent that it does not need. So each purpose is
asked for by itself, and only those without which there is no code are required.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from tianfu.errors import Fault
from tianfu.ids import PersonRef
from tianfu.platform.database import Read, Write
from tianfu.residents import store


class ConsentPurpose(msgspec.Struct, frozen=True):
    """One use of personal data, in both languages."""

    id: str
    required: bool
    zh: str
    en: str


# A new text is a new version: what somebody agreed to must be found again word for word.
VERSION: Final = "2026-11-23"
PURPOSES: Final = (
    ConsentPurpose(
        id="claim",
        required=True,
        zh="使用我的姓名、证件号码和手机号核验身份并生成健康码。证件号码、手机号加密保存，页面只显示脱敏信息。",
        en=(
            "Use my name, document number and phone to confirm who I am and make my health code. The number and phone"
            " are stored encrypted; screens show them masked."
        ),
    ),
    ConsentPurpose(
        id="health",
        required=True,
        zh="依据公布的规则，用我的核酸检测、流行病学调查和健康申报信息（敏感个人信息）计算健康码颜色；我可以查看依据和查询记录。",
        en=(
            "Use my test results, epidemiological findings and declarations (sensitive personal information) to derive"
            " the colour by the published rules; I can see the evidence and who read it."
        ),
    ),
    ConsentPurpose(
        id="visits",
        # Required because the gate keeps every scan: a "no" that is not honoured would be a lie.
        required=True,
        zh="在我扫描场所码或出示健康码被查验时，保存该次记录 30 天，仅用于疫情流行病学调查，到期删除。",
        en=(
            "When I scan a venue code or my code is checked, keep that visit for 30 days, for epidemiological"
            " investigation only, then delete it."
        ),
    ),
)


def inspect(given: Sequence[str], version: str) -> tuple[Fault, ...]:
    """What is wrong with the answers: an unknown purpose, a required one missing, or a text that has changed."""
    known = {purpose.id for purpose in PURPOSES}
    if version != VERSION:
        return (
            Fault(
                field="consent_version",
                code="consent_version",
                zh="授权说明已更新，请重新阅读并确认。",
                en="The text of the consents has changed; please read it again.",
            ),
        )
    if not set(given) <= known:
        return (Fault(field="consents", code="consent_unknown", zh="未知的授权事项。", en="An unknown purpose."),)
    if any(purpose.required and purpose.id not in given for purpose in PURPOSES):
        return (
            Fault(
                field="consents",
                code="consent_missing",
                zh="需要同意标注为必要的授权事项才能申领。",
                en="A code can be made only with the consents marked as required.",
            ),
        )
    return ()


def record(write: Write, person: PersonRef, given: Sequence[str], at: datetime) -> None:
    """Append the answer to every purpose; one that repeats the last answer to the same text is not written again."""
    last = store.latest_consents(write, person)
    answers = [(purpose.id, purpose.id in given) for purpose in PURPOSES]
    store.insert_consents(
        write,
        person,
        [(purpose, yes) for purpose, yes in answers if last.get(purpose) != (VERSION, yes)],
        version=VERSION,
        at=at,
    )


def missing(read: Read, person: PersonRef) -> tuple[str, ...]:
    """The required purposes that `person` has not agreed to in the text of today.

    Who was taken over from an old city code has agreed to none of them here: they are asked at the first opening.
    """
    last = store.latest_consents(read, person)
    return tuple(purpose.id for purpose in PURPOSES if purpose.required and last.get(purpose.id) != (VERSION, True))
