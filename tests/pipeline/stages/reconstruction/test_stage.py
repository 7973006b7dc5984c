"""The stage ``reconstruction``: what it declares, and how clips are kept, left out and taken up again."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.arrays import Images
from pipeline.contract.errors import (
    DiskFull,
    NothingReconstructed,
    OutOfMemory,
    ProcessKilled,
    StageMissing,
    StorageFailed,
    TooLittleParallax,
    WeightsReplaced,
)
from pipeline.contract.records import Reconstruction
from pipeline.settings import load_settings
from pipeline.stages.backends import Backend, with_backends
from pipeline.stages.base import Workbench
from pipeline.stages.reconstruction.backends import COLMAP, SETTINGS
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings
from pipeline.stages.reconstruction.settings import ReconstructionSettings
from pipeline.stages.reconstruction.stage import reconstruction
from pipeline.store.outputs import GroupOutput
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from tests.pipeline.stages.filling import filled, workbench_of


class ByBrightness:
    """A backend that knows a clip by its brightness: dark ones have no parallax, others lie as far as they are bright.

    ends: what is raised for clips of some brightness, as a fault or a user who stops the run would.
    """

    name, weights = "brightness", {"none.pth": "0" * 64}

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.ends: dict[int, BaseException] = {}

    def reconstruct(self, rgb: Images, scratch: Path) -> Reconstruction:
        level, n = int(rgb.max()), len(rgb)
        assert list(scratch.iterdir()) == [], "every clip has an empty folder of its own"
        (scratch / "matches.db").write_bytes(b"temporary")
        if level in self.ends:
            raise self.ends[level]
        self.asked.append(level)
        if level < 50:
            raise TooLittleParallax(f"brightness {level}")
        depth = np.full((n, 6, 8), level, np.float32)
        cameras = np.tile(np.eye(4, dtype=np.float32), (n, 1, 1))
        cameras[:, 0, 3] = level * np.arange(n)
        registered = np.ones(n, np.bool_)
        intrinsics = np.tile(np.eye(3, dtype=np.float32), (n, 1, 1))
        return Reconstruction(intrinsics, cameras, depth, np.ones_like(depth), registered, (f"brightness {level}",))


@pytest.fixture
def backend() -> ByBrightness:
    return ByBrightness()


@pytest.fixture
def bench(tmp_path: Path, backend: ByBrightness) -> Callable[..., Workbench]:
    """A stored video with clips of some brightness, and the stage's settings with the backend above."""
    own = with_backends(
        "reconstruction", ReconstructionSettings, (Backend("brightness", ColmapSettings, lambda *_: backend),)
    )

    def made(*levels: int) -> Workbench:
        video = Store(tmp_path).video("a")
        with video.write_group("frames") as group:
            for clip_id, level in enumerate(levels):
                group.append("rgb", np.full((3, 48, 64, 3), level, np.uint8))
                group.append("clip_id", np.full(3, 2 * clip_id, np.int32))
        settings = load_settings().model_copy(update={"reconstruction": own()})
        return Workbench(video, workbench_of(video).catalog, settings, wanted="0123")

    return made


def test_it_reads_frames_and_writes_cameras_and_depth():
    assert (reconstruction.name, reconstruction.inputs) == ("reconstruction", ("indoor_clips",))
    assert reconstruction.settings is SETTINGS
    assert reconstruction.output == GroupOutput("reconstruction")
    assert reconstruction.published is not None
    assert COLMAP.name in SETTINGS.backends


def test_clips_stand_one_after_another_in_units_of_their_own_depth(bench: Callable[..., Workbench]):
    workbench = bench(100, 200)
    result = filled(reconstruction, workbench)
    video = workbench.video
    assert result.counts == {"clips": 2, "clips_left_out": 0}
    assert (video.read("reconstruction", "depth") == 1).all()
    # One brightness a frame, in units of the brightness.
    assert video.read("reconstruction", "camera_to_world")[:, 0, 3].tolist() == [0, 1, 2, 0, 1, 2]
    assert result.notes == ("clip 0: brightness 100", "clip 2: brightness 200")
    assert (result.backend, result.weights) == ("brightness", {"none.pth": "0" * 64})


