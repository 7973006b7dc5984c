"""``python -m pipeline.bench``: which benchmarks there are, and where their figures go."""

import importlib
import json
import os
import platform
import subprocess
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from pipeline.bench import __main__ as bench


@pytest.fixture(autouse=True)
def _a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*names: str) -> str:
    app = typer.Typer()
    app.command()(bench.main)
    ended = CliRunner().invoke(app, list(names))
    assert ended.exit_code == 0, ended.output
    return ended.output


def one() -> None:
    """The first."""
    bench._keep("one", "[1]", "| a table |")


def two() -> None:
    """The second."""
    bench._keep("two", "[2]", "| another |")


@pytest.fixture
def _two_benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "BENCHMARKS", {"one": one, "two": two})


def test_the_machine_is_described():
    machine = bench.describe_machine()
    assert machine["cores"] == len(os.sched_getaffinity(0))
    assert machine["python"] == platform.python_version()
    assert all(machine.values())


@pytest.mark.usefixtures("_two_benchmarks")
def test_every_benchmark_is_run_in_turn_and_its_figures_are_kept():
    printed = run()
    assert printed.index("## one: The first.") < printed.index("| a table |") < printed.index("## two: The second.")
    assert json.loads(Path(".bench/one.json").read_text(encoding="utf-8")) == [1]
    assert json.loads(Path(".bench/two.json").read_text(encoding="utf-8")) == [2]
    assert json.loads(Path(".bench/machine.json").read_text(encoding="utf-8")) == bench.describe_machine()


@pytest.mark.usefixtures("_two_benchmarks")
def test_only_those_named_are_run():
    assert "one" not in run("two").replace("none", "")
    assert not Path(".bench/one.json").exists()


@pytest.mark.usefixtures("_two_benchmarks")
def test_a_name_that_is_none_is_refused_with_those_that_are():
    app = typer.Typer()
    app.command()(bench.main)
    ended = CliRunner().invoke(app, ["three"])
    assert ended.exit_code == 2
    assert "three" in ended.output
    assert "one, two" in ended.output


def test_a_benchmark_of_another_process_is_shown_and_returned(capfd: pytest.CaptureFixture[str]):
    printed = bench._run("platform")
    assert printed.strip() == platform.platform(False, False)
    assert capfd.readouterr().out.strip() == printed.strip()


def test_a_benchmark_that_fails_stops_the_run():
    with pytest.raises(subprocess.CalledProcessError):
        bench._run("pipeline.bench.nothing")


def test_every_benchmark_says_what_it_measures_and_its_module_is_there():
    assert all(function.__doc__ for function in bench.BENCHMARKS.values())
    modules = ("alignment", "card_hours", "clip", "ingest", "query", "stages", "views", "voxelize")
    assert set(modules) <= set(bench.BENCHMARKS)
    for name in modules:
        module = importlib.import_module(f"pipeline.bench.{name}")
        assert hasattr(module, "main") or hasattr(module, "benchmark")
