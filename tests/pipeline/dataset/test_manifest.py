"""A built tour's manifest holds no pixel, and the same dataset is made from it again."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.contract.errors import BrokenManifest, StageMissing
from pipeline.dataset.index import build_dataset
from pipeline.dataset.manifest import HEADER, export_manifest, manifest_settings, read_header, rebuild
from pipeline.settings import Settings
from pipeline.stages.base import Workbench
from pipeline.store.store import Store


@pytest.fixture
def manifest(copied_tour: Workbench, tmp_path: Path) -> Path:
    build_dataset(copied_tour.video.store, copied_tour.settings.dataset)
    assert export_manifest(copied_tour.video.store, copied_tour.settings, tmp_path / "tour.parquet") == 1
    return tmp_path / "tour.parquet"


def test_a_manifest_names_frames_and_cameras_and_no_secret(copied_tour: Workbench, manifest: Path):
    table = pq.read_table(manifest)
    assert table.num_rows == int(copied_tour.video.read("scene", "registered").sum())
    assert len(table["camera_to_world"][0]) == 16
    assert manifest.stat().st_size < 200_000
    assert "web" not in read_header(manifest).settings["download"]
    assert manifest_settings(read_header(manifest), Settings()) == copied_tour.settings


def test_what_is_there_already_is_compared_and_found_the_same(copied_tour: Workbench, manifest: Path):
    (rebuilt,) = rebuild(manifest, copied_tour.video.store, copied_tour.settings)
    assert rebuilt.difference == ""


def test_another_file_under_the_same_address_is_told(copied_tour: Workbench, manifest: Path):
    table = pq.read_table(manifest)
    changed = table.set_column(table.schema.get_field_index("sha256"), "sha256", pa.array(["0" * 64] * table.num_rows))
    pq.write_table(changed.replace_schema_metadata(table.schema.metadata), manifest)
    (rebuilt,) = rebuild(manifest, copied_tour.video.store, copied_tour.settings)
    assert rebuilt.difference == "its host gives another file now"


@pytest.mark.parametrize("origin", ["/etc/passwd", "file:///etc/passwd", "tour://6", "http://a:b@example.org/"])
def test_a_manifest_that_leads_elsewhere_is_refused(copied_tour: Workbench, manifest: Path, origin: str):
    table = pq.read_table(manifest)
    changed = table.set_column(table.schema.get_field_index("origin"), "origin", pa.array([origin] * table.num_rows))
    pq.write_table(changed.replace_schema_metadata(table.schema.metadata), manifest)
    with pytest.raises(BrokenManifest):
        list(rebuild(manifest, copied_tour.video.store, copied_tour.settings))


def test_what_is_no_manifest_is_refused(tmp_path: Path):
    (tmp_path / "text.parquet").write_text("no manifest")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    pq.write_table(pa.table({"a": [1]}).replace_schema_metadata({HEADER: b"{}"}), tmp_path / "empty.parquet")
    for name in ("text", "other", "empty", "missing"):
        with pytest.raises(BrokenManifest):
            read_header(tmp_path / f"{name}.parquet")
    with pytest.raises(StageMissing):
        export_manifest(Store(tmp_path / "data"), Settings(), tmp_path / "out.parquet")
