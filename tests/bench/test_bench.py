from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import comparison, positive
from bench.__main__ import NAMES
from bench.process import Server
from bench.stage import Stage
from bench.world import World
from tianfu.platform.keyring import GateKeys
from tianfu.platform.settings import PROJECT_ROOT

FIELDS = {"name", "figure", "unit", "target", "verdict", "baseline", "ratio"}


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from tianfu.cli.main import main; main()", "bench", *arguments],
        cwd=PROJECT_ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_every_budget_prints_figure_target_verdict_and_baseline_and_refuses_nobody() -> None:
    done = bench("show", "scan", "check", "--json", "--people", "1000", "--seconds", "0.2")

    assert done.returncode == 0, done.stderr
    figures = [json.loads(line) for line in done.stdout.splitlines()]
    assert [figure["name"] for figure in figures] == ["show", "scan", "check"]
    for figure in figures:
        assert set(figure) >= FIELDS
        assert figure["refused"] == 0
        assert figure["figure"] > 0
        assert figure["baseline"] > 0
        reached = figure["figure"] >= figure["target"] and figure["ratio"] >= figure["ratio_target"]
        assert figure["verdict"] == ("met" if reached else "below")


@pytest.mark.slow
def test_latency_two_gates_a_crowd_and_the_usual_stack_are_lines_of_the_same_run() -> None:
    wanted = ("show-valid", "usual", "check-p99", "two", "overload", "flood")
    done = bench(*wanted, "--json", "--quick", "--people", "1000", "--seconds", "0.5", "--storm-seconds", "2")

    assert done.returncode == 0, done.stderr
    figures = {figure["name"]: figure for figure in map(json.loads, done.stdout.splitlines())}
    assert list(figures) == [
        *("show-valid", "usual-show", "usual-scan", "usual-check", "check-p99"),
        *("two-show", "two-scan", "two-check", "overload", "flood"),
    ]
    for figure in figures.values():
        assert set(figure) >= FIELDS - {"ratio"}
        assert figure["figure"] > 0
        assert figure["baseline"]
        assert "REFUSED" not in figure["note"]
    for name in ("usual-show", "usual-scan", "usual-check"):
        assert figures[name]["verdict"] == ("met" if figures[name]["figure"] >= 1 else "below")
        assert "FAILED" not in figure["note"]
    assert "recovery" in figures["overload"]["note"]


def test_a_budget_without_a_gate_prints_the_same_things() -> None:
    done = bench("decide", "--json")

    assert done.returncode == 0, done.stderr
    (figure,) = (json.loads(line) for line in done.stdout.splitlines())
    assert set(figure) >= FIELDS - {"ratio"}
    assert figure["figure"] > 0
    assert figure["verdict"] == ("met" if figure["figure"] >= figure["target"] else "below")


def test_without_its_packages_the_comparison_is_left_out_and_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    nobody = Server(port=0, pid=0)
    world = World(tmp_path, GateKeys.load_or_create(tmp_path / "gate.json"), [], [], [], [], 0)

    lines = comparison.measure(Stage(world, nobody, nobody, {}, seconds=1, rounds=1, storm_seconds=1))

    assert list(lines) == []
    assert "make bench" in capsys.readouterr().err


def test_from_a_positive_to_the_list_the_slowest_round_counts() -> None:
    quick, slow = positive.Round(0.5, 1.0, 2.0), positive.Round(0.9, 3.0, 61.0)

    met, below = positive.summary([quick, quick]), positive.summary([quick, slow])

    assert (met.figure, met.verdict, below.figure, below.verdict) == (2.0, "met", 61.0, "below")
    assert "0.5/0.7/0.9 s" in below.baseline
    assert positive.NAME in NAMES


def test_an_unknown_budget_is_refused_with_the_names_there_are() -> None:
    done = bench("nonsense")

    assert done.returncode != 0
    assert "show" in done.stderr
