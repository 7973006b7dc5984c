"""A dataset asked in words, by the command line and by functions."""

from pathlib import Path

import numpy as np
import pytest
import zarr
from PIL import Image
from typer.testing import CliRunner

from pipeline.cli.app import command_line
from pipeline.contract.errors import NoEmbeddings, OtherWeights, UnusableQuery
from pipeline.language.query import ask
from pipeline.language.text import SanText, checked_queries, read_prompts
from pipeline.language.zero_shot import label_dataset
from pipeline.pictures.heat import NOTHING, heat_colours
from pipeline.stages.base import Workbench

QUERY = "a wooden bookshelf"


def run(*arguments: object) -> str:
    found = CliRunner().invoke(command_line(), ["query", *map(str, arguments)], catch_exceptions=False)
    assert found.exit_code == 0
    return found.output


def test_the_best_frames_hold_the_best_regions(spoken_tour: Workbench, text: SanText):
    video = spoken_tour.video
    answer = ask(video.files, text, QUERY, 3)
    scores = video.read("semantics", "region_embeddings").astype(np.float32) @ text.embed([QUERY])[0]
    offsets = video.read("semantics", "region_offset")
    frames = [rows.max() for rows in np.split(scores, offsets[1:]) if len(rows)]
    assert [heat.hit.score for heat in answer.frames] == pytest.approx(sorted(frames, reverse=True)[:3], abs=1e-6)
    for heat in answer.frames:
        assert np.nanmax(heat.heat.pixels) == pytest.approx(heat.hit.score, abs=1e-6)
        assert np.nanmax(heat.heat.voxels) <= heat.hit.score + 1e-6


def test_the_best_voxels_come_once_and_in_order(spoken_tour: Workbench, text: SanText):
    answer = ask(spoken_tour.video.files, text, QUERY, 10)
    scores = [hit.score for hit in answer.voxels]
    assert len(scores) == 10
    assert scores == sorted(scores, reverse=True)
    assert max(scores) == pytest.approx(max(float(np.nanmax(heat.heat.voxels)) for heat in answer.frames), abs=1e-6)
    assert len({(hit.video_id, hit.centre) for hit in answer.voxels}) == 10


def test_every_frame_comes_at_most_once_however_many_are_asked(spoken_tour: Workbench, text: SanText):
    answer = ask(spoken_tour.video.files, text, QUERY, 1000)
    rows = [heat.hit.row for heat in answer.frames]
    offsets = [*spoken_tour.video.read("semantics", "region_offset").tolist()]
    total = len(spoken_tour.video.read("semantics", "region_embeddings"))
    assert sorted(rows) == [
        row for row, ends in enumerate(zip(offsets, [*offsets[1:], total], strict=True)) if ends[1] > ends[0]
    ]


def test_the_command_writes_a_sheet_and_clouds_and_says_that_name_seeded_weights_mean_nothing(
    spoken_tour: Workbench, checkpoint: Path, tmp_path: Path
):
    import open3d

    weights = f"semantics.san.weights={checkpoint}"
    data = spoken_tour.video.files.root
    printed = run(QUERY, "--data", data, "--top", 2, "--out", tmp_path, "--set", weights, "--video", "tour-5")
    assert "the answers mean nothing" in printed
    assert "best voxels" in printed
    with Image.open(tmp_path / "contact_sheet.jpg") as sheet:
        assert sheet.width > 600
    clouds = sorted(tmp_path.glob("*.ply"))
    assert len(clouds) == 2
    cloud = open3d.io.read_point_cloud(str(clouds[0]))
    assert len(cloud.points) > 1000
    assert len(np.unique(np.asarray(cloud.colors), axis=0)) > 1


def test_a_list_of_prompts_labels_every_voxel(spoken_tour: Workbench, text: SanText, tmp_path: Path):
    video, prompts = spoken_tour.video, ["a bed", "a white wall", "wooden floor"]
    counts = label_dataset(video.files, text, prompts, tmp_path)
    labels = zarr.open_group(tmp_path / f"{video.video_id}.zarr", mode="r")["labels"][:]
    assert labels.shape == video.read("occupancy", "labels").shape
    assert np.bincount(labels.ravel(), minlength=4)[1:].tolist() == counts.voxels.tolist()
    assert (labels > 0).sum() == (video.read("language", "region_of_voxel") > 0).sum()
    alone = label_dataset(video.files, text, prompts[:1], tmp_path, video.video_id)
    assert zarr.open_group(tmp_path / f"{video.video_id}.zarr", mode="r").attrs["prompts"] == prompts[:1]
    assert alone.voxels.tolist() == [counts.voxels.sum()]


@pytest.mark.parametrize(
    ("queries", "message"),
    [
        ([], "there is no query"),
        (["  "], "holds no word"),
        (["!?"], "holds no word"),
        (["книжный шкаф"], "English"),
        (["沙发"], "English"),
        (["a chair", "table", "the  Chair"], "more than once: chair"),
    ],
)
def test_queries_that_cannot_be_compared_are_refused(queries: list[str], message: str):
    with pytest.raises(UnusableQuery, match=message):
        checked_queries(queries)


def test_accents_are_no_other_script_and_articles_go():
    assert checked_queries(["a  chaise longue à côté", "The TV", "antique desk"]) == [
        "chaise longue à côté",
        "TV",
        "antique desk",
    ]


def test_a_query_too_long_is_refused(text: SanText):
    with pytest.raises(UnusableQuery, match=r"other words.*tokens"):
        text.embed(["very " * 80 + "old sofa"])


def test_prompts_are_read_line_by_line(tmp_path: Path):
    (tmp_path / "prompts.txt").write_text("# furniture\na chair\n\n  red sofa \n")
    assert read_prompts(tmp_path / "prompts.txt") == ("a chair", "red sofa")
    (tmp_path / "twice.txt").write_text("chair\na chair\n")
    with pytest.raises(UnusableQuery, match="more than once"):
        read_prompts(tmp_path / "twice.txt")
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\x00")
    for name in ("bytes.txt", "missing.txt"):
        with pytest.raises(UnusableQuery, match=name):
            read_prompts(tmp_path / name)


def test_a_command_without_text_or_prompts_says_so():
    with pytest.raises(UnusableQuery, match="--prompts"):
        run("--top", 3)


def test_a_dataset_or_video_without_embeddings_names_the_stage(
    built_tour: Workbench, spoken_tour: Workbench, text: SanText
):
    with pytest.raises(NoEmbeddings, match="stage 'semantics'"):
        ask(built_tour.video.files, text, QUERY, 3)
    with pytest.raises(NoEmbeddings, match=r"elsewhere.*backend san"):
        ask(spoken_tour.video.files, text, QUERY, 3, "elsewhere")


def test_other_weights_than_those_of_the_regions_are_refused(spoken_tour: Workbench, checkpoint: Path, tmp_path: Path):
    import torch

    state = torch.load(checkpoint, weights_only=True)
    state["model"]["ov_classifier.logit_scale"] += 1
    torch.save(state, tmp_path / "other.pth")
    with pytest.raises(OtherWeights, match=r"tour-5.*other\.pth"):
        run(QUERY, "--data", spoken_tour.video.files.root, "--set", f"semantics.san.weights={tmp_path / 'other.pth'}")


def test_heat_runs_from_blue_to_red_and_grey_is_nothing():
    colours = heat_colours(np.array([0.1, 0.5, np.nan], np.float32), (0.1, 0.5))
    assert colours[0, 2] > colours[0, 0]
    assert colours[1, 0] > colours[1, 2]
    assert tuple(colours[2]) == NOTHING
