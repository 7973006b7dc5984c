import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from models.cli import app
from models.own_folder import own_folder
from models.weights import cache
from models.weights.contents import checksum
from models.weights.folder import TRANSFERS
from models.weights.registry import WEIGHTS, WeightFile
from tests.models.weights.server import CONTENT, running
from tests.paths import ROOT

SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("YOUTUBE_OCC_WEIGHTS", str(tmp_path))
    return tmp_path


def in_a_process_of_its_own(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *command], check=False, capture_output=True, text=True, cwd=ROOT, env=environment
    )


@pytest.mark.parametrize("arguments", [["--help"], ["weights", "--help"], ["weights", "fetch", "--help"]])
def test_help_loads_neither_networks_nor_a_web_client(arguments: list[str]):
    code = f"""
import sys
from models.cli import app
app({arguments}, standalone_mode=False)
print(sorted({{"torch", "numpy", "urllib3", "safetensors", "transformers"}} & set(sys.modules)))
"""
    shown = in_a_process_of_its_own("-c", code)
    assert "weights" in shown.stdout
    assert shown.stdout.splitlines()[-1] == "[]", shown.stderr


def test_listing_loads_no_networks(cache_folder: Path):
    code = (
        "import sys; from models.cli import app; app(['weights', 'list'], standalone_mode=False); print(*sys.modules)"
    )
    listed = in_a_process_of_its_own("-c", code)
    assert "torch" not in listed.stdout.splitlines()[-1].split(), listed.stderr
    assert list(cache_folder.iterdir()) == []


def test_the_module_is_the_command_and_says_in_its_exit_code_whether_it_succeeded():
    missing = in_a_process_of_its_own("-m", "models", "weights", "verify", "dust3r_vitl_512_dpt")
    assert missing.returncode == 1
    assert missing.stdout == ""
    assert missing.stderr.startswith("dust3r_vitl_512_dpt is not in the cache; fetch it with: python -m models weights")


def test_all_registered_and_shipped_weights_are_listed_with_what_is_cached(cache_folder: Path):
    (cache_folder / "dinov2_small.safetensors").touch()
    listed = CliRunner().invoke(app, ["weights", "list"]).output.splitlines()
    rows = {line.split()[0]: line for line in listed if not line.startswith(" ")}
    assert {*WEIGHTS, *cache.shipped()} == set(rows)
    assert max(map(len, rows.values())) <= 80
    assert " cached " in rows["dinov2_small"]
    assert " not here " in rows["dinov2_base"]
    assert " shipped " in rows["indoor_small"]
    assert "2.29 GB" in rows["dust3r_vitl_512_dpt"]
    assert WEIGHTS["dust3r_vitl_512_dpt"].licence in listed[listed.index(rows["dust3r_vitl_512_dpt"]) + 1]


LISTED = [*WEIGHTS, *cache.shipped()]


@pytest.mark.parametrize("name", LISTED)
def test_every_name_of_the_list_is_verified_or_said_to_be_missing_with_what_to_do(name: str):
    said = CliRunner().invoke(app, ["weights", "verify", name])
    if name in WEIGHTS:
        assert said.exit_code == 1
        assert f"{name} is not in the cache; fetch it with: python -m models weights fetch {name}" in said.output
    else:
        assert said.output == f"{checksum(cache.SHIPPED / f'{name}.safetensors')}  {name}\n"


@pytest.mark.parametrize("name", WEIGHTS)
def test_every_registered_file_in_the_cache_is_compared_or_trusted(cache_folder: Path, name: str):
    (cache_folder / WEIGHTS[name].file_name).write_bytes(CONTENT)
    said = CliRunner().invoke(app, ["weights", "verify", name])
    stated = bool(WEIGHTS[name].checksums)
    assert said.exit_code == int(stated)
    assert ("not what it should be" if stated else f"{SHA256}  {name}") in said.output


@pytest.mark.parametrize("name", cache.shipped())
def test_shipped_files_that_are_damaged_gone_or_strange_are_said_to_be(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(cache, "SHIPPED", tmp_path)
    gone = CliRunner().invoke(app, ["weights", "verify", name])
    assert (gone.exit_code, "install this package again" in gone.output) == (1, True)
    for strange in (name, f"{name}_of_mine"):
        (tmp_path / f"{strange}.safetensors").write_bytes(b"x")
        damaged = CliRunner().invoke(app, ["weights", "verify", strange])
        assert damaged.exit_code == 1
        assert f"found {hashlib.sha256(b'x').hexdigest()}" in damaged.output


@pytest.mark.parametrize("command", ["fetch", "verify"])
def test_an_unknown_name_is_told_all_names_of_the_list(command: str):
    said = CliRunner().invoke(app, ["weights", command, "no_such"])
    assert said.exit_code == 1
    assert all(name in said.output for name in LISTED)


def test_an_unknown_name_is_complained_of_and_none_at_all_is_a_usage_error():
    unknown = CliRunner().invoke(app, ["weights", "fetch", "no_such"])
    assert unknown.exit_code == 1
    assert "no weights are called 'no_such'" in unknown.output
    assert CliRunner().invoke(app, ["weights", "fetch"]).exit_code == 2


def test_shipped_weights_are_there_without_a_download(cache_folder: Path):
    fetched = CliRunner().invoke(app, ["weights", "fetch", "indoor_small"])
    assert fetched.output == f"{cache.SHIPPED / 'indoor_small.safetensors'}\n"
    assert list(cache_folder.iterdir()) == []


def test_weights_are_fetched_with_resume_and_verified(cache_folder: Path, monkeypatch: pytest.MonkeyPatch):
    (own_folder(cache_folder, TRANSFERS) / "toy.pth.part").write_bytes(CONTENT[:1000])
    with running() as server:
        urls = server.url("/cut"), server.url("/whole")
        monkeypatch.setitem(WEIGHTS, "toy", WeightFile("toy", "toy.pth", urls, len(CONTENT), SHA256, "MIT", "anything"))
        fetched = CliRunner().invoke(app, ["weights", "fetch", "toy"])
    assert fetched.exit_code == 0
    assert (cache_folder / "toy.pth").read_bytes() == CONTENT
    assert server.ranges[0] == "bytes=1000-"
    verified = CliRunner().invoke(app, ["weights", "verify", "toy"])
    assert verified.output.split()[:2] == [SHA256, "toy"]
    (cache_folder / "toy.pth").write_bytes(CONTENT[1:])
    damaged = CliRunner().invoke(app, ["weights", "verify", "toy"])
    assert damaged.exit_code == 1
    assert f"expected {SHA256}" in damaged.output.replace("\n", "")
