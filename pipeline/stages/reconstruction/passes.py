"""All clips of a video, once as they were filmed, and where their lens bends or their shutter rolls on rectified ones.

Where edges of rooms tell a bend before, the first pass is on straightened pictures, too.
"""

import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.contract.arrays import Images
from pipeline.contract.errors import ClipError
from pipeline.contract.records import LeftOut, Reconstruction
from pipeline.geometry.distortion import STRAIGHT
from pipeline.stages.base import Workbench
from pipeline.stages.faults import clip_fault
from pipeline.stages.reconstruction.another_try import TRIES, FinishedClips, another_try
from pipeline.stages.reconstruction.base import FramesBetween, Reconstructor, WalkReconstructor
from pipeline.stages.reconstruction.checkpoints import ClipCheckpoints, Kept
from pipeline.stages.reconstruction.film import ClipRows, FilmCamera, FilmedClips, RectifiedFrames
from pipeline.stages.reconstruction.first_look import (
    ANOTHER,
    FARTHEST,
    LESS,
    NEAREST,
    UNTOLD,
    Ballot,
    FindsLens,
    FirstLook,
    HasLastResort,
    LensFit,
)
from pipeline.stages.reconstruction.rows import among, only_shown, unit_depth
from pipeline.store.groups import FRAMES

Attempted = Callable[[Images, Path, RectifiedFrames, Kept], FirstLook]
"""One way to look at a clip: its frames, an empty folder to work in, frames between, and what is kept of it."""

NOTHING_KEPT = Kept(UNTOLD, None, None)

NOTHING_KNOWN = Ballot(STRAIGHT, square=False)

SURELY = 0.8
"""Probability of being right from which on a clip is believed against its video."""

LOOKS = 3
"""Times that the clips are asked for a lens: what the first one left of a strong bend is found by those after it."""

CLIPS_OF_LINES = 24
"""Clips whose edges are asked for a lens: they are of one camera, and a few hundred edges tell."""


