"""The language head: what its voxels are taught, its losses, learning by heart, and what is refused."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.symphonies.language import LanguageHead
from pipeline.contract.camera import pointmap
from pipeline.contract.classes import OCCUPIED_CLASSES, SemanticClass
from pipeline.contract.errors import CorruptStore, NoEmbeddings, OtherWeights
from pipeline.contract.grid import voxel_index
from pipeline.contract.vocabulary import default_vocabulary
from pipeline.dataset.index import build_dataset
from pipeline.language.text import TextSide
from pipeline.settings import DatasetSettings
from pipeline.stages.semantics.san import SanSegmenter, SanSettings
from pipeline.store.files import Store
from tests.pipeline.stages.semantics.tiny_san import tiny_settings, write_checkpoint
from tests.training.rooms import RoomFrames, stored_frames
from tests.training.spoken_room import class_vectors, embed_again, small_text, spoken_frames
from tests.training.tiny_runs import quick
from training.checkpoints import WEIGHTS, describe, load_network, new_network, start_from
from training.data import StoredFrames
from training.errors import WrongCheckpoint
from training.language.embeddings import SpokenFrames, collate_spoken
from training.language.heat import heat_picture, hottest, sample_heat
from training.language.speaker import Speaker
from training.language.task import LanguageTask, balanced, occupancy_losses, taught_voxels
from training.language.words import ClassWords, class_words
from training.language.zero_shot import PROJECTED, projected_classes, zero_shot
from training.runs import finetune, learn_language
from training.scores.evaluate import classifier
from training.scores.metrics import depth_surface
from training.settings import Balance, FinetuneSettings, LanguageSettings

SHORT = LanguageSettings(loop=quick(epochs=1, batch_size=1))


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> SpokenFrames:
    return spoken_frames(tmp_path_factory.mktemp("spoken"))


@pytest.fixture(scope="module")
def first(room: SpokenFrames) -> SpokenFrames:
    """The first of the room's six frames alone."""
    return SpokenFrames(StoredFrames(room.frames.store, "all", every=6))


@pytest.fixture(scope="module")
def words() -> ClassWords:
    return class_words(small_text(), default_vocabulary())


