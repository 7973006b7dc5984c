"""What the suites are made of: tours, an easy and a hard half, and real footage, a part for each folder of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import get_args

from pipeline.contract.tour_origin import World
from pipeline.quality.truth.film import TrueFilm
from pipeline.quality.truth.folder import films_below
from pipeline.quality.truth.rendered import TourFilm
from pipeline.settings import Settings
from pipeline.sources.video_source import VideoSource, parse_source
from pipeline.stages.video.stage import video
from pipeline.tours.tour import Tour
from pipeline.tours.worlds import in_world

TruthOf = Callable[[Settings], TrueFilm]
"""Gives the truth of a film that is built with some settings: those of tours decide what is rendered."""


@dataclass(frozen=True)
class Part:
    """A part of a suite whose figures stand apart: sources, each with what gives its truth.

    folder: below the data folder; films that show the same must not meet in one dataset, where they are duplicates.
    """

    name: str
    folder: str
    films: tuple[tuple[VideoSource, TruthOf], ...]


def tour_sources(seeds: Sequence[int]) -> dict[str, list[VideoSource]]:
    """Return the tours of some seeds in every world: the easy half and the hard one."""
    return {
        world: [parse_source(f"tour://{seed}" + ("" if world == "easy" else f"?world={world}")) for seed in seeds]
        for world in get_args(World)
    }


def tour_parts(seeds: Sequence[int]) -> list[Part]:
    """Return the suite ``tours``."""
    return [
        Part(half, half, tuple((source, partial(_rendered, source)) for source in sources))
        for half, sources in tour_sources(seeds).items()
    ]


def real_parts(folder: Path) -> list[Part]:
    """Return the suite ``real`` of a folder; raises ``SettingsError`` where nothing there has truth."""
    return [
        Part(name, "real", tuple((_source_of(film), partial(_given, film)) for film in films))
        for name, films in films_below(folder).items()
    ]


def _source_of(film: TrueFilm) -> VideoSource:
    return VideoSource(kind="file", origin=str(Path(film.origin).resolve()))


def _rendered(source: VideoSource, settings: Settings) -> TrueFilm:
    named = source.tour
    return TourFilm(source.origin, Tour.from_seed(named.seed, in_world(settings.of(video).tour, named.world)))


def _given(film: TrueFilm, settings: Settings) -> TrueFilm:
    del settings
    return film
