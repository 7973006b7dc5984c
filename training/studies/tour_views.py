"""Rendered views of rooms with exact depth and instances: what distillation could get if the pipeline made no error."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import lru_cache
from itertools import count, islice
from pathlib import Path
from typing import Any

from models.array_cache import ArrayCache, content_key
from pipeline.tours.grids import shown_grid
from pipeline.tours.tour import Tour
from training.data import Sample
from training.studies.rooms import exact_sample, one_shot_a_room

FIRST_SEED = 20_000
"""House of the first view: none of those that the experiment's dataset is made of, and none for scores."""
VERSION = "1"
"""Raised by hand whenever the same seeds would give other views."""


class TourViews:
    """One picture of every room of house after house; regions are the things in it.

    What was rendered is kept in ``folder``, which may be deleted at any time. Grids hold what the picture itself shows.
    """

    def __init__(self, views: int, folder: Path) -> None:
        self._frames = tuple(islice(_frames(), views))
        self._cache = ArrayCache(folder)
        self.names = tuple(f"view-{seed}/{frame}" for seed, frame in self._frames)
        self.origin = f"{views} rendered views {VERSION}"

    def __len__(self) -> int:
        """Return the number of views."""
        return len(self.names)

    def __getitem__(self, index: int) -> Sample:
        """Return a view, rendered unless it was before."""
        name = self.names[index]
        key = content_key("tour_view", VERSION, name)
        stored: Mapping[str, Any] | None = self._cache.load(key)
        if stored is None:
            sample = view_sample(*self._frames[index], name)
            stored = {field.name: getattr(sample, field.name) for field in fields(Sample) if field.name != "name"}
            self._cache.store(key, stored)
        return Sample(name=name, **stored)


def view_sample(seed: int, frame: int, name: str) -> Sample:
    """Return a frame of a house's tour with exact depth, camera and instances."""
    tour = _tour(seed)
    return exact_sample(tour, frame, name, shown_grid(tour.truth(frame)))


def _frames() -> Iterator[tuple[int, int]]:
    """Yield the house and the frame of every view."""
    for seed in count(FIRST_SEED):
        tour = _tour(seed)
        for shot in tour.shots:
            if shot.kind == "indoor":
                yield seed, sum(tour.timeline.on_screen(shot)) // 2


@lru_cache(maxsize=1)
def _tour(seed: int) -> Tour:
    return Tour.from_seed(seed, one_shot_a_room())
