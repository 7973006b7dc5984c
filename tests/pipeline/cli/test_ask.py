import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr
from PIL import Image

from pipeline.contract.errors import BrokenRetrievalSet, FrozenSeeds, OtherWeights, UnusableQuery
from pipeline.contract.language import NO_MEANING
from pipeline.language.retrieval import Benchmark, RetrievalQuery, write_benchmark
from pipeline.language.text import SanText
from pipeline.stages.semantics.settings import SanSettings
from pipeline.store.store import Store
from pipeline.tours import frozen
from tests.earlier import FRAMES, VIDEO
from tests.frozen import FROZEN, looks, new_checkout, pass_for_frozen
from tests.pipeline.stages.semantics.tiny_san import write_checkpoint

from .runs import output, run


def rows_of(shown: str) -> list[list[str]]:
    lines = [line for line in shown.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]


def benchmark_of(data: Path, *texts: tuple[str, str]) -> Benchmark:
    """Queries about the first frame's grid, which mean the voxels of a class."""
    video = Store(data).video(VIDEO)
    labels, origin, to_grid = (video.read("occupancy", n)[0] for n in ("labels", "origin", "grid_from_world"))
    corner = np.eye(4)
    corner[:3, 3] = -origin
    grid_from_camera = corner @ to_grid @ video.read("scene", "camera_to_world")[0]
    rotation = np.linalg.svd(grid_from_camera[:3, :3])
    grid_from_camera[:3, :3] = rotation.U @ rotation.Vh  # stored in float32, and not quite rigid
    occupied = (labels > 0) & (labels < 255)
    frame = int(video.read("frames", "frame_index")[0])
    ids = {"floor": 2, "wall": 3, "bed": 6}
    queries = tuple(
        RetrievalQuery(text=text, video_id=VIDEO, frame_index=frame, split="test", kind="class", label=label)
        for text, label in texts
    )
    count = len(queries)
    masks = np.stack([labels == ids[label] for _, label in texts])
    return Benchmark(queries, np.stack([grid_from_camera] * count), *(np.stack([occupied] * count),) * 2, masks)


def test_a_query_shows_the_best_frames_and_voxels_and_writes_pictures(data: Path):
    shown = output("query", "a bed", "--data", data, "--top", 2, "--out", "found")
    frames = [row for row in rows_of(shown) if len(row) == 3]
    voxels = [row for row in rows_of(shown) if len(row) == 5]
    assert len(frames) == len(voxels) == 2
    assert {row[0] for row in frames + voxels} == {VIDEO}
    assert float(frames[0][2]) >= float(frames[1][2])
    assert Image.open("found/contact_sheet.jpg").width > 600
    clouds = [f"{rank:02}-{VIDEO}-{row[1]}.ply" for rank, row in enumerate(frames, start=1)]
    assert sorted(path.name for path in Path("found").iterdir()) == [*clouds, "contact_sheet.jpg"]
    assert "contact sheet: found/contact_sheet.jpg; 2 voxel clouds beside it" in shown
    assert NO_MEANING not in shown, "the weights that ship have a meaning"


