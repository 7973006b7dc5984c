import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.contract.errors import BrokenManifest, StageMissing
from pipeline.dataset.manifest import HEADER
from tests.earlier import FRAMES, VIDEO
from tests.foreign import contents

from .runs import output, run


@pytest.fixture
def manifest(data: Path) -> Path:
    output("manifest", "tours.parquet", "--data", data)
    return Path("tours.parquet")


def test_a_manifest_names_every_frame_and_holds_no_pixel(data: Path):
    shown = output("manifest", "tours.parquet", "--data", data)
    assert shown.startswith("1 videos in tours.parquet")
    table = pq.read_table("tours.parquet")
    assert (table.num_rows, table["video_id"].unique().to_pylist()) == (FRAMES, [VIDEO])
    assert HEADER in table.schema.metadata
    assert Path("tours.parquet").stat().st_size < 100_000


def test_a_folder_without_a_dataset_has_no_manifest(tmp_path: Path):
    with pytest.raises(StageMissing):
        run("manifest", "tours.parquet", "--data", tmp_path / "nothing")
    assert not Path("tours.parquet").exists()


def test_what_is_there_already_is_found_the_same_and_indexed(data: Path, manifest: Path):
    (data / "dataset" / "index.parquet").unlink()
    shown = output("rebuild", manifest, "--data", data, "--yes")
    assert f"{VIDEO}: {FRAMES} frames, as they were" in shown
    assert f"1 videos, 1 clips, {FRAMES} frames" in shown
    assert (data / "dataset" / "index.parquet").exists()


def test_settings_that_differ_are_shown_and_without_consent_nothing_is_done(
    data: Path, manifest: Path, monkeypatch: pytest.MonkeyPatch
):
    before = contents(data)
    alike = run("rebuild", manifest, "--data", data)
    assert (alike.exit_code, "the manifest's settings are those that hold here" in alike.output) == (1, True)
    monkeypatch.setenv("YOUTUBE_OCC_PROFILE", "classic")
    asked = run("rebuild", manifest, "--data", data)
    assert asked.exit_code == 1
    assert "semantics.backend: 'san' in the manifest, 'structure' here" in asked.output
    assert f"fetch 1 videos and build them so, in {data}" in asked.output
    assert contents(data) == before


def test_a_manifest_that_names_a_folder_of_this_machine_is_refused_before_anything_is_read(data: Path, manifest: Path):
    table = pq.read_table(manifest)
    recipe = json.loads(table.schema.metadata[HEADER])
    recipe["stages"]["semantics"]["settings"]["san"]["features"] = "/home/me"
    pq.write_table(table.replace_schema_metadata({HEADER: json.dumps(recipe).encode()}), manifest)
    with pytest.raises(BrokenManifest, match=r"'semantics' that no manifest may give: san\.features"):
        run("rebuild", manifest, "--data", data, "--yes")


def test_a_difference_is_told_and_ends_with_status_1(data: Path, manifest: Path):
    table = pq.read_table(manifest)
    other = pa.array(["0" * 64] * table.num_rows)
    pq.write_table(table.set_column(table.schema.get_field_index("sha256"), "sha256", other), manifest)
    ended = run("rebuild", manifest, "--data", data, "--yes")
    assert ended.exit_code == 1
    assert f"{VIDEO}: its host gives another file now" in ended.output
    assert ended.output.rstrip().endswith("1 videos differ")


def test_what_is_no_manifest_is_refused(tmp_path: Path):
    Path("text.parquet").write_text("no manifest", encoding="utf-8")
    with pytest.raises(BrokenManifest, match=r"text\.parquet"):
        run("rebuild", "text.parquet", "--data", tmp_path / "data")
