from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given

from tests.support.histories import histories, instants
from tianfu.evidence.kinds import Contact, ContactTier, Declaration
from tianfu.evidence.model import Evidence
from tianfu.ids import EvidenceId, PersonRef
from tianfu.interval import Interval
from tianfu.platform.settings import PROJECT_ROOT
from tianfu.policy.decide import decide
from tianfu.policy.explain import PolicyMismatchError, explain, instant_text
from tianfu.policy.load import load

CORE = load(PROJECT_ROOT / "policies" / "sichuan-core.toml")
MORNING = datetime(2022, 3, 1, 1, 30, tzinfo=UTC)


def statement(attributes: Contact | Declaration, number: int = 1) -> Evidence:
    return Evidence(
        evidence_id=EvidenceId(number),
        person=PersonRef(1),
        source="tracing",
        source_record=f"K-{number}",
        attributes=attributes,
        occurred_at=MORNING,
        received_at=MORNING,
        valid=Interval(MORNING),
    )


COPRESENT = statement(Contact(tier=ContactTier.COPRESENT, last_exposure_at=MORNING, designated_at=MORNING, case="C-1"))


def test_a_person_reads_what_it_is_until_when_and_what_ends_it_earlier() -> None:
    decision = decide(CORE, [COPRESENT], MORNING)

    english, chinese = (explain(CORE, decision, language) for language in ("en", "zh"))

    assert english.colour == chinese.colour == "yellow"
    assert english.colour_title == "Yellow"
    assert english.reasons[0].title == "Same place and time as an infected person"
    assert english.reasons[0].how_it_ends == (
        "Ends by itself on 15 March 2022, 09:30 at the latest. It ends at once with: "
        "one negative nucleic-acid test sampled after you were designated."
    )
    assert chinese.reasons[0].how_it_ends == (
        "最迟2022年3月15日 09:30自动解除。符合下列任一条件即时解除：判定之后采样的核酸检测阴性1次。"
    )
    assert chinese.reasons[0].office == "所在社区（村）"
    assert english.popup is not None
    assert english.popup.title == "Please declare your health"
    assert english.next_change_at == MORNING + timedelta(days=14)


def test_a_reason_without_known_end_says_what_it_waits_for() -> None:
    policy = load(
        CORE.body.replace(b'until = { anchor = "designated_at", days = 14 }', b"").replace(
            'ends = { zh = "最迟{until}自动解除。", en = "Ends by itself on {until} at the latest." }'.encode(),
            'ends_open = { zh = "等候核酸结果。", en = "Waits for a test since {since}." }'.encode(),
        )
    )

    reason = explain(policy, decide(policy, [COPRESENT], MORNING), "en").reasons[0]

    assert reason.until is None
    assert reason.how_it_ends.startswith("Waits for a test since 1 March 2022, 09:30. It ends at once with:")


def test_a_policy_explains_only_its_own_decisions() -> None:
    other = load(CORE.body + b"\n")

    with pytest.raises(PolicyMismatchError):
        explain(other, decide(CORE, [], MORNING), "en")


def test_an_unknown_language_reads_as_chinese() -> None:
    assert explain(CORE, decide(CORE, [], MORNING), "fr") == explain(CORE, decide(CORE, [], MORNING), "zh")


def test_instants_are_told_as_wall_clock_time_of_shanghai() -> None:
    late = datetime(2022, 12, 31, 16, 5, 59, tzinfo=UTC)

    assert instant_text(late, "zh") == "2023年1月1日 00:05"
    assert instant_text(late, "en") == "1 January 2023, 00:05"
    assert instant_text(datetime.max.replace(tzinfo=UTC), "en") == "31 December 9999, 23:59"


@given(history=histories(), at=instants())
def test_every_decision_can_be_told_in_both_languages_without_a_hole(history: list[Evidence], at: datetime) -> None:
    decision = decide(CORE, history, at)

    for language in ("zh", "en"):
        explanation = explain(CORE, decision, language)
        told = msgspec.json.encode(explanation).decode()
        assert "{" not in explanation.colour_text
        assert all("{" not in reason.how_it_ends and reason.how_it_ends for reason in explanation.reasons)
        assert len(explanation.reasons) == len(decision.reasons)
        assert "None" not in told