@dataclass(frozen=True)
class Passes:
    """The clips of one video, what reconstructs them, and the folder of their checkpoints."""

    workbench: Workbench
    backend: Reconstructor
    clips: ClipRows
    folder: Path

    def run(self) -> tuple[FinishedClips, FilmedClips]:
        """Return the reconstructions of all clips, and the film with what was undone in its pictures."""
        backend, film = self.backend, FilmedClips(self.workbench.video, self.clips)
        if not isinstance(backend, FindsLens):
            return FinishedClips(self._finished(self.folder, film)), film
        lens, deviation = backend.lens_of_lines(self._some_pictures())
        film = film.taken_by(FilmCamera(lens))
        film = film.with_rates() if backend.asks_for_motion else film
        for number in range(LOOKS):
            folder = self.folder / f"look-{number}"
            ballot = backend.vote([look.fit for look in self._looks(backend, folder, film)], deviation)
            if not (ballot.lens.bends or ballot.readout):
                return self._with_further_tries(backend, self._finished(folder, film, ballot), film, ballot), film
            film = film.taken_by(film.camera.then(ballot.lens, ballot.readout))
        ballot = ballot._replace(focal=0.0)
        return self._with_further_tries(backend, self._finished(self.folder / "last", film, ballot), film, ballot), film

    def _looks(self, backend: FindsLens, folder: Path, film: FilmedClips) -> list[Kept]:
        def look(rgb: Images, scratch: Path, between: RectifiedFrames, _: Kept) -> FirstLook:
            return backend.first_look(rgb, scratch, between, film.rates_of(between.frames.clip_id))

        looks = self.each(folder, film, look)
        return [looks.look(clip_id) for clip_id, _ in self.clips]

    def _some_pictures(self) -> Iterator[Images]:
        """Yield the frames of clips from all of the video, one clip at a time."""
        chosen = np.unique(np.linspace(0, len(self.clips) - 1, min(CLIPS_OF_LINES, len(self.clips))).astype(int))
        for number in chosen.tolist():
            yield self.workbench.video.read(FRAMES, "rgb", self.clips[number][1])

    def _with_further_tries(
        self, backend: FindsLens, first: ClipCheckpoints, film: FilmedClips, known: Ballot
    ) -> FinishedClips:
        """Try the clips that are refused again, with the focal length of those that came through where one is known.

        What is refused to the last is left to the other way that the backend may have.
        """
        folders = [self.folder / f"again-{draw}" for draw in range(1, TRIES + 1)]
        last = self.folder / "last-resort"
        finished = FinishedClips(first, tuple(ClipCheckpoints(folder) for folder in (*folders, last)))
        refused, focal = another_try(first, [clip_id for clip_id, _ in self.clips])
        known = known._replace(focal=known.focal or focal)
        for clip_id, rows in self.clips:
            # all attempts at a clip before those at the next: a backend may keep what it knows of the clip
            alone = replace(self, clips=[(clip_id, rows)])
            for draw, folder in enumerate(folders, 1):
                if clip_id in refused and finished.is_left_out(clip_id):
                    alone.each(folder, film, _once_more(backend, known, draw))
            refusals = finished.refusals(clip_id) if finished.is_left_out(clip_id) else []
            if refusals and isinstance(backend, HasLastResort) and backend.may_help(one.code for one in refusals):
                alone.each(last, film, _last_resort(backend, refusals[0]))
        return finished

    def _finished(self, folder: Path, film: FilmedClips, known: Ballot = NOTHING_KNOWN) -> ClipCheckpoints:
        """Return the results of a pass, after what is still to come of it, or to be done again with what is known."""

        def finish(rgb: Images, scratch: Path, between: RectifiedFrames, kept: Kept) -> FirstLook:
            return FirstLook(UNTOLD, self._result(rgb, scratch, between, kept, known))

        return self.each(
            folder, film, finish, lambda kept: kept.result is not None and not _is_unlike(kept, kept.result, known)
        )

    def _result(self, rgb: Images, scratch: Path, between: FramesBetween, kept: Kept, known: Ballot) -> Reconstruction:
        """Reconstruct a clip with what is known of the video's camera, or go on from the cameras that were kept.

        Cameras that are refused with the video's focal length are gone on with as they were.
        """
        backend = self.backend
        if isinstance(backend, FindsLens) and isinstance(kept.result, Reconstruction):
            return _again(backend, rgb, scratch, between, kept.result, known)
        if isinstance(backend, FindsLens) and kept.cameras is not None:
            if _is_off(kept.fit, kept.fit.focal, known):
                with suppress(ClipError):
                    return backend.reconstruct_known(rgb, scratch, between, known)
                scratch = Path(tempfile.mkdtemp(dir=scratch))
            return backend.go_on(rgb, scratch, between, kept.cameras)
        if isinstance(backend, FindsLens) and (known.square or known.focal):
            return backend.reconstruct_known(rgb, scratch, between, known)
        if isinstance(backend, WalkReconstructor):
            return backend.reconstruct_walk(rgb, scratch, between)
        return backend.reconstruct(rgb, scratch)

    def each(
        self,
        folder: Path,
        film: FilmedClips,
        do: Attempted,
        is_done: Callable[[Kept], bool] = lambda _: True,
    ) -> ClipCheckpoints:
        """Do with every clip what was not done; what it said of its lens before stays. is_done: of what was kept.

        Cameras that are done again with another focal length, and then refused, stay as they were if they are surely
        right: that the clip leaves the video's camera open and comes out wrong with it speaks against it.
        """
        checkpoints = ClipCheckpoints(folder)
        for done, (clip_id, rows) in enumerate(self.clips):
            said = f"clip {clip_id}, {rows.stop - rows.start} frames" + (", rectified" if film.camera.changes else "")
            self.workbench.progress("reconstruction", done, len(self.clips), said)
            kept = checkpoints.look(clip_id) if clip_id in checkpoints else None
            if kept is None or not is_done(kept):
                fit, result, cameras = self._one(clip_id, film, do, kept or NOTHING_KEPT)
                self.workbench.check_weights()
                if kept is None:
                    checkpoints.save(clip_id, result, fit, cameras)
                elif not (isinstance(result, ClipError) and _is_sound(kept.result)):
                    checkpoints.save(clip_id, result, kept.fit)
        return checkpoints

    def _one(self, clip_id: int, film: FilmedClips, do: Attempted, kept: Kept) -> FirstLook:
        """Return what comes of one clip, or the error that leaves it out.

        Whatever a clip's pictures bring up is its own fault alone; what comes of the machine or of the whole video is
        raised.
        """
        rgb, between = film.pictures(clip_id), film.between(clip_id)
        with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
            try:
                fit, result, cameras = do(rgb, Path(scratch), between, kept)
                if isinstance(result, Reconstruction):
                    result = unit_depth(only_shown(result, rgb))
                return FirstLook(fit, result, cameras)
            except ClipError as error:
                return FirstLook(UNTOLD, error)
            except Exception as error:
                fault = clip_fault(error)
                if fault is None:
                    raise
                return FirstLook(UNTOLD, fault)


