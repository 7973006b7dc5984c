"""A JavaScript runtime is found, runs a script, or is missed in words that say what to install."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline.contract.errors import NoScriptRuntime
from pipeline.sources.web import runtimes
from pipeline.sources.web.runtimes import JavaScriptRuntime, check_runs, found_runtime
from pipeline.sources.web.settings import WebSettings


def program(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_the_runtime_that_comes_with_the_extra_is_found_and_runs_a_script():
    runtime = found_runtime(WebSettings())
    assert runtime.name == "deno"
    assert Path(runtime.path).is_file()
    assert int(runtime.version.split(".")[0]) >= 2
    check_runs(runtime)


def test_a_runtime_that_is_named_by_its_path_is_taken_and_the_first_goes_first(tmp_path: Path):
    path = found_runtime(WebSettings()).path
    assert found_runtime(WebSettings(js_runtimes=(f"node:{tmp_path}/none", f"deno:{path}"))).path == path


@pytest.mark.parametrize("script", ["exit 1", "echo deno 1.40.0"])
def test_what_is_missing_or_too_old_is_said_with_what_to_install(tmp_path: Path, script: str):
    with pytest.raises(NoScriptRuntime, match=r"not there|too old \(1.40.0\)") as missed:
        found_runtime(WebSettings(js_runtimes=(f"deno:{program(tmp_path / 'deno', script)}",)))
    assert "pip install 'youtube-occ[web]'" in str(missed.value)


def test_no_runtime_at_all_is_said():
    with pytest.raises(NoScriptRuntime, match="names none"):
        found_runtime(WebSettings(js_runtimes=()))


@pytest.mark.parametrize("script", ["exit 3", "echo 41", "sleep 60"])
def test_a_runtime_that_runs_nothing_is_told_within_a_time_limit(
    tmp_path: Path, script: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(runtimes, "LIMIT_S", 1.0)
    with pytest.raises(NoScriptRuntime, match="does not"):
        check_runs(JavaScriptRuntime("node", program(tmp_path / "node", f"exec {script}"), "22"))
    with pytest.raises(NoScriptRuntime, match="cannot be run"):
        check_runs(JavaScriptRuntime("node", str(tmp_path / "nothing"), "22"))


@pytest.mark.parametrize(
    "values",
    [{"js_runtimes": ["python"]}, {"js_runtimes": ["deno:"]}, {"cookies_browser": "lynx"}, {"player_client": ["a b"]}],
)
def test_names_that_nothing_has_are_refused(values: dict[str, object]):
    with pytest.raises(ValidationError):
        WebSettings.model_validate(values)
