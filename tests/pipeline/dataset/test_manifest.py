"""A built tour's manifest holds no pixel, and the same dataset is made from it again."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.contract.errors import BrokenManifest, MixedDataset, StageMissing
from pipeline.contract.scale import ScaleCue
from pipeline.dataset.index import build_dataset
from pipeline.dataset.manifest import HEADER, Rebuilt, _expected, export_manifest, read_recipe, rebuild
from pipeline.dataset.recipe import recipe_of
from pipeline.settings import Layer, load_settings, resolve
from pipeline.sources.catalog.catalog import Catalog
from pipeline.stages.base import Workbench
from pipeline.stages.registry import stages
from pipeline.store.store import Store
from tests.pipeline.renamed import copy_video
from tests.pipeline.small_tour import small_workbench


@pytest.fixture
def manifest(copied_tour: Workbench, tmp_path: Path) -> Path:
    build_dataset(copied_tour.video.files, copied_tour.settings.dataset)
    assert export_manifest(copied_tour.video.files, copied_tour.catalog, tmp_path / "tour.parquet") == 1
    return tmp_path / "tour.parquet"


def rebuilt(tour: Workbench, manifest: Path) -> Rebuilt:
    (found,) = rebuild(manifest, tour.video.files, tour.catalog, tour.settings)
    return found


def with_column(manifest: Path, name: str, value: Any) -> None:
    table = pq.read_table(manifest)
    changed = table.set_column(table.schema.get_field_index(name), name, pa.array([value] * table.num_rows))
    pq.write_table(changed.replace_schema_metadata(table.schema.metadata), manifest)


def with_recipe(manifest: Path, change: Any) -> None:
    table = pq.read_table(manifest)
    recipe = json.loads(table.schema.metadata[HEADER])
    change(recipe)
    pq.write_table(table.replace_schema_metadata({HEADER: json.dumps(recipe).encode()}), manifest)


def test_a_manifest_names_frames_and_cameras_and_no_secret(copied_tour: Workbench, manifest: Path):
    table = pq.read_table(manifest)
    assert table.num_rows == int(copied_tour.video.read("scene", "registered").sum())
    assert len(table["camera_to_world"][0]) == 16
    assert manifest.stat().st_size < 200_000
    assert "web" not in read_recipe(manifest).stages["video"].settings


def test_it_is_written_on_two_cores_when_no_variable_holds_arrow_to_one(copied_tour: Workbench, tmp_path: Path):
    build_dataset(copied_tour.video.files, copied_tour.settings.dataset)
    code = (
        "import sys, pyarrow; pyarrow.set_cpu_count(2); from pathlib import Path; "
        "from pipeline.dataset.manifest import export_manifest; from pipeline.sources.catalog.catalog import Catalog; "
        "from pipeline.store.store import Store; store = Store(sys.argv[1]); "
        "print(export_manifest(store, Catalog(store), Path(sys.argv[2])))"
    )
    command = [sys.executable, "-c", code, str(copied_tour.video.files.root), str(tmp_path / "two.parquet")]
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout.strip()) == (0, "1"), ended.stderr


def test_it_says_how_the_videos_were_made_and_not_what_holds_today(copied_tour: Workbench, manifest: Path):
    recipe = read_recipe(manifest)
    assert recipe == recipe_of(copied_tour.video)
    assert recipe.stages["clips"].settings["frames_per_second"] == 4.0
    again = resolve(Layer("the manifest", values=recipe.values())).settings
    assert recipe.against(again) == []
    assert "threads" not in recipe.stages["reconstruction"].settings["colmap"]


def test_what_is_there_already_is_compared_and_found_the_same(copied_tour: Workbench, manifest: Path):
    assert rebuilt(copied_tour, manifest).difference == ""


def test_a_row_group_of_any_size_is_refused_before_it_is_read(copied_tour: Workbench, manifest: Path):
    """A hundred million equal numbers in one row take a few kilobytes on disk and 400 MB once they are read."""
    table = pq.read_table(manifest)
    voxels = pa.ListArray.from_arrays([0, 100_000_000], pa.array(np.zeros(100_000_000, np.int32)))
    row = table.slice(0, 1).set_column(table.schema.get_field_index("voxels"), "voxels", voxels)
    pq.write_table(row.replace_schema_metadata(table.schema.metadata), manifest)
    assert manifest.stat().st_size < 100_000
    with pytest.raises(BrokenManifest, match="row_group_bytes_max"):
        rebuilt(copied_tour, manifest)


def test_another_file_under_the_same_address_is_told(copied_tour: Workbench, manifest: Path):
    with_column(manifest, "sha256", "0" * 64)
    assert rebuilt(copied_tour, manifest).difference == "its host gives another file now"


def test_a_manifest_of_an_earlier_release_lacks_what_is_known_of_scales_and_reads_all_the_same(manifest: Path):
    table = pq.read_table(manifest)
    assert 0 < table["scale_sigma"][0].as_py() < 1
    assert 0.5 < table["camera_height"][0].as_py() < 3
    cues = {str(cue.name).lower() for cue in ScaleCue}
    assert {"camera_height"} < set(table["scale_cues"][0].as_py().split("+")) < cues
    earlier = table.drop_columns(["scale_sigma", "camera_height", "scale_cues"])
    pq.write_table(earlier.replace_schema_metadata(table.schema.metadata), manifest)
    (read,) = _expected(manifest, 2**24)
    assert read["scale_sigma"].to_pylist() == [None] * table.num_rows
    assert read["voxels"].equals(table["voxels"])


def test_other_weights_and_other_code_are_told(copied_tour: Workbench, manifest: Path):
    def change(recipe: dict[str, Any]) -> None:
        recipe["stages"]["semantics"]["weights"] = {"san.pth": "0" * 64}
        recipe["stages"]["scene"]["code_version"] = "1"

    with_recipe(manifest, change)
    difference = rebuilt(copied_tour, manifest).difference
    assert "semantics used other weights (san.pth)" in difference
    assert f"scene has code version {stages()['scene'].code_version} instead of 1" in difference


def test_videos_made_in_different_ways_are_refused_by_name(copied_tour: Workbench, tmp_path: Path):
    catalog, store = copied_tour.catalog, Store(copied_tour.video.files.root)
    small_workbench(Path(store.root), "tour://6")
    copy_video(store, copied_tour.video.video_id, "tour-6")
    build_dataset(store, copied_tour.settings.dataset)
    assert export_manifest(store, catalog, tmp_path / "same.parquet") == 2
    frames = Path(store.path("videos", "tour-6", "scene.zarr", "frames", "zarr.json"))
    content = json.loads(frames.read_text(encoding="utf-8"))
    content["attributes"]["settings"]["threshold"] = 0.25
    frames.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(MixedDataset, match=r"tour-6 was not made as tour-5 was.*indoor_clips\.threshold is 0\.25"):
        export_manifest(store, catalog, tmp_path / "mixed.parquet")
    assert not (tmp_path / "mixed.parquet").exists()


@pytest.mark.parametrize("origin", ["/etc/passwd", "file:///etc/passwd", "tour://6", "http://a:b@example.org/"])
def test_a_manifest_that_leads_elsewhere_is_refused(copied_tour: Workbench, manifest: Path, origin: str):
    with_column(manifest, "origin", origin)
    with pytest.raises(BrokenManifest):
        rebuilt(copied_tour, manifest)


@pytest.mark.parametrize(
    ("stage", "name", "value"),
    [
        ("video", "web", {"private_addresses": True}),
        ("video", "bytes_max", 2048),
        ("semantics", "san", {"features": "/home"}),
        ("cinema", "seats", 3),
    ],
)
def test_a_manifest_that_sets_more_than_results_is_refused(manifest: Path, stage: str, name: str, value: Any):
    def change(recipe: dict[str, Any]) -> None:
        known = recipe["stages"].setdefault(stage, {"settings": {}, "code_version": "1"})
        known["settings"][name] = value

    with_recipe(manifest, change)
    with pytest.raises(BrokenManifest, match=r"no manifest may give|no stage"):
        read_recipe(manifest).check_decisive(load_settings())


def test_what_is_no_manifest_is_refused(tmp_path: Path):
    (tmp_path / "text.parquet").write_text("no manifest")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "other.parquet")
    for name, header in (("empty", b"{}"), ("first", b'{"version": 1, "settings": {}, "code_versions": {}}')):
        pq.write_table(pa.table({"a": [1]}).replace_schema_metadata({HEADER: header}), tmp_path / f"{name}.parquet")
    for name in ("text", "other", "empty", "first", "missing"):
        with pytest.raises(BrokenManifest, match=name):
            read_recipe(tmp_path / f"{name}.parquet")
    empty = Store(tmp_path / "data")
    with pytest.raises(StageMissing):
        export_manifest(empty, Catalog(empty), tmp_path / "out.parquet")


def test_local_settings_that_do_not_decide_stay_local(manifest: Path):
    recipe = read_recipe(manifest)
    mine = {"video": {"web": {"interval_s": 7}}, "clips": {"frames_per_second": 9}}
    chosen = resolve(Layer("the manifest", values=recipe.values()), Layer("here", values=mine)).settings
    assert (chosen.video.web.interval_s, chosen.clips.frames_per_second) == (7, 4.0)
    recipe.check_decisive(chosen)
    assert load_settings().video.web.interval_s != 7


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("video_id", None),
        ("origin", True),
        ("segments", 1.5),
        ("segments", [[1.0]]),
        ("segments", [[1.0, None]]),
        ("clip_id", "x"),
        ("camera_to_world", [1.0] * 15),
        ("camera_to_world", [None] * 16),
        ("voxels", None),
        ("voxels", [1]),
        ("sha256", b"\xff"),
    ],
)
def test_a_column_of_something_else_is_refused_before_anything_is_fetched(
    copied_tour: Workbench, manifest: Path, name: str, value: Any
):
    before = copied_tour.catalog.video_ids()
    with_column(manifest, name, value)
    with pytest.raises(BrokenManifest):
        rebuilt(copied_tour, manifest)
    assert copied_tour.catalog.video_ids() == before


@pytest.mark.parametrize(
    "name", ["video_id", "origin", "segments", "sha256", "frame_index", "camera_to_world", "voxels"]
)
def test_a_column_that_is_not_there_or_twice_is_told(copied_tour: Workbench, manifest: Path, name: str):
    table = pq.read_table(manifest)
    pq.write_table(table.drop_columns([name]), manifest)
    with pytest.raises(BrokenManifest, match="other columns"):
        rebuilt(copied_tour, manifest)
    pq.write_table(table.append_column(name, table[name]), manifest)
    with pytest.raises(BrokenManifest, match="other columns"):
        rebuilt(copied_tour, manifest)