def _once_more(backend: FindsLens, known: Ballot, draw: int) -> Attempted:
    """Return what reconstructs a clip with what is known of the video's camera, with samples of its own."""

    def again(rgb: Images, scratch: Path, between: RectifiedFrames, _: Kept) -> FirstLook:
        return FirstLook(UNTOLD, backend.reconstruct_known(rgb, scratch, between, known, draw))

    return again


def _last_resort(backend: HasLastResort, refused: LeftOut) -> Attempted:
    """Return what reconstructs a clip the other way that its backend has, after it was refused."""

    def otherwise(rgb: Images, scratch: Path, _between: RectifiedFrames, _kept: Kept) -> FirstLook:
        return FirstLook(UNTOLD, backend.last_resort(rgb, scratch, f"{refused.code}: {refused.detail}"))

    return otherwise


def _again(
    backend: FindsLens, rgb: Images, scratch: Path, between: FramesBetween, before: Reconstruction, known: Ballot
) -> Reconstruction:
    """Do a clip again with what is known of the video's camera: if that is refused, only the frames placed before."""
    try:
        return backend.reconstruct_known(rgb, scratch, between, known)
    except ClipError:
        if before.registered.all():
            raise
    scratch = Path(tempfile.mkdtemp(dir=scratch))
    found = backend.reconstruct_known(rgb[before.registered], scratch, None, known)
    return among(found, np.flatnonzero(before.registered), len(rgb))


def _is_sound(result: Reconstruction | LeftOut | None) -> bool:
    """Tell whether a result is there, has square pixels, and is surely right as far as that is known."""
    if not isinstance(result, Reconstruction) or _is_stretched(result):
        return False
    return not result.probability_right < SURELY


def _is_stretched(result: Reconstruction) -> bool:
    focal = result.intrinsics[result.registered][:, (0, 1), (0, 1)]
    return bool(np.any(focal[:, 0] != focal[:, 1]))


def _is_unlike(kept: Kept, result: Reconstruction | LeftOut, known: Ballot) -> bool:
    """Tell whether a clip's camera differs from what is known of the video's, and may be that one all the same."""
    if isinstance(result, LeftOut):
        return False
    if known.square and _is_stretched(result):
        return True
    return _is_off(kept.fit, float(result.intrinsics[result.registered][:, 0, 0].mean()), known)


def _is_off(fit: LensFit, focal: float, known: Ballot) -> bool:
    """Tell whether a focal length (pixels) is not the video's, which is surer, and may be meant to be that one."""
    if not known.focal or not fit.focal or known.spread > LESS * fit.spread:
        return False
    return NEAREST < abs(math.log(focal / known.focal)) < max(ANOTHER, FARTHEST * fit.spread)
