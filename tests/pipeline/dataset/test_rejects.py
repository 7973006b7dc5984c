"""Contact sheets of what was left out, from a built tour."""

from pathlib import Path

from typer.testing import CliRunner

from pipeline.cli.app import command_line
from pipeline.dataset.index import build_dataset, filtered
from pipeline.dataset.rejects import reject_sheet, rejects
from pipeline.settings import FilterSettings
from pipeline.stages.base import Workbench
from pipeline.store.rows import stored_clips


def test_every_clip_has_its_scores(built_tour: Workbench):
    clips = stored_clips(built_tour.video)
    assert clips
    for clip in clips:
        assert clip.scores is not None
        assert 0 <= clip.scores.brightness <= 1


def test_filters_leave_clips_out_of_the_index_and_nothing_is_made_again(copied_tour: Workbench):
    store, settings = copied_tour.video.files, copied_tour.settings.dataset
    everything = build_dataset(store, settings)
    strict = settings.model_copy(update={"filters": FilterSettings(brightness_min=1.0)})
    filtered_summary = build_dataset(store, strict)
    assert (everything.videos, filtered_summary.videos, filtered_summary.frames) == (1, 0, 0)
    assert {entry.code for entry in filtered_summary.left_out if entry.stage == "dataset"} == {"TooDark"}
    assert build_dataset(store, settings).frames == everything.frames


def test_rejects_are_shown_by_reason(copied_tour: Workbench, tmp_path: Path):
    store, filters = copied_tour.video.files, FilterSettings(brightness_min=1.0)
    found = rejects(store, filters)
    assert len(found["TooDark"]) == len(filtered(copied_tour.video, filters))
    assert reject_sheet(store, found["TooDark"]).height > 90
    unseen = [reject._replace(clip_id=10_000) for reject in found["TooDark"]]
    assert reject_sheet(store, unseen).height < 90
    arguments = ["--data", str(store.root), "--out", str(tmp_path / "out"), "--set", "dataset.filters.brightness_min=1"]
    ended = CliRunner().invoke(command_line(), ["rejects", *arguments])
    assert ended.exit_code == 0, ended.output
    assert (tmp_path / "out" / "TooDark.jpg").read_bytes().startswith(b"\xff\xd8")
