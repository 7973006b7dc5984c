from pathlib import Path

import pytest
from typer.testing import CliRunner

from models.weights.registry import WEIGHTS, WeightFile
from pipeline.cli.app import command_line
from pipeline.settings import load_settings
from pipeline.stages.needed_weights import needed_weights
from tests.models.weights.server import CONTENT, running

NEEDED = [weights.name for weights in needed_weights(load_settings("open"))]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("YOUTUBE_OCC_WEIGHTS", str(tmp_path))
    return tmp_path


def test_all_weights_of_a_profile_are_fetched_their_sizes_and_licences_first(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    with running() as server:
        for name in NEEDED:
            here = WeightFile(name, f"{name}.bin", (server.url(f"/whole?{name}"),), 3 << 20, None, "MIT", "any")
            monkeypatch.setitem(WEIGHTS, name, here)
        first = CliRunner().invoke(command_line(), ["weights", "fetch", "--profile", "open"])
        again = CliRunner().invoke(command_line(), ["weights", "fetch", "--profile", "open"])
    assert first.exit_code == 0, first.output
    assert f"{NEEDED[1]}  3 MB  to fetch  MIT" in first.output
    assert f"commercial use of {NEEDED[1]}: not stated; any" in first.output, "nothing that is not stated is free"
    assert "profile open: 4 of 4 files to fetch, 13 MB" in first.output
    assert all((folder / f"{name}.bin").read_bytes() == CONTENT for name in NEEDED)
    assert "profile open: 0 of 4 files to fetch, 0 MB" in again.output


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("arguments", [[], ["da3_small", "--profile", "open"]])
def test_names_or_a_profile_are_asked_for_and_not_both(arguments: list[str]):
    refused = CliRunner().invoke(command_line(), ["weights", "fetch", *arguments])
    assert refused.exit_code == 2
    assert "either names of weights or a --profile" in refused.output


@pytest.mark.usefixtures("folder")
def test_names_are_fetched_as_before():
    fetched = CliRunner().invoke(command_line(), ["weights", "fetch", "indoor_small"])
    assert fetched.exit_code == 0
    assert fetched.output.endswith("indoor_small.safetensors\n")


@pytest.mark.usefixtures("folder")
def test_the_list_says_of_every_file_whether_commercial_use_is_allowed():
    rows = CliRunner().invoke(command_line(), ["weights", "list"]).output.splitlines()
    for name, use in {
        "san_vit_b_16": "not stated",
        "dust3r_vitl_512_dpt": "forbidden",
        "moge_small": "allowed",
    }.items():
        (row,) = (row for row in rows if row.startswith(f"{name} "))
        assert row.endswith(f" commercial use {use}")


def test_a_host_that_is_away_keeps_no_other_file_from_being_fetched(folder: Path, monkeypatch: pytest.MonkeyPatch):
    with running() as server:
        for name in NEEDED:
            url = "http://127.0.0.1:9/gone" if name == NEEDED[0] else server.url(f"/whole?{name}")
            monkeypatch.setitem(WEIGHTS, name, WeightFile(name, f"{name}.bin", (url,), 3 << 20, None, "MIT", "any"))
        fetched = CliRunner().invoke(command_line(), ["weights", "fetch", "--profile", "open"])
    assert fetched.exit_code != 0
    assert all((folder / f"{name}.bin").read_bytes() == CONTENT for name in NEEDED[1:])
    assert not (folder / f"{NEEDED[0]}.bin").exists()
    said = fetched.output if fetched.exception is None else f"{fetched.output}{fetched.exception}"
    assert f"1 of 4 files are missing: weights {NEEDED[0]}" in said
    assert "http://127.0.0.1:9/gone: nobody takes the connection" in said
    assert "HTTPConnection" not in said
