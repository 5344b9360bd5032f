from __future__ import annotations

import pytest

from tests.support.stories import Expectation, Story, stories_in
from tianfu.platform.settings import PROJECT_ROOT
from tianfu.policy.decide import decide
from tianfu.policy.load import load

POLICIES = sorted((PROJECT_ROOT / "policies").glob("*.toml"))
CORE = load(PROJECT_ROOT / "policies" / "sichuan-core.toml")
CORE_STORIES = stories_in(PROJECT_ROOT / "policies" / "sichuan-core")


@pytest.mark.parametrize("story", CORE_STORIES, ids=[story.name for story in CORE_STORIES])
def test_a_story_goes_as_it_is_told(story: Story) -> None:
    evidence = [told.statement() for told in story.evidence]

    for expected in story.expect:
        decision = decide(CORE, evidence, expected.at)

        assert expected == Expectation(
            at=expected.at,
            colour=decision.colour.value,
            rules=tuple(reason.rule for reason in decision.reasons),
            popup=decision.popup,
            test=None if decision.test is None else decision.test.result.value,
            next=decision.next_change_at,
        )


@pytest.mark.parametrize("path", POLICIES, ids=[path.stem for path in POLICIES])
def test_every_rule_of_every_policy_has_a_story_in_which_it_begins_and_one_in_which_it_is_over(path: object) -> None:
    policy = next(load(candidate) for candidate in POLICIES if candidate is path)
    stories = stories_in(PROJECT_ROOT / "policies" / policy.name)

    begun = {rule for story in stories for expected in story.expect for rule in expected.rules}
    over = {
        rule
        for story in stories
        for earlier, later in zip(story.expect, story.expect[1:], strict=False)
        for rule in set(earlier.rules) - set(later.rules)
    }

    assert begun == set(policy.by_id)
    assert over == set(policy.by_id)


def test_there_are_enough_stories_and_no_two_share_a_name() -> None:
    names = [story.name for story in CORE_STORIES]

    assert len(names) >= 40
    assert len(set(names)) == len(names)
