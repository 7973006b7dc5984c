import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.san.name_seeded import TINY, photo
from pipeline.contract.classes import SemanticClass
from pipeline.contract.errors import SettingsError, WeightsReplaced
from pipeline.contract.records import MetricScene, Semantics
from pipeline.contract.scale import ScaleSource
from pipeline.contract.vocabulary import default_vocabulary
from pipeline.stages.semantics.san import SanSegmenter
from pipeline.stages.semantics.settings import SanSettings
from tests.foreign import foreign_folder, lost
from tests.pipeline.module_calls import built_modules
from tests.pipeline.stages.semantics.tiny_san import tiny_settings, write_checkpoint, write_vocabulary

_HEIGHT, _WIDTH = 96, 128


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("weights") / "tiny.pth")


@pytest.fixture(autouse=True, scope="module")
def word_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("YOUTUBE_OCC_WEIGHTS", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def rgb() -> NDArray[np.uint8]:
    grey = np.full((480, 640, 3), 120, np.uint8)
    return np.stack([photo("a", 480, 640), grey, photo("b", 480, 640)])


@pytest.fixture(scope="module")
def segmented(checkpoint: Path, rgb: NDArray[np.uint8]) -> Semantics:
    return SanSegmenter(_settings(checkpoint)).segment(rgb, _scene(len(rgb)))


def test_labels_and_regions_have_the_size_of_the_depth(segmented: Semantics):
    shape = (3, _HEIGHT, _WIDTH)
    assert (segmented.labels.shape, segmented.labels.dtype) == (shape, np.uint8)
    assert (segmented.regions.shape, segmented.regions.dtype) == (shape, np.uint16)
    assert set(np.unique(segmented.labels)) <= {*range(1, 12), SemanticClass.UNKNOWN}
    assert segmented.regions[0].any()


def test_a_single_coloured_frame_is_all_unknown(segmented: Semantics):
    assert segmented.confidence is not None
    assert (segmented.labels[1] == SemanticClass.UNKNOWN).all()
    assert not segmented.regions[1].any()
    assert not segmented.confidence[1].any()


def test_every_region_of_every_frame_has_a_unit_embedding(segmented: Semantics):
    offsets, embeddings = segmented.region_offsets, segmented.region_embeddings
    assert offsets is not None
    assert embeddings is not None
    assert offsets.tolist() == np.cumsum([0, *segmented.regions.max(axis=(1, 2)).tolist()]).tolist()
    assert embeddings.shape == (offsets[-1], TINY.embedding)
    # float16 keeps a unit vector's length to about one part in a thousand.
    assert np.linalg.norm(embeddings.astype(np.float32), axis=1) == pytest.approx(1, abs=2e-3)


def test_confidence_is_zero_just_where_the_label_is_unknown(segmented: Semantics):
    assert segmented.confidence is not None
    assert ((segmented.confidence == 0) == (segmented.labels == SemanticClass.UNKNOWN)).all()


def test_a_scene_says_nothing_but_the_size(checkpoint: Path, rgb: NDArray[np.uint8], segmented: Semantics):
    labelled = SanSegmenter(_settings(checkpoint)).label(rgb, (_HEIGHT, _WIDTH))
    assert np.array_equal(labelled.labels, segmented.labels)
    assert np.array_equal(labelled.regions, segmented.regions)
    other_size = SanSegmenter(_settings(checkpoint)).label(rgb[:1], (48, 64))
    assert other_size.labels.shape == (1, 48, 64)


def test_a_frame_is_labelled_alike_in_any_batch(checkpoint: Path, rgb: NDArray[np.uint8], segmented: Semantics):
    one_by_one = SanSegmenter(_settings(checkpoint, batch=1)).segment(rgb, _scene(len(rgb)))
    # Batched sums differ in the last bits, which may tip pixels between two equal scores.
    assert (one_by_one.labels == segmented.labels).mean() > 0.999


def test_new_words_do_not_run_the_image_network_again(checkpoint: Path, rgb: NDArray[np.uint8], tmp_path: Path):
    features = tmp_path / "features"
    first = SanSegmenter(_settings(checkpoint, features=features)).segment(rgb, _scene(len(rgb)))
    (kept,) = features.rglob("*.npz")
    with np.load(kept) as stored:
        np.savez(kept, **{**stored, "embeddings": -stored["embeddings"]})
    changed = SanSegmenter(_settings(checkpoint, features=features, vocabulary=_renamed(tmp_path))).segment(
        rgb, _scene(len(rgb))
    )
    # What was kept was used, not computed again: the embeddings come back turned round.
    assert first.region_embeddings is not None
    assert changed.region_embeddings is not None
    known = {tuple(row) for row in first.region_embeddings.tolist()}
    assert not known & {tuple(row) for row in changed.region_embeddings.tolist()}
    assert [path.name for path in features.rglob("*.npz")] == [kept.name]


def test_another_clip_or_size_runs_the_image_network(checkpoint: Path, rgb: NDArray[np.uint8], tmp_path: Path):
    for frames, side in ((rgb[:1], 160), (rgb[2:], 160), (rgb[:1], 192)):
        SanSegmenter(_settings(checkpoint, features=tmp_path, short_side=side)).segment(frames, _scene(1))
    assert len(list(tmp_path.rglob("*.npz"))) == 3


def test_with_and_without_kept_features_labels_are_the_same(
    checkpoint: Path, rgb: NDArray[np.uint8], segmented: Semantics, tmp_path: Path
):
    segmenter = SanSegmenter(_settings(checkpoint, features=tmp_path))
    for _ in range(2):
        assert np.array_equal(segmenter.segment(rgb, _scene(len(rgb))).labels, segmented.labels)


def test_moving_pixels_have_no_label(checkpoint: Path, rgb: NDArray[np.uint8], tmp_path: Path):
    everything_moves = _renamed(tmp_path, moving=default_vocabulary().words)
    semantics = SanSegmenter(_settings(checkpoint, vocabulary=everything_moves)).segment(rgb, _scene(len(rgb)))
    assert semantics.moving is not None
    assert semantics.moving[0].any()
    assert (semantics.labels[semantics.moving] == SemanticClass.UNKNOWN).all()
    assert not semantics.moving[1].any()


def test_a_word_too_long_is_named_with_the_file(checkpoint: Path, rgb: NDArray[np.uint8], tmp_path: Path):
    words = _renamed(tmp_path, moving=("very " * 80 + "fast dog",))
    with pytest.raises(SettingsError, match=r"words\.yaml.*very very"):
        SanSegmenter(_settings(checkpoint, vocabulary=words)).segment(rgb, _scene(len(rgb)))


def test_a_broken_checkpoint_is_named_with_its_setting(rgb: NDArray[np.uint8], tmp_path: Path):
    (tmp_path / "cut.pth").write_bytes(b"PK")
    with pytest.raises(SettingsError, match=r"semantics weights .*cut\.pth"):
        SanSegmenter(_settings(tmp_path / "cut.pth")).segment(rgb[:1], _scene(1))


def test_halved_precision_tells_what_it_changes(checkpoint: Path, rgb: NDArray[np.uint8], segmented: Semantics):
    halved = SanSegmenter(_settings(checkpoint, precision="bfloat16")).segment(rgb, _scene(len(rgb)))
    changed = (halved.labels[0] != segmented.labels[0]).mean()
    (note,) = halved.notes
    told = re.fullmatch(r"bfloat16 changes the labels of ([\d.]+)% of the first frame's pixels", note)
    assert told
    # what it is compared with was computed alone, and a batch of one may be summed in another order
    assert float(told[1]) / 100 == pytest.approx(changed, abs=0.002)
    assert segmented.notes == ()


def test_the_folder_of_features_stays_within_its_bound(checkpoint: Path, rgb: NDArray[np.uint8], tmp_path: Path):
    def segment(frame: int, gigabytes: float) -> None:
        settings = _settings(checkpoint, features=tmp_path, features_gb=gigabytes)
        SanSegmenter(settings).segment(rgb[frame : frame + 1], _scene(1))

    segment(0, 1.0)
    (first,) = tmp_path.rglob("*.npz")
    room_for_two = 2.5 * first.stat().st_size / 1e9
    segment(2, room_for_two)
    (second,) = set(tmp_path.rglob("*.npz")) - {first}
    segment(0, room_for_two)
    segment(1, room_for_two)
    # The first was used again after the second, which therefore made room.
    assert first.exists()
    assert not second.exists()
    assert len(list(tmp_path.rglob("*.npz"))) == 2


def test_a_labelled_frame_leaves_a_folder_of_documents_as_it_was(
    checkpoint: Path, rgb: NDArray[np.uint8], segmented: Semantics, tmp_path: Path
):
    before = foreign_folder(tmp_path)
    for frame, gigabytes in ((0, 1e-9), (1, 1.0), (0, 1.0)):
        settings = _settings(checkpoint, features=tmp_path, features_gb=gigabytes)
        labelled = SanSegmenter(settings).segment(rgb[frame : frame + 1], _scene(1))
        assert (labelled.labels[0] == segmented.labels[frame]).mean() > 0.999
    assert lost(before, tmp_path) == []


def test_no_features_are_kept_where_they_may_take_no_room(checkpoint: Path, rgb: NDArray[np.uint8], tmp_path: Path):
    SanSegmenter(_settings(checkpoint, features_gb=0), tmp_path / "features").segment(rgb[:1], _scene(1))
    assert not (tmp_path / "features").exists()


def test_a_device_that_is_not_there_is_named(checkpoint: Path, rgb: NDArray[np.uint8]):
    with pytest.raises(SettingsError, match=r"semantics\.san\.device.*gramophone"):
        SanSegmenter(_settings(checkpoint, device="gramophone")).segment(rgb[:1], _scene(1))


def test_a_checkpoint_of_another_size_is_named(rgb: NDArray[np.uint8], checkpoint: Path, tmp_path: Path):
    state = torch.load(checkpoint, weights_only=True)["model"]
    state["clip_rec_head.proj"] = torch.zeros(128, 96)
    torch.save(state, tmp_path / "other.pth")
    with pytest.raises(SettingsError, match=r"semantics weights .*other\.pth.*text_projection \(64, 64\)"):
        SanSegmenter(_settings(tmp_path / "other.pth")).segment(rgb[:1], _scene(1))


def test_weights_are_named_with_their_checksum(checkpoint: Path):
    ((name, sha256),) = SanSegmenter(_settings(checkpoint)).weights.items()
    assert name == checkpoint.name
    assert len(sha256) == 64


def test_a_process_that_goes_on_loads_a_network_once_and_again_where_its_file_is_another(
    checkpoint: Path, rgb: NDArray[np.uint8], tmp_path: Path
):
    path, again = tmp_path / "tiny.pth", []
    state = torch.load(checkpoint, weights_only=True)["model"]
    for factor in (1, 1, 2):
        torch.save({"model": state | {"clip_rec_head.proj": factor * state["clip_rec_head.proj"]}}, path)
        with built_modules() as built:
            SanSegmenter(_settings(path)).label(rgb[:1], (48, 64))
        again.append(bool(built))
    assert again == [True, False, True]


def test_a_checkpoint_that_was_replaced_since_it_was_noted_is_told(
    checkpoint: Path, rgb: NDArray[np.uint8], tmp_path: Path
):
    path = tmp_path / "tiny.pth"
    shutil.copy(checkpoint, path)
    segmenter = SanSegmenter(_settings(path))
    assert list(segmenter.weights) == ["tiny.pth"]
    state = torch.load(checkpoint, weights_only=True)["model"]
    torch.save({"model": state | {"clip_rec_head.proj": 2 * state["clip_rec_head.proj"]}}, path)
    with pytest.raises(WeightsReplaced, match=r"tiny\.pth was replaced while it was read"):
        segmenter.label(rgb[:1], (48, 64))


def _settings(checkpoint: Path, **changes: object) -> SanSettings:
    return SanSettings.model_validate(tiny_settings(checkpoint, **changes))


def _renamed(folder: Path, moving: tuple[str, ...] = ()) -> Path:
    return write_vocabulary(folder / "words.yaml", "unheard of", moving)


def _scene(frames: int) -> MetricScene:
    return MetricScene(
        intrinsics=np.tile(np.eye(3, dtype=np.float32), (frames, 1, 1)),
        camera_to_world=np.tile(np.eye(4, dtype=np.float32), (frames, 1, 1)),
        depth=np.ones((frames, _HEIGHT, _WIDTH), np.float32),
        confidence=np.ones((frames, _HEIGHT, _WIDTH), np.float32),
        registered=np.ones(frames, np.bool_),
        ceiling_height=2.8,
        up_confidence=1.0,
        scale_source=ScaleSource.FLOOR_TO_CEILING,
        world_from_reconstruction=np.eye(4),
    )
