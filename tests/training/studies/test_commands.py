"""The studies' commands on a dataset that a release made: a tour of six frames, and its copy under another name."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipeline.contract.errors import NoEmbeddings, PipelineError
from pipeline.dataset.index import build_dataset
from pipeline.settings import DatasetSettings
from pipeline.store.store import Store
from pipeline.tours.seeds import ROOM_SEEDS
from tests.earlier import VIDEO, unpack_earlier_dataset
from tests.pipeline.renamed import copy_video
from tests.training.rooms import RoomFrames, stored_frames
from training.checkpoints import NetworkDescription, new_network, save_network
from training.cli import app
from training.data.export import with_nyu_camera, write_room
from training.errors import UnusableDataset, WrongCheckpoint

QUICK = ("--set", "every=6", "--set", "test_rooms=2", "--set", "probe.voxels=60", "--set", "probe.ridges=[0.1]")


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def refused(*words: str) -> PipelineError:
    """Run a command; return the error that ``main`` says in one line."""
    error = run(*words).exception
    assert isinstance(error, PipelineError)
    return error


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = unpack_earlier_dataset(tmp_path_factory.mktemp("tours"))
    copy_video(Store(folder), VIDEO, "tour-6")
    build_dataset(Store(folder), DatasetSettings())
    return folder


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two rooms of two houses to score."""
    folder = tmp_path_factory.mktemp("rooms")
    names = [f"NYU{seed}_0000" for seed in ROOM_SEEDS["test"][:2]]
    for seed, name in enumerate(names):
        write_room(with_nyu_camera(RoomFrames(1, seed=seed)[0]), folder, "test", name)
    (folder / "NYUtest.txt").write_text("\n".join(names))
    return folder


@pytest.fixture
def network(tmp_path: Path) -> str:
    found = new_network("tiny", 12)
    described = NetworkDescription(network=found.config, task="supervised", data="none", settings={}, steps=0)
    save_network(tmp_path / "network", found, described)
    return str(tmp_path / "network")


def test_labels_are_told_apart_by_what_they_are_worth_to_every_network(
    data: Path, rooms: Path, network: str, tmp_path: Path
):
    words = ("label_worth", network, "--data", str(data), "--rooms", str(rooms), "--out", str(tmp_path / "out"))
    ended = run(*words, *QUICK)
    assert ended.exit_code == 0, ended.output
    report = (tmp_path / "out" / "worth.md").read_text()
    assert report in ended.stdout
    assert report.startswith("2 frames, networks: 1;")
    for kind in ("as built", "exact scale", "exact depth, names", "as built, by scale_sigma"):
        assert f"\n| {kind} | " in report
    assert "grids" in ended.stdout, "how far it is"
    assert (tmp_path / "out" / "worth.json").exists()


def test_names_are_lost_somewhere(data: Path):
    ended = run("lost_names", "--data", str(data), "--set", "every=3", "--set", "voxels=40")
    assert ended.exit_code == 0, ended.output
    assert "random values: 160 voxels of dataset" in ended.stdout
    for rung in ("voxels with that target", "direction, linear, classes alike", "name, linear, voxels alike"):
        assert f"| {rung} | " in ended.stdout


def test_one_tour_holds_nothing_out(tmp_path: Path):
    data = str(unpack_earlier_dataset(tmp_path))
    assert isinstance(refused("label_worth", "--data", data, "--out", str(tmp_path)), UnusableDataset)
    assert isinstance(refused("lost_names", "--data", data), UnusableDataset)


def test_what_cannot_be_asked_is_said_by_name(data: Path, rooms: Path, tmp_path: Path):
    nothing = str(tmp_path / "nothing")
    for command in ("label_worth", "lost_names"):
        missing = refused(command, nothing, "--data", str(data))
        assert isinstance(missing, WrongCheckpoint)
        assert "holds no finished network" in str(missing)
        assert isinstance(refused(command, "--data", nothing), UnusableDataset)
    filmed = tmp_path / "filmed"
    stored_frames(filmed)
    copy_video(Store(filmed), "room", "room-2")
    build_dataset(Store(filmed), DatasetSettings())
    worth = refused("label_worth", "--data", str(filmed), "--rooms", str(rooms), "--out", nothing)
    assert isinstance(worth, UnusableDataset)
    assert "is no rendered tour" in str(worth)
    assert isinstance(refused("lost_names", "--data", str(filmed)), NoEmbeddings)