@pytest.fixture(scope="module")
def learned(first: SpokenFrames, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that has seen the first frame thirty times."""
    folder = tmp_path_factory.mktemp("learned") / "network"
    loop = quick(epochs=30, batch_size=1, decay_at=1, learning_rate=1e-2)
    learn_language(first, "small", None, LanguageSettings(loop=loop), folder)
    return folder


def test_a_frames_regions_come_with_their_own_embeddings(room: SpokenFrames):
    assert room.width == 64
    for index in range(len(room)):
        sample, embeddings = room[index]
        labels = room.frames.array(index, "semantics/labels")
        for region, embedding in enumerate(embeddings, start=1):
            label = labels[room.frames.array(index, "semantics/regions") == region]
            assert len(set(label.tolist())) == 1
            assert np.allclose(embedding, class_vectors()[label[0] - 1], atol=1e-3)
        assert sample.regions.max() == len(embeddings)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-1, 4), st.integers(0, 3)), min_size=1, max_size=40))
def test_a_voxel_is_taught_the_mean_over_its_pixels_and_every_region_counts_alike(pixels: list[tuple[int, int]]):
    embeddings = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    voxels, regions = (torch.tensor(column)[None] for column in zip(*pixels, strict=True))
    votes = {v: [r for voxel, r in pixels if voxel == v and r > 0] for v, r in pixels if v >= 0 and r > 0}
    taught = taught_voxels(voxels, regions, embeddings)
    assert taught.voxels.tolist() == sorted(votes)
    share = {(v, r): voted.count(r) / len(voted) for v, voted in votes.items() for r in set(voted)}
    size = {r: sum(s for (_, other), s in share.items() if other == r) for _, r in share}
    for voxel, target, weight in zip(*(part.tolist() for part in taught), strict=True):
        mean = torch.stack([embeddings[r - 1] for r in votes[voxel]]).mean(dim=0)
        assert target == pytest.approx(mean.tolist(), abs=1e-6)
        alike = sum(share[voxel, r] / size[r] for r in set(votes[voxel])) / len(size)
        assert weight == pytest.approx(alike, abs=1e-6)
    assert not votes or float(taught.weights.sum()) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("balance", "large", "small"), [("voxels", 1, 1), ("roots", 1, 3), ("regions", 1, 9)])
def test_voxels_of_a_small_region_weigh_as_the_balance_says(balance: Balance, large: int, small: int):
    alike = torch.tensor([1 / 18] * 9 + [1 / 2])
    weights = balanced(alike, balance)
    assert float(weights.sum()) == pytest.approx(1)
    assert (weights[-1] / weights[0]).item() == pytest.approx(small / large)


def test_unknown_voxels_give_no_gradient_and_all_unknown_grids_no_loss():
    labels = torch.tensor([0, 3, 11, 255, 0])
    logits = torch.randn(2, 5, requires_grad=True)
    sum(occupancy_losses(logits, labels).values()).backward()
    assert (logits.grad.abs().sum(dim=0) > 0).tolist() == [True, True, True, False, True]
    blank = occupancy_losses(logits, torch.full((5,), 255))
    assert [float(value.detach()) for value in blank.values()] == [0, 0]


@pytest.mark.parametrize("kind", ["cosine", "regression"])
def test_only_voxels_that_pixels_land_in_teach_the_language_head(room: SpokenFrames, kind: str):
    torch.manual_seed(0)
    task = LanguageTask(new_network("small", 2, room.width), LanguageSettings(language_loss=kind))
    items = [room[0]]
    before = task(collate_spoken(items))["language"]
    before.backward()
    assert all(p.grad.abs().sum() > 0 for p in task.network.language_head.parameters())
    assert task.network.head.weight.grad is None
    mute = replace(items[0][0], regions=np.zeros_like(items[0][0].regions))
    assert float(task(collate_spoken([(mute, items[0][1])]))["language"].detach()) == 0


@pytest.mark.parametrize(("kind", "worst"), [("cosine", 2.0), ("regression", 4.0)])
def test_the_language_loss_is_nothing_for_the_truth_and_greatest_for_its_opposite(
    room: SpokenFrames, kind: str, worst: float
):
    class Saying(LanguageHead):
        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return self.said.expand(len(rows), -1)

    task = LanguageTask(new_network("small", 2, room.width), LanguageSettings(language_loss=kind))
    task.network.language_head = head = Saying(8, room.width)
    sample, embeddings = room[0]
    ceiling = torch.tensor(class_vectors()[:1])
    batch = collate_spoken([(sample, ceiling.expand(len(embeddings), -1))])
    for head.said, expected in ((ceiling, 0), (-ceiling, worst)):
        assert float(task(batch)["language"]) == pytest.approx(expected, abs=1e-3)


def test_a_room_learned_by_heart_is_named_by_words_it_never_saw_as_labels(
    learned: Path, first: SpokenFrames, words: ClassWords
):
    speaker = Speaker.load(learned, small_text())
    shuffled = replace(words, labels=np.roll(words.labels, len(words.labels) // 2))
    rivals = {"by chance": lambda sample: speaker.classes(sample, shuffled)}
    segmenter = SanSegmenter(small_text().settings)
    scores = zero_shot(speaker, words, segmenter, first.frames, "spoken", rivals)
    figures = scores.summary()
    assert figures["iou all"] > 0.5
    assert figures["miou all"] > 0.2 > 2 * figures["miou by chance"]
    for name in ("spoken", PROJECTED, "by chance", "surface from depth"):
        assert f"| {name} | visible |" in scores.markdown()


def test_what_projection_names_lies_on_the_surface_that_depth_shows(words: ClassWords):
    sample = RoomFrames(1)[0]
    named = projected_classes(SanSegmenter(small_text().settings), words, sample)
    assert 1000 < np.count_nonzero(named) <= np.count_nonzero(depth_surface(sample)) + 50
    assert set(np.unique(named).tolist()) <= {0, *map(int, OCCUPIED_CLASSES)}


def test_heat_is_highest_where_the_thing_stands(learned: Path, first: SpokenFrames):
    speaker = Speaker.load(learned, small_text())
    vector = class_vectors()[SemanticClass.BED - 1]
    sample, heat = hottest(speaker, first.frames, vector)
    truth = sample.labels
    bed, walls = (heat.voxels[truth == label] for label in (SemanticClass.BED, SemanticClass.WALL))
    assert np.nanmean(bed) > np.nanmean(walls) + 0.3
    points = pointmap(sample.depth, sample.intrinsics, sample.camera_to_world)
    x, y, z = voxel_index(points, sample.origin)[300, 200].tolist()
    assert heat.pixels[300, 200] == pytest.approx(heat.voxels[x, y, z], nan_ok=True)
    assert heat_picture(sample, heat, "a bed").width > 400


def test_a_network_that_finds_nothing_has_no_heat(room: SpokenFrames):
    network = new_network("small", 2, room.width)
    torch.nn.init.zeros_(network.head.weight)
    network.head.bias.data = torch.tensor([1.0, -1.0])
    heat = sample_heat(Speaker(network), room.frames[0], class_vectors()[0])
    assert np.isnan(heat.voxels).all()
    assert heat_picture(room.frames[0], heat, "a bed").height > 100


def test_a_run_notes_the_weights_it_speaks_with_and_is_not_made_again(first: SpokenFrames, tmp_path: Path):
    description = learn_language(first, "small", None, SHORT, tmp_path)
    assert (description.task, description.network.outputs, description.network.language) == ("language", 2, 64)
    assert describe(tmp_path).text_weights == dict(small_text().weights)
    made = (tmp_path / WEIGHTS).stat().st_mtime_ns
    learn_language(first, "small", None, SHORT, tmp_path)
    assert (tmp_path / WEIGHTS).stat().st_mtime_ns == made
    with pytest.raises(WrongCheckpoint, match="run on other data or settings"):
        learn_language(first, "small", None, SHORT.model_copy(update={"language_loss": "regression"}), tmp_path)


def test_it_starts_from_another_task_and_others_start_from_it(first: SpokenFrames, learned: Path, tmp_path: Path):
    labels = FinetuneSettings(loop=quick(epochs=1, batch_size=1))
    finetune(RoomFrames(1), "small", learned, labels, tmp_path / "labels")
    assert load_network(tmp_path / "labels").language_head is None
    network = new_network("small", 2, first.width)
    fresh = network.language_head.state_dict()["layers.0.weight"].clone()
    start_from(network, learned)
    theirs = load_network(learned).state_dict()
    ours = network.state_dict()
    assert torch.equal(ours["decoder.cell_embedding"], theirs["decoder.cell_embedding"])
    assert torch.equal(ours["language_head.layers.0.weight"], fresh)
    assert learn_language(first, "small", tmp_path / "labels", SHORT, tmp_path / "again").steps == 1
    with pytest.raises(WrongCheckpoint, match="no language head: train one"):
        Speaker.load(tmp_path / "labels", small_text())
    with pytest.raises(WrongCheckpoint, match="fine-tune it first"):
        classifier(load_network(learned))


def test_words_of_another_text_side_are_refused(learned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("YOUTUBE_OCC_WEIGHTS", str(tmp_path))
    other = TextSide(SanSettings.model_validate(tiny_settings(write_checkpoint(tmp_path / "tiny.pth"))))
    with pytest.raises(OtherWeights, match=r"learned the vectors of san_small\.safetensors"):
        Speaker.load(learned, other)


def test_a_dataset_without_embeddings_says_which_stage_to_run(tmp_path: Path):
    with pytest.raises(NoEmbeddings, match="run its stage 'semantics' with the backend san"):
        SpokenFrames(stored_frames(tmp_path))


def test_a_dataset_of_two_text_spaces_is_refused(room: SpokenFrames, tmp_path: Path):
    shutil.copytree(room.frames.store.root, tmp_path / "data")
    store = Store(tmp_path / "data")
    shutil.copytree(tmp_path / "data" / "videos" / "room", tmp_path / "data" / "videos" / "hall")
    hall = store.video("hall")
    embed_again(hall, hall.read("semantics", "region_embeddings"), {"clip.pth": "f" * 64})
    build_dataset(store, DatasetSettings())
    with pytest.raises(OtherWeights, match=r"(clip\.pth.*san_small|san_small.*clip\.pth)"):
        SpokenFrames(StoredFrames(store, "all"))


def test_a_region_without_embedding_names_the_stage(room: SpokenFrames, tmp_path: Path):
    shutil.copytree(room.frames.store.root, tmp_path / "data")
    video = Store(tmp_path / "data").video("room")
    embed_again(video, video.read("semantics", "region_embeddings")[:-1], dict(small_text().weights))
    frames = SpokenFrames(StoredFrames(Store(tmp_path / "data"), "all"))
    with pytest.raises(CorruptStore, match=r"room/5 has .* embeddings: run the stage 'semantics'"):
        frames[5]


def test_a_network_without_a_language_head_stays_what_it_was():
    plain, speaking = new_network("small", 12), new_network("small", 2, 64)
    assert {name for name in speaking.state_dict() if name not in plain.state_dict()} == {
        f"language_head.layers.{layer}.{part}" for layer in (0, 2) for part in ("weight", "bias")
    }
    assert plain.language_head is None
