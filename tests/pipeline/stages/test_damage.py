"""What does not read back is looked at again: damage is moved aside, an error of the moment leaves all as it is."""

import contextlib
import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.contract.errors import CorruptStore, NotReadableNow, PipelineError, StageMissing
from pipeline.stages.chain import finished, made_by
from pipeline.stages.damage import examined, problem, set_aside_if_damaged
from pipeline.stages.failures import last_failure
from pipeline.stages.registry import stages
from pipeline.stages.run import run_stage
from pipeline.store.contents import LISTED
from pipeline.store.frames import FrameReader
from pipeline.store.groups import SCENE_ZARR
from pipeline.store.outputs import GroupOutput, TableOutput
from pipeline.store.video import VideoStore
from tests.pipeline.stages.filling import damage, workbench_of


@contextlib.contextmanager
def no_more_open_files() -> Iterator[None]:
    """Use up every file that this process may open: whatever opens another gets EMFILE."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    held = []
    try:
        with contextlib.suppress(OSError):
            while True:
                held.append(os.open(os.devnull, os.O_RDONLY))
        yield
    finally:
        for number in held:
            os.close(number)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def first_file(video: VideoStore, group: str, array: str) -> Path:
    folder = Path(video.files.path(*video.folder, SCENE_ZARR, group, array, "c"))
    return next(path for path in sorted(folder.rglob("*")) if path.is_file())


def everything(video: VideoStore) -> dict[str, bytes]:
    """Return all files of a video but the note of its last failure."""
    root = Path(video.files.path(*video.folder))
    paths = (path for path in sorted(root.rglob("*")) if path.is_file() and path.name != "failure.json")
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture
def without_lists(own_room: VideoStore) -> VideoStore:
    """The room as release 0.1 wrote it: no group lists its files."""
    for group in ("frames", "scene", "semantics", "occupancy"):
        path = f"{SCENE_ZARR}/{group}/zarr.json"
        metadata = own_room.read_json(path)
        del metadata["attributes"][LISTED]
        own_room.write_json(path, metadata)
    return own_room


def test_too_many_open_files_leave_every_result_as_it_is(own_room: VideoStore):
    own_room.set_aside(f"{SCENE_ZARR}/semantics")
    own_room.read("scene", "depth")
    before = everything(own_room)
    with no_more_open_files(), pytest.raises(NotReadableNow, match="ulimit -n"):
        own_room.read("scene", "depth")
    with no_more_open_files(), pytest.raises((PipelineError, OSError)):
        run_stage("semantics", workbench_of(own_room))
    assert everything(own_room) == before
    assert own_room.read("scene", "depth").any()


@pytest.mark.parametrize("group", ["frames", "scene"])
def test_a_disk_that_does_not_answer_is_no_damage(own_room: VideoStore, group: str):
    """``/proc/self/mem`` can be opened and answers reads with an error, as a failing disk does."""
    array = {"frames": "rgb", "scene": "depth"}[group]
    path = first_file(own_room, group, array)
    away = path.rename(path.with_name("away"))
    path.symlink_to("/proc/self/mem")
    with pytest.raises(NotReadableNow, match="cannot be read at the moment"):
        examined(own_room, CorruptStore("read once", group))
    assert own_room.has_group(group)
    away.rename(path)
    assert finished(own_room) is not None


def test_a_folder_that_cannot_be_entered_is_not_taken_for_an_empty_one(own_room: VideoStore):
    """A loop of links, as root may enter what others may not."""
    scene = Path(own_room.files.path(*own_room.folder, SCENE_ZARR, "scene"))
    away = scene.rename(scene.with_name("away"))
    scene.symlink_to(scene)
    for ask in (
        lambda: own_room.has_group("scene"),
        lambda: made_by(own_room, "scene"),
        lambda: finished(own_room),
        lambda: run_stage("semantics", workbench_of(own_room)),
        lambda: own_room.read("scene", "depth"),
        lambda: FrameReader(own_room.files).read(own_room.video_id, "scene/depth", 0),
    ):
        with pytest.raises(NotReadableNow, match="nothing was changed"):
            ask()
    scene.unlink()
    away.rename(scene)
    assert finished(own_room) is not None


@pytest.mark.parametrize("which", ["own_room", "without_lists"])
def test_damage_is_moved_aside_whole(request: pytest.FixtureRequest, which: str):
    video: VideoStore = request.getfixturevalue(which)
    damage(video, "scene", "depth")
    kept = {name: content for name, content in everything(video).items() if "/scene/" in name}
    assert problem(video, "scene")
    said = examined(video, CorruptStore("junk", "scene"))
    assert isinstance(said, CorruptStore)
    assert "damaged/scene-1" in str(said)
    now = everything(video)
    assert {name: now[name.replace("scene.zarr/scene/", "damaged/scene-1/")] for name in kept} == kept
    assert [name for name in stages() if made_by(video, name) is None] == ["scene"]
    assert finished(video) is None


@pytest.mark.parametrize("which", ["own_room", "without_lists"])
def test_a_group_that_reads_well_when_it_is_read_again_is_left_alone(request: pytest.FixtureRequest, which: str):
    video: VideoStore = request.getfixturevalue(which)
    before = everything(video)
    assert problem(video, "scene") is None
    assert isinstance(examined(video, CorruptStore("a bad moment", "scene")), NotReadableNow)
    table = CorruptStore("a table, which names no group")
    assert examined(video, table) is table
    assert everything(video) == before


def test_what_is_not_there_has_no_problem(own_room: VideoStore):
    own_room.set_aside(f"{SCENE_ZARR}/scene")
    assert problem(own_room, "scene") is None


@pytest.mark.parametrize("content", ["", "[]", "{", '{"attributes": {"files": 3}}'])
def test_notes_that_do_not_read_back_are_moved_aside_with_their_group(own_room: VideoStore, content: str):
    path = Path(own_room.files.path(*own_room.folder, SCENE_ZARR, "semantics", "zarr.json"))
    path.write_text(content, encoding="utf-8")
    set_aside_if_damaged(own_room, GroupOutput("semantics"))
    assert not own_room.has_group("semantics")
    assert (path.parents[2] / "damaged" / "semantics-1" / "zarr.json").read_text() == content
    set_aside_if_damaged(own_room, GroupOutput("semantics"))
    set_aside_if_damaged(own_room, GroupOutput("scene"))
    assert own_room.has_group("scene")


def test_a_table_that_does_not_read_back_is_moved_aside(own_room: VideoStore):
    own_room.files.write_bytes(b"junk", *own_room.folder, "clips.parquet")
    set_aside_if_damaged(own_room, TableOutput("clips.parquet"))
    assert not own_room.exists("clips.parquet")
    assert Path(own_room.files.path(*own_room.folder, "damaged", "clips.parquet-1")).read_bytes() == b"junk"


def test_the_stage_that_found_damage_says_where_it_lies(own_room: VideoStore):
    own_room.set_aside(f"{SCENE_ZARR}/semantics")
    damage(own_room, "scene", "depth")
    with pytest.raises(CorruptStore, match="damaged/scene-1"):
        run_stage("semantics", workbench_of(own_room))
    failure = last_failure(own_room)
    assert failure is not None
    assert failure.may_pass
    with pytest.raises(StageMissing):
        run_stage("semantics", workbench_of(own_room))
