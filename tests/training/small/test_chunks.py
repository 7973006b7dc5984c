"""The stream of chunks: a function of the step, however it is split over passes, devices and interruptions."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric

from pipeline.contract.errors import SettingsError
from tests.training.small.tiny_recipe import SETTINGS, HalvesRecipe
from training.settings import ChunkSettings, LoopSettings
from training.small.chunks import ChunkBatch, ChunkBatches, random_seed

STEPS, BATCH = SETTINGS.loop.steps, SETTINGS.loop.batch_size


class Place:
    """What a stream asks of Fabric: which of how many processes it is, and a device."""

    def __init__(self, rank: int = 0, world: int = 1) -> None:
        self.global_rank, self.world_size = rank, world

    def to_device(self, batch: ChunkBatch[Any]) -> ChunkBatch[Any]:
        return batch.to(torch.device("cpu"))


def stream(step: int = 0, fabric: Any = None, chunks: ChunkSettings = SETTINGS.chunks, **loop: Any) -> Iterator[Any]:
    settings = SETTINGS.loop.model_copy(update=loop)
    return ChunkBatches(HalvesRecipe(), chunks).starting_at(step, settings, fabric or Place())


def pictures(batches: list[ChunkBatch[Any]]) -> torch.Tensor:
    return torch.cat([batch.samples.pictures.flatten(1) for batch in batches])


def test_batches_come_from_the_newest_chunks_and_hold_no_row_twice():
    *_, last = stream()
    newest = torch.cat([HalvesRecipe().chunk(index).pictures.flatten(1) for index in (3, 4)])
    rows = pictures(last)
    assert len(rows.unique(dim=0)) == BATCH
    assert all((newest == row).all(dim=1).any() for row in rows)
    assert last[0].names == ("of chunks 3 to 4",)


def test_the_first_chunk_is_all_there_is_at_the_beginning_and_both_are_drawn_from_later():
    batches = list(stream())
    sources = [HalvesRecipe().chunk(index).pictures.flatten(1) for index in range(5)]
    drawn = [
        {number for number, chunk in enumerate(sources) for row in pictures(step) if (chunk == row).all(dim=1).any()}
        for step in batches
    ]
    assert all(found == {0} for found in drawn[:5])
    assert set().union(*drawn[5:10]) == {0, 1}
    assert set().union(*drawn[20:]) == {3, 4}
    assert len(batches) == STEPS


@pytest.mark.parametrize("first", [1, 5, 13, 23])
def test_a_stream_that_starts_late_gives_the_same_batches(first: int):
    for early, late in zip(list(stream())[first:], stream(first), strict=True):
        assert torch.equal(pictures(early), pictures(late))
        assert torch.equal(torch.rand(3, generator=early[0].generator()), torch.rand(3, generator=late[0].generator()))


def test_a_finished_training_is_given_nothing_and_renders_nothing():
    class Refusing(HalvesRecipe):
        def chunk(self, index: int) -> Any:
            raise AssertionError(index)

    assert list(ChunkBatches(Refusing(), SETTINGS.chunks).starting_at(STEPS, SETTINGS.loop, Place())) == []


def test_only_chunks_that_are_still_drawn_from_are_rendered_again():
    class Noting(HalvesRecipe):
        def chunk(self, index: int) -> Any:
            rendered.append(index)
            return super().chunk(index)

    rendered: list[int] = []
    list(ChunkBatches(Noting(), SETTINGS.chunks).starting_at(17, SETTINGS.loop, Place()))
    assert rendered == [2, 3, 4]


def test_passes_and_devices_share_the_rows_that_one_large_batch_draws():
    whole = [pictures(step) for step in stream(steps=6, batch_size=8)]
    passes = [pictures(step) for step in stream(steps=6, batch_size=2, accumulate=4)]
    ranks = [[pictures(step) for step in stream(0, Place(rank, 4), steps=6, batch_size=2)] for rank in range(4)]
    for step, large in enumerate(whole):
        for shared in (passes[step], torch.cat([rank[step] for rank in ranks])):
            assert len(shared) == len(large) == 8
            assert torch.equal(shared.sort(dim=0).values, large.sort(dim=0).values)


def test_every_pass_of_every_step_is_changed_by_a_generator_of_its_own():
    batches = [batch for step in stream(steps=6, batch_size=2, accumulate=4) for batch in step]
    drawn = {float(torch.rand(1, generator=batch.generator())) for batch in batches}
    assert len(drawn) == len(batches) == 24


def test_seeds_of_different_trainings_never_meet():
    seeds = {random_seed(seed, number) for seed in range(20) for number in (0, 1, 10_000, 2**31)}
    assert len(seeds) == 80


def test_a_stream_has_no_epochs_to_count():
    endless = LoopSettings(epochs=3)
    with pytest.raises(SettingsError, match=r"set loop\.steps"):
        ChunkBatches(HalvesRecipe(), SETTINGS.chunks).steps(endless, 1)
    assert ChunkBatches(HalvesRecipe(), SETTINGS.chunks).steps(endless.model_copy(update={"steps": 7}), 3) == 7
    assert ChunkBatches(HalvesRecipe(), SETTINGS.chunks).samples is None


def test_chunks_with_fewer_samples_than_passes_are_refused():
    with pytest.raises(SettingsError, match="16 samples in 1 chunks are too few for 17 forward passes"):
        next(stream(batch_size=1, accumulate=17))


def test_a_batch_larger_than_all_chunks_takes_every_row_once():
    first = next(stream(batch_size=100))
    assert len(pictures(first).unique(dim=0)) == 16


def test_fabric_moves_a_batch_with_all_that_belongs_to_it():
    fabric = Fabric(accelerator="cpu", devices=1)
    batch = next(stream())[0]
    moved = fabric.to_device(batch)
    assert moved.names == batch.names
    assert torch.equal(moved.samples.left, batch.samples.left)
    assert torch.rand(1, generator=moved.generator()) == torch.rand(1, generator=batch.generator())
    assert dataclass_free(moved), "Fabric cannot copy frozen dataclasses"


def dataclass_free(batch: object) -> bool:
    return not hasattr(batch, "__dataclass_fields__")