def test_a_dataset_is_asked_with_its_own_weights_whatever_is_to_be_built_next(
    data: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("YOUTUBE_OCC_PROFILE", "youtube_occ")
    assert len(rows_of(output("query", "a bed", "--data", data, "--top", 1))) == 2


def test_words_near_those_that_a_small_network_knows_are_named_first(data: Path):
    with pytest.raises(UnusableQuery, match=r"'wooden bookshelf'; nearest to that it knows [a-z, ]*bookcase"):
        run("query", "a wooden bookshelf", "--data", data)


def test_a_list_of_prompts_labels_every_voxel_and_counts_them(data: Path):
    Path("prompts.txt").write_text("# three\na bed\na wall\nwooden floor\n", encoding="utf-8")
    shown = output("query", "--data", data, "--prompts", "prompts.txt", "--out", "found")
    labels = zarr.open_group(f"found/labels/{VIDEO}.zarr", mode="r")["labels"][:]
    assert len(labels) == FRAMES
    counts = np.bincount(labels.ravel(), minlength=4)[1:]
    assert [row for row in rows_of(shown) if row[0] in "123"] == [
        ["1", "a bed", str(counts[0])],
        ["2", "a wall", str(counts[1])],
        ["3", "wooden floor", str(counts[2])],
    ]
    assert not Path("found/contact_sheet.jpg").exists()


def test_a_command_without_text_or_prompts_says_so(data: Path):
    with pytest.raises(UnusableQuery, match="--prompts"):
        run("query", "--data", data)


def test_other_weights_than_those_of_the_regions_are_refused(data: Path, tmp_path: Path):
    checkpoint = write_checkpoint(tmp_path / "other.pth")
    with pytest.raises(OtherWeights, match=rf"{VIDEO}.*other\.pth"):
        run("query", "a bed", "--data", data, "--set", f"semantics.san.weights={checkpoint}")


def test_weights_that_mean_nothing_say_so(data: Path, tmp_path: Path):
    checkpoint = write_checkpoint(tmp_path / "tiny.pth")
    side = SanText(SanSettings(weights=str(checkpoint)))
    _embed_at_random(data, dict(side.weights), len(side.embed(["bed"])[0]))
    shown = output("query", "a bed", "--data", data, "--top", 1, "--set", f"semantics.san.weights={checkpoint}")
    assert shown.rstrip().endswith(NO_MEANING)


def _embed_at_random(data: Path, weights: dict[str, str], width: int) -> None:
    """Give the regions other vectors, as if other weights had made them."""
    video = Store(data).video(VIDEO)
    group = data / "videos" / VIDEO / "scene.zarr" / "semantics"
    count = len(video.read("semantics", "region_embeddings"))
    vectors = np.random.default_rng(0).standard_normal((count, width))
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    stored = zarr.open_group(group, mode="r+")
    del stored["region_embeddings"]
    stored.create_array("region_embeddings", data=unit)
    metadata = json.loads((group / "zarr.json").read_text())
    metadata["attributes"]["weights"] = weights
    (group / "zarr.json").write_text(json.dumps(metadata))


def test_a_benchmark_is_measured_in_a_table_with_pictures(data: Path):
    write_benchmark(Path("bench"), benchmark_of(data, ("a bed", "bed"), ("a floor", "floor"), ("a wall", "wall")))
    shown = output("retrieval", "bench", "--data", data, "--picture", "heat.jpg")
    assert "by class" in shown
    rows = [line.replace("|", " ").split() for line in shown.splitlines()]
    assert [row[:2] for row in rows if row[:1] == ["all"]] == [["all", "3"]]
    assert Image.open("heat.jpg").height > 180


def test_a_benchmark_is_made_only_of_tours_for_scores(data: Path):
    with pytest.raises(BrokenRetrievalSet, match="seeds from 1000000 on"):
        run("retrieval", "bench", "--data", data, "--make", 5)
    assert not Path("bench").exists()


def test_a_folder_that_holds_no_benchmark_is_named(data: Path):
    with pytest.raises(BrokenRetrievalSet, match=r"nowhere/queries\.csv"):
        run("retrieval", "nowhere", "--data", data)


def test_frozen_tours_are_asked_about_only_with_a_purpose(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(frozen, "CHECKOUT", new_checkout(tmp_path / "checkout"))
    made = benchmark_of(data, ("a bed", "bed"), ("a floor", "floor"))
    frozen_id = pass_for_frozen(data, VIDEO)
    queries = tuple(query.model_copy(update={"video_id": frozen_id}) for query in made.queries)
    write_benchmark(Path("bench"), replace(made, queries=queries))
    command = ("retrieval", "bench", "--data", data, "--profile", "small")
    for more in ((), ("--make", 5)):
        with pytest.raises(FrozenSeeds, match=f"tours {FROZEN} are frozen"):
            run(*command, *more)
    assert looks(tmp_path / "checkout") == []
    assert "by class" in output(*command, "--reporting", "figures of this test")
    (look,) = looks(tmp_path / "checkout")
    assert (look["command"], look["seeds"], look["scored"]) == ("youtube-occ retrieval", str(FROZEN), "small")
