"""What a declaration of a stage holds, and that reading it loads nothing heavy."""

import sys
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydantic import ValidationError

from pipeline.sources.catalog.catalog import Catalog
from pipeline.stages.base import (
    Finding,
    Resources,
    Stage,
    StageResult,
    StageSettings,
    Workbench,
    imported,
    stage,
)
from pipeline.store.group_writer import GroupWriter
from pipeline.store.outputs import GroupOutput
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from tests.fresh import run_code


class OwnSettings(StageSettings):
    gain: float = 2.0
    folder: Path = Path("here")


def preview(video: VideoStore) -> Image.Image:
    return Image.new("RGB", (len(video.video_id), 1))


def bright(video: VideoStore) -> Finding:
    """Frames are bright."""
    return Finding(video.video_id == "a", "sunny", {"level": 200.0})


@stage(
    code_version="7",
    settings=OwnSettings,
    inputs=("indoor_clips",),
    output=GroupOutput("brightness"),
    preview=preview,
    checks=(bright,),
    resources=Resources(cpus=2, gpu_share=0.5),
)
def brightness(workbench: Workbench, settings: OwnSettings, draft: GroupWriter) -> StageResult:
    """Measure how bright frames are.

    One number a frame.
    """
    draft.attributes["gain"] = settings.gain
    return StageResult("mean", {"frames": len(workbench.video.video_id)})


def workbench(folder: Path) -> Workbench:
    store = Store(folder)
    return Workbench(store.video("abc"), Catalog(store), Tree())


class Tree:
    """Settings of one stage."""

    def of(self, asked: Stage[Any, Any]) -> Any:
        return asked.settings(gain=5)


def test_a_function_becomes_a_stage_with_its_name_and_its_words():
    assert isinstance(brightness, Stage)
    assert brightness.name == "brightness"
    assert brightness.description == "Measure how bright frames are.\n\nOne number a frame."
    assert (brightness.code_version, brightness.inputs, brightness.output.name) == (
        "7",
        ("indoor_clips",),
        "brightness",
    )


def test_a_declaration_keeps_who_draws_who_checks_and_what_it_needs():
    assert brightness.preview is preview
    assert brightness.checks == (bright,)
    assert brightness.resources == Resources(cpus=2, memory_gb=1, gpu_share=0.5)
    assert brightness.published is None
    assert brightness.restore is None


def test_a_declaration_cannot_be_changed_afterwards():
    with pytest.raises(FrozenInstanceError):
        brightness.code_version = "8"  # type: ignore[misc]


def test_the_body_is_called_with_what_it_works_with(tmp_path: Path):
    bench = workbench(tmp_path)
    with brightness.output.draft(bench.video) as draft:
        result = brightness.fill(bench, bench.settings.of(brightness), draft)
    assert bench.video.attributes("brightness") == {"gain": 5}
    assert (result.backend, result.counts) == ("mean", {"frames": 3})
    assert (result.left_out, result.notes, result.weights) == ((), (), {})


def test_a_stage_without_words_describes_itself_as_nothing():
    def wordless(workbench: Workbench, settings: OwnSettings, draft: GroupWriter) -> StageResult:
        del workbench, settings, draft
        return StageResult("none", {})

    declare = stage(code_version="1", settings=OwnSettings, inputs=(), output=GroupOutput("x"), preview=preview)
    assert declare(wordless).description == ""


def test_settings_are_frozen_and_know_their_own_names_alone():
    with pytest.raises(ValidationError):
        OwnSettings(gian=1)  # type: ignore[call-arg]
    with pytest.raises(ValidationError):
        OwnSettings().gain = 3.0


def test_all_of_the_settings_decide_as_plain_values():
    assert OwnSettings().decisive() == {"gain": 2.0, "folder": "here"}


def test_a_workbench_tells_nobody_and_wants_nothing_by_default(tmp_path: Path):
    bench = workbench(tmp_path)
    bench.progress("scene", 1, 2, "clip 1")
    assert bench.wanted == ""


def test_what_is_imported_by_name_is_loaded_when_it_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "heavy_module.py").write_text("def added(*numbers): return sum(numbers)\n")
    monkeypatch.syspath_prepend(tmp_path)
    call = imported("heavy_module:added")
    assert call.__name__ == "heavy_module:added"
    assert "heavy_module" not in sys.modules
    assert call(1, 2, 3) == 6
    assert "heavy_module" in sys.modules
    del sys.modules["heavy_module"]


def test_a_name_that_leads_nowhere_is_an_error_when_it_is_called():
    call = imported("pipeline.stages.base:nothing_of_that_name")
    with pytest.raises(AttributeError):
        call()


def test_reading_all_declarations_loads_nothing_that_draws_decodes_or_computes():
    code = "import sys\nfrom pipeline.stages.registry import stages\nstages()\n"
    heavy = ("torch", "cv2", "av", "zarr", "scipy", "skimage", "open3d", "pycolmap", "numba", "matplotlib", "yt_dlp")
    assert run_code(f"{code}print([name for name in {heavy!r} if name in sys.modules])").strip() == "[]"
