"""An endless training set: chunks of rendered samples, made ahead and in order, the newest of which are drawn from."""

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

import torch
from torch.utils.data import DataLoader, Dataset

from pipeline.contract.errors import SettingsError
from training.fabric import Fabric
from training.settings import ChunkSettings, LoopSettings
from training.shared_memory import handed_over, loader_options
from training.small.samples import S, Samples

S_co = TypeVar("S_co", bound=Samples, covariant=True)


CHUNK_BYTES = 2**27
"""Shared memory that a chunk is thought to take: it is not known before one is made."""


class ChunkSource(Protocol[S_co]):
    """What makes chunks; it is sent to the processes that render."""

    def chunk(self, index: int) -> S_co:
        """Return chunk ``index`` of the endless training set, on the CPU."""
        ...


class ChunkBatch(Generic[S]):
    """Samples of a forward pass, where they come from, and the seed of the changes to them."""

    def __init__(self, samples: S, names: tuple[str, ...], seed: int) -> None:
        self.samples, self.names, self._seed = samples, names, seed

    def to(self, device: torch.device) -> "ChunkBatch[S]":
        """Return the batch on another device."""
        return ChunkBatch(self.samples.to(device), self.names, self._seed)

    def generator(self) -> torch.Generator:
        """Return the source of randomness of this forward pass, on the samples' device."""
        return torch.Generator(self.samples.device).manual_seed(self._seed)


class ChunkBatches(Generic[S]):
    """Batches of an endless stream of chunks, drawn without the same row twice in a step."""

    samples = None

    def __init__(self, source: ChunkSource[S], chunks: ChunkSettings) -> None:
        self._source, self._chunks = source, chunks

    def steps(self, settings: LoopSettings, devices: int) -> int:  # noqa: ARG002 - a stream has no epochs to share out
        """Return the steps that are asked for; raises ``SettingsError`` where none are."""
        if settings.steps is None:
            raise SettingsError("a stream of rendered samples has no end: set loop.steps")
        return settings.steps

    def starting_at(self, step: int, settings: LoopSettings, fabric: Fabric) -> Iterator[list[ChunkBatch[S]]]:
        """Yield the batches of a step and of all that follow, on the device; of a step, one a forward pass.

        Raises:
            SettingsError: there are fewer samples than forward passes in a step.
        """
        steps = self.steps(settings, fabric.world_size)
        newest = self._newest_chunks(step, steps, settings)
        for now in range(step, steps):
            chunks = next(newest)
            passes = settings.accumulate * fabric.world_size
            rows = _drawn_rows(chunks, settings, now, passes)
            names = (f"of chunks {self._oldest(now)} to {now // self._chunks.steps}",)
            batches = [
                ChunkBatch(_rows_of(chunks, some), names, random_seed(settings.seed + 1, now * passes + number))
                for number, some in list(enumerate(rows))[fabric.global_rank :: fabric.world_size]
            ]
            yield [fabric.to_device(batch) for batch in batches]

    def _newest_chunks(self, first: int, steps: int, settings: LoopSettings) -> Iterator[list[S]]:
        """Yield the chunks that a step and each that follows draws from."""
        last = (steps - 1) // self._chunks.steps
        oldest = self._oldest(first)
        loader = _loader(self._source, oldest, last + 1, settings)
        made = zip(range(oldest, last + 1), handed_over(loader), strict=True)
        kept: list[tuple[int, S]] = []
        for step in range(first, steps):
            while not kept or kept[-1][0] < step // self._chunks.steps:
                kept = [*kept, next(made)][-self._chunks.kept :]
            yield [chunk for _, chunk in kept]

    def _oldest(self, step: int) -> int:
        """Return the number of the oldest chunk that a step draws from."""
        return max(0, step // self._chunks.steps - self._chunks.kept + 1)


class _Chunks(Dataset[S]):
    """The chunks of a source by number, for torch's loader, whose workers end with their parent."""

    def __init__(self, source: ChunkSource[S], first: int, end: int) -> None:
        self._source, self._first, self._end = source, first, end

    def __len__(self) -> int:
        return self._end - self._first

    def __getitem__(self, index: int) -> S:
        return self._source.chunk(self._first + index)


def random_seed(seed: int, number: int) -> int:
    """Return the seed of one of the many draws of a training."""
    return (seed << 32) + number


def _loader(source: ChunkSource[S], first: int, end: int, settings: LoopSettings) -> DataLoader[S]:
    options = loader_options(settings, CHUNK_BYTES, ahead=1)
    if options["num_workers"]:
        options |= {"prefetch_factor": 1, "multiprocessing_context": "spawn"}
    return DataLoader(_Chunks(source, first, end), batch_size=None, **options)


def _drawn_rows(chunks: list[S], settings: LoopSettings, step: int, passes: int) -> tuple[torch.Tensor, ...]:
    """Draw the rows (n,) int64 of every forward pass of a step, ascending, over all chunks one after the other."""
    count = sum(map(len, chunks))
    if count < passes:
        raise SettingsError(f"{count} samples in {len(chunks)} chunks are too few for {passes} forward passes a step")
    generator = torch.Generator().manual_seed(random_seed(settings.seed, step))
    drawn = torch.randperm(count, generator=generator)[: settings.batch_size * passes]
    return tuple(rows.sort().values for rows in torch.tensor_split(drawn, passes))


def _rows_of(chunks: list[S], rows: torch.Tensor) -> S:
    """Return rows (n,) of chunks that lie one after the other."""
    parts, start = [], 0
    for chunk in chunks:
        parts.append(chunk.rows(rows[(rows >= start) & (rows < start + len(chunk))] - start))
        start += len(chunk)
    return type(chunks[0]).concatenate(parts)
