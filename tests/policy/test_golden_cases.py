from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.stories import Story, stories_in
from tianfu.platform.settings import PROJECT_ROOT
from tianfu.policy.compile import Policy
from tianfu.policy.decide import decide
from tianfu.policy.load import load
from tianfu.policy.rules import POPUP_DECLARE

FOLDER = PROJECT_ROOT / "policies"
POLICIES = sorted(FOLDER.glob("*.toml"))
TOLD = [(path, story) for path in POLICIES for story in stories_in(FOLDER / path.stem)]


@cache
def policy_at(path: Path) -> Policy:
    return load(path)


@pytest.mark.parametrize(("path", "story"), TOLD, ids=[f"{path.stem}: {story.name}" for path, story in TOLD])
def test_a_story_goes_as_it_is_told(path: Path, story: Story) -> None:
    evidence = story.statements()

    for expected in story.expect:
        assert expected == expected.said_by(decide(policy_at(path), evidence, expected.at))


def begun_and_over(stories: list[Story]) -> tuple[set[str], set[str]]:
    """The rules and popups that some story shows, and those that it later shows no more."""
    begun: set[str] = set()
    over: set[str] = set()
    for story in stories:
        seen = [
            {*expected.rules, *(expected.popups or ()), expected.popup or POPUP_DECLARE} for expected in story.expect
        ]
        begun.update(*seen)
        for earlier, later in pairwise(seen):
            over |= earlier - later
    return begun, over


@pytest.mark.parametrize("path", POLICIES, ids=[path.stem for path in POLICIES])
def test_every_rule_of_every_policy_has_a_story_in_which_it_begins_and_one_in_which_it_is_over(path: Path) -> None:
    policy = policy_at(path)
    begun, over = begun_and_over(stories_in(FOLDER / path.stem))

    # A rule that never colours shows itself by its popups.
    wanted = set()
    for rule in policy.rule_set.rule:
        colours = any(phase.colour is not None for phase in rule.phase)
        wanted |= {rule.id} if colours else {phase.popup for phase in rule.phase if phase.popup is not None}

    assert wanted - begun == set()
    assert wanted - over == set()


def test_there_are_enough_stories_and_no_two_of_a_set_share_a_name() -> None:
    for path in POLICIES:
        names = [story.name for story in stories_in(FOLDER / path.stem)]
        assert len(set(names)) == len(names)

    assert len(stories_in(FOLDER / "sichuan-core")) >= 40
