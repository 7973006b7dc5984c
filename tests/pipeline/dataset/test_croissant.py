"""The dataset's description is what the checker of Croissant and readers of cards accept."""

import hashlib
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from pipeline.bench import refresh
from pipeline.dataset.card import write_card
from pipeline.dataset.index import build_dataset
from pipeline.store.index import index_files, read_summary
from pipeline.store.store import Store
from tests.earlier import FRAMES, VIDEO, unpack_earlier_dataset


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = Store(unpack_earlier_dataset(tmp_path_factory.mktemp("earlier")))
    summary = read_summary(store)
    assert summary is not None
    write_card(store, summary, [VIDEO])
    return Path(store.path("dataset"))


def test_mlcroissant_finds_no_error_and_names_every_column(folder: Path):
    import mlcroissant

    dataset = mlcroissant.Dataset(jsonld=folder / "croissant.json")
    assert dataset.metadata.ctx.issues.errors == set()
    columns = pq.read_schema(folder / "index.parquet").names
    assert [field.name for field in dataset.metadata.record_sets[0].fields] == columns


def test_the_checksum_is_that_of_the_index(folder: Path):
    (file,) = json.loads((folder / "croissant.json").read_text(encoding="utf-8"))["distribution"]
    assert file["sha256"] == hashlib.sha256((folder / file["contentUrl"]).read_bytes()).hexdigest()


def test_the_head_of_the_card_names_a_file_that_is_there(folder: Path):
    _, head, text = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    (files,) = (config["data_files"] for config in yaml.safe_load(head)["configs"])
    assert pq.read_metadata(folder / files[0]).num_rows == FRAMES
    for heading in ("## Weights", "## Known limits", "## How to read it"):
        assert heading in text


def test_of_an_index_of_many_files_those_that_changed_are_hashed_as_they_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(refresh, "ROWS_A_FILE", 20)
    store = refresh.made_up_store(tmp_path, 30, frames=2)
    refresh.change(store, 4, frames=2)
    build_dataset(store, refresh.SETTINGS)
    assert [bool(part.sha256) for part in index_files(store).files] == [True, False, False]
    files = json.loads(store.read_bytes("dataset", "croissant.json"))["distribution"]
    assert len(files) == 3
    for file in files:
        assert file["sha256"] == hashlib.sha256(store.read_bytes("dataset", file["contentUrl"])).hexdigest()
