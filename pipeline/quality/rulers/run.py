"""Builds the films of a suite that are not built yet, and measures those that are not measured yet."""

import time
from collections.abc import Iterable

from pipeline.contract.errors import CorruptStore
from pipeline.contract.progress import Progress, silent
from pipeline.quality.rulers.measure import lost_film, measure_film
from pipeline.quality.rulers.records import FilmScores, PartScores
from pipeline.quality.rulers.suites import Part
from pipeline.quality.truth.film import TrueFilm
from pipeline.settings import Settings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.stages.base import Workbench
from pipeline.stages.chain import finished_fingerprint
from pipeline.stages.failures import last_failure, worth_trying
from pipeline.stages.faults import video_fault
from pipeline.stages.run import final_fingerprint, is_built, process_video
from pipeline.store.groups import RULER
from pipeline.store.store import Store
from pipeline.store.video import VideoStore

RULES = "3"
"""Changes when films are measured in another way, so that kept scores are made anew."""


def run_suite(
    parts: Iterable[Part],
    stores: dict[str, Store],
    settings: dict[str, Settings],
    progress: Progress = silent,
) -> tuple[PartScores, ...]:
    """Build and measure every film; one that fails, by whatever error, is lost with its words, and the others go on.

    What the others would fail by as well ends the suite: a full disk, memory that ran out, missing weights.

    Args:
        parts: of the suite.
        stores: of every part's folder.
        settings: that hold in every part's folder.
        progress: told of films as ``films``, with how many are done and how long the rest may take.

    Raises:
        FrozenSeeds: a tour is frozen, and no look at it was logged.
    """
    chosen = list(parts)
    total, began, done = sum(len(part.films) for part in chosen), time.monotonic(), 0
    found = []
    for part in chosen:
        catalog, scored = Catalog(stores[part.folder]), []
        catalog.add([source for source, _ in part.films])
        for source, truth_of in part.films:
            progress("films", done, total, f"{part.name}: {source.origin}{_left(began, done, total)}")
            video = stores[part.folder].video(source.video_id)
            workbench = Workbench(video, catalog, settings[part.folder], progress)
            failure = _build(workbench, settings[part.folder])
            film = truth_of(settings[part.folder])
            scored.append(_scores(video, film, settings[part.folder], failure))
            done += 1
        found.append(PartScores(name=part.name, films=tuple(scored)))
    progress("films", done, total, "all are measured")
    return tuple(found)


def _build(workbench: Workbench, settings: Settings) -> str:
    """Build a film unless it is built, or failed for a reason that stays; returns why it failed, or nothing."""
    video = workbench.video
    if is_built(video, settings):
        return ""
    wanted = final_fingerprint(video.video_id, settings)
    failed = last_failure(video)
    if worth_trying(failed, wanted, settings.dataset.give_up_after):
        try:
            for _ in process_video(workbench):
                pass
        except Exception as error:
            if (fault := video_fault(error)) is None:
                raise
            return fault
        return ""
    return f"{failed.code}: {failed.detail}" if failed else ""


def _scores(video: VideoStore, film: TrueFilm, settings: Settings, failure: str) -> FilmScores:
    """Measure a film, unless what was measured of the same results and the same truth was kept."""
    wanted = final_fingerprint(video.video_id, settings)
    made_from = ":".join([RULES, wanted, finished_fingerprint(video) or "", failure, film.version])
    kept = _kept(video)
    if kept is not None and kept.made_from == made_from:
        return kept
    try:
        shots = measure_film(video, film, settings, failure)
    except Exception as error:
        if (fault := video_fault(error)) is None:
            raise
        # Not kept: the next run measures it again.
        shots = lost_film(film, settings, "; ".join(filter(None, [failure, f"not measured: {fault}"])))
        return FilmScores(name=film.name, video_id=video.video_id, made_from="", shots=shots)
    scores = FilmScores(name=film.name, video_id=video.video_id, made_from=made_from, shots=shots)
    if not video.files.is_read_only():
        video.write_json(RULER, scores.model_dump(mode="json"))
    return scores


def _kept(video: VideoStore) -> FilmScores | None:
    """Return the scores that were kept; None where there are none, or none that read back: they are made again."""
    try:
        return FilmScores.model_validate(video.read_json(RULER)) if video.exists(RULER) else None
    except (CorruptStore, ValueError):
        return None


def _left(began: float, done: int, total: int) -> str:
    """Say how long the rest takes if it is like what is done; nothing before the first film is."""
    seconds = (time.monotonic() - began) / max(done, 1) * (total - done)
    return f", about {seconds / 60:.0f} min left" if done and seconds >= 90 else ""