def test_a_clip_that_cannot_be_reconstructed_is_blank_and_named(bench: Callable[..., Workbench]):
    workbench = bench(20, 200)
    result = filled(reconstruction, workbench)
    assert [(item.clip_id, item.code, item.detail) for item in result.left_out] == [
        (0, "TooLittleParallax", "brightness 20")
    ]
    assert workbench.video.read("reconstruction", "registered").tolist() == [False] * 3 + [True] * 3
    assert not workbench.video.read("reconstruction", "depth")[:3].any()


def test_where_none_can_the_video_ends_with_every_reason(bench: Callable[..., Workbench]):
    workbench = bench(20, 30)
    with pytest.raises(NothingReconstructed, match=r"clip 0: TooLittleParallax: brightness 20; clip 2: .* 30") as ended:
        filled(reconstruction, workbench)
    assert [(item.clip_id, item.code) for item in ended.value.left_out] == [(i, "TooLittleParallax") for i in (0, 2)]
    assert not workbench.video.has_group("reconstruction")


def test_clips_that_were_finished_before_a_stop_are_not_done_again(
    bench: Callable[..., Workbench], backend: ByBrightness
):
    workbench = bench(100, 20, 200)
    backend.ends[200] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        filled(reconstruction, workbench)
    backend.ends.clear()
    filled(reconstruction, workbench)
    assert backend.asked == [100, 20, 200]
    assert (workbench.video.read("reconstruction", "depth")[[0, -1]] == 1).all()


def test_finished_clips_of_other_settings_are_not_used(bench: Callable[..., Workbench], backend: ByBrightness):
    workbench = bench(100, 200)
    backend.ends[200] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        filled(reconstruction, workbench)
    backend.ends.clear()
    filled(reconstruction, Workbench(**{**vars(workbench), "wanted": "4567"}))
    assert backend.asked == [100, 100, 200]


def test_nothing_stays_in_scratch_after_a_success(bench: Callable[..., Workbench]):
    workbench = bench(100)
    filled(reconstruction, workbench)
    assert reconstruction.published is not None
    reconstruction.published(workbench)
    assert not (workbench.video.scratch / "clips").exists()


@pytest.mark.parametrize(
    ("error", "ends"),
    [
        (MemoryError("no room"), OutOfMemory),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you tried to allocate 9"), OutOfMemory),
        (OSError(28, "No space left on device"), DiskFull),
        (OSError(5, "Input/output error"), StorageFailed),
        (ProcessKilled("killed"), ProcessKilled),
        (WeightsReplaced("other"), WeightsReplaced),
    ],
)
def test_a_fault_of_the_machine_ends_the_stage(
    bench: Callable[..., Workbench], backend: ByBrightness, error: Exception, ends: type[Exception]
):
    workbench = bench(100, 200)
    backend.ends[100] = error
    with pytest.raises(ends):
        filled(reconstruction, workbench)
    backend.ends.clear()
    assert filled(reconstruction, workbench).counts["clips"] == 2, "the same may succeed later"


def test_a_clip_with_a_fault_that_nobody_foresaw_is_left_out_by_name_and_the_others_kept(
    bench: Callable[..., Workbench], backend: ByBrightness
):
    workbench = bench(100, 150, 200)
    backend.ends[150] = ValueError("max() arg is an empty sequence")
    result = filled(reconstruction, workbench)
    (left_out,) = result.left_out
    assert (left_out.clip_id, left_out.code) == (2, "UnforeseenFault")
    assert left_out.detail.startswith("ValueError: max() arg is an empty sequence (test_stage.py, line ")
    assert workbench.video.read("reconstruction", "registered").tolist() == [True] * 3 + [False] * 3 + [True] * 3


def test_a_video_without_frames_cannot_be_reconstructed(own_room: VideoStore):
    own_room.set_aside("scene.zarr/frames")
    with pytest.raises(StageMissing, match="frames"):
        filled(reconstruction, workbench_of(own_room))


def test_a_clip_is_not_kept_where_the_weights_were_replaced_meanwhile(
    bench: Callable[..., Workbench], backend: ByBrightness
):
    def replaced() -> None:
        raise WeightsReplaced("another file")

    workbench = bench(100, 200)
    with pytest.raises(WeightsReplaced):
        filled(reconstruction, replace(workbench, check_weights=replaced))
    filled(reconstruction, workbench)
    assert backend.asked == [100, 100, 200]
