"""Texts: every combination fits its form, and none says anything about the case or an unannounced place."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.support.followed import NINTH
from tianfu.errors import InputInvalidError
from tianfu.evidence.kinds import ContactSetting
from tianfu.platform.settings import PROJECT_ROOT
from tianfu.tracing.followup.schedule import Schedule
from tianfu.tracing.model import Tier
from tianfu.tracing.notices.texts import (
    LONG_CHARACTERS_MAX,
    SHORT_CHARACTERS_MAX,
    Audience,
    Form,
    Told,
    contact_text,
    load,
    place_text,
)

FILE = PROJECT_ROOT / "policies" / "tracing" / "texts" / "notices.toml"
TEXTS = load(FILE)
SCHEDULES = [NINTH[Tier.CLOSE], NINTH[Tier.SECONDARY], Schedule(rules="none")]
TESTS = tuple(date(2022, 12, day) for day in (21, 22, 23, 25, 27, 30))


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("form", Form)
def test_every_combination_fits_and_leaves_nothing_open(form: Form, language: str) -> None:
    most = SHORT_CHARACTERS_MAX[language] if form is Form.SHORT else LONG_CHARACTERS_MAX
    combinations = itertools.product(
        Tier, ContactSetting, SCHEDULES, Audience, (None, "春熙路某某大型购物中心三层中央厨房餐厅")
    )
    for tier, setting, schedule, audience, announced in combinations:
        told = Told(
            tier=tier,
            setting=setting.value,
            schedule=schedule,
            last_exposure=date(2022, 12, 28),
            tests=TESTS,
            announced=announced,
            audience=audience,
        )

        text = contact_text(TEXTS, told, form=form, language=language)

        assert 0 < len(text) <= most
        assert "{" not in text
        assert "\n\n" not in text


def test_the_place_is_withheld_until_it_was_announced() -> None:
    told = Told(tier=Tier.CLOSE, setting="meal", schedule=SCHEDULES[0], last_exposure=date(2022, 3, 1), tests=TESTS)
    open_told = Told(
        tier=Tier.CLOSE, setting="meal", schedule=SCHEDULES[0], last_exposure=date(2022, 3, 1), announced="某餐厅"
    )

    withheld = contact_text(TEXTS, told, form=Form.LONG, language="zh")
    announced = contact_text(TEXTS, open_told, form=Form.LONG, language="zh")

    assert "不告知人员和具体地点" in withheld
    assert "某餐厅" in announced
    assert "12月21日、12月22日" in withheld
    assert "检测日" not in announced


def test_guardians_are_spoken_to_about_the_one_in_their_care() -> None:
    said = {
        audience: contact_text(
            TEXTS,
            Told(
                tier=Tier.CLOSE,
                setting="school",
                schedule=SCHEDULES[0],
                last_exposure=date(2022, 3, 1),
                audience=audience,
            ),
            form=Form.LONG,
            language="en",
        )
        for audience in Audience
    }

    assert "The child in your care has been named a close contact" in said[Audience.CHILD]
    assert "One parent may stay" in said[Audience.CHILD]
    assert "The person you care for has been named" in said[Audience.ELDER]
    assert "You have been named a close contact, last exposed on 1 March." in said[Audience.SELF]


def test_a_place_is_announced_with_day_hours_and_what_to_do() -> None:
    begins = datetime(2022, 3, 1, 4, 10, tzinfo=UTC)

    short = place_text(
        TEXTS, place="春熙路某餐厅", begins=begins, ends=begins.replace(hour=6), form=Form.SHORT, language="zh"
    )
    night = place_text(TEXTS, place="a bar", begins=begins, ends=begins.replace(hour=17), form=Form.LONG, language="en")

    assert "3月1日12:10至14:10去过春熙路某餐厅" in short
    assert len(short) <= SHORT_CHARACTERS_MAX["zh"]
    assert "12:10 to 2 March 01:10" in night
    assert "take a test" in night


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{subject}被判定为密切接触者", "{name}被判定为密切接触者"),
        ("[tier.general]", "[tier.somebody]"),
        ("format = 1", "format = 2"),
        ("hotline =", "telephone ="),
    ],
)
def test_a_file_that_would_tell_something_else_is_refused(tmp_path: Path, old: str, new: str) -> None:
    changed = tmp_path / "notices.toml"
    body = FILE.read_text(encoding="utf-8")
    assert old in body
    changed.write_text(body.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(InputInvalidError):
        load(changed)
