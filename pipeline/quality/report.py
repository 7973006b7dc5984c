"""The quality report: every figure with its target, as a table and as a plot."""

import io
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial

import numpy as np
from pydantic import BaseModel, ConfigDict

from pipeline.contract.errors import CorruptStore, CredentialsRefused
from pipeline.contract.overlap import OverlapCounts
from pipeline.contract.progress import Progress, silent
from pipeline.quality.figure import Figure
from pipeline.quality.reliability import reliability
from pipeline.quality.scores import ClipErrors, Overlap, TourScores
from pipeline.settings import Settings
from pipeline.stages.chain import made_by
from pipeline.stages.run import is_built
from pipeline.store.groups import PROBABILITY_RIGHT, QUALITY
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from pipeline.tours.frozen import frozen_among, refuse_frozen


class QualityReport(BaseModel):
    """Scores of tours and the profile they were built with."""

    model_config = ConfigDict(frozen=True)

    profile: str
    tours: tuple[TourScores, ...]

    def figures(self, tours: Sequence[TourScores] | None = None) -> list[Figure]:
        """Return every figure over some tours, by default over all: medians and means over clips, whole-set counts.

        What lies in the data comes first, then stage by stage what it comes from.
        """
        tours = self.tours if tours is None else tours
        clips = [clip for tour in tours for clip in tour.clips]
        if not tours:
            return []
        of_clips = [*_clip_figures(clips), *reliability(clips)]
        return [*_data_figures(tours, clips), *_video_figures(tours), *of_clips, *_overlap_figures(tours)]

    def markdown(self) -> str:
        """Return the report over all tours as a Markdown table."""
        names = ", ".join(tour.video_id for tour in self.tours)
        lines = [
            f"profile {self.profile} on {names or 'no tours'}",
            "",
            "| stage | figure | value | target | reached | what it says |",
        ]
        lines.append("|---|---|---|---|---|---|")
        marks = {True: "yes", False: "**no**", None: ""}
        for row in self.figures():
            value = f"{row.value:.3f}{row.unit}"
            lines.append(f"| {row.stage} | {row.name} | {value} | {row.target} | {marks[row.reached]} | {row.says} |")
        return "\n".join(lines)

    def plot(self) -> bytes:
        """Return a PNG: one panel a figure with a target, one bar a tour, the target as a line."""
        from matplotlib.figure import Figure as Canvas

        targeted = [row for row in self.figures() if row.reached is not None]
        columns = 3
        canvas = Canvas(figsize=(4 * columns, 2.2 * -(-len(targeted) // columns)), layout="constrained")
        for number, row in enumerate(targeted):
            axes = canvas.add_subplot(-(-len(targeted) // columns), columns, number + 1)
            values = [next((f.value for f in self.figures([t]) if f.name == row.name), np.nan) for t in self.tours]
            axes.bar([tour.video_id.removeprefix("tour-") for tour in self.tours], values, color="#4c78a8")
            goal = row.at_least if row.at_least is not None else row.at_most
            axes.axhline(float(goal or 0), color="#e45756", linewidth=1)
            axes.set_title(f"{row.name} ({row.target})", fontsize=9)
            axes.tick_params(labelsize=6, rotation=45)
        buffer = io.BytesIO()
        canvas.savefig(buffer, format="png", dpi=80)
        return buffer.getvalue()


def tour_quality(
    store: Store, video_ids: Iterable[str], settings: Settings, progress: Progress = silent
) -> QualityReport:
    """Score all built tours among some videos; scores of unchanged results are taken from ``quality.json``.

    Raises:
        FrozenSeeds: some are frozen, and no look at them was logged.
    """
    wanted, tours = list(video_ids), []
    refuse_frozen(frozen_among(store, wanted))
    for done, video_id in enumerate(wanted):
        scores = _tour_scores(
            store.video(video_id).as_it_is(), settings, partial(progress, "score", done, len(wanted), video_id)
        )
        tours += [scores] if scores else []
    return QualityReport(profile=settings.profile, tours=tuple(tours))


def _tour_scores(video: VideoStore, settings: Settings, begins: Callable[[], None]) -> TourScores | None:
    made, stored = made_by(video, "occupancy"), _stored_scores(video)
    if made is None or not is_built(video, settings):
        return None
    if stored is not None and stored.fingerprint == made.fingerprint:
        is_told = all(PROBABILITY_RIGHT in clip.model_fields_set for clip in stored.clips)
        return stored if is_told else _told(video, stored)
    begins()
    # Renders and measures; a build with nothing to score is spared their imports.
    from pipeline.quality.measures import measure_tour
    from pipeline.tours.truth import tour_of

    tour = tour_of(video)  # a house to be built, which takes seconds
    if tour is None:
        return None
    return _kept(video, measure_tour(video, tour, settings, made))


def _told(video: VideoStore, stored: TourScores) -> TourScores:
    from pipeline.quality.measures import with_probabilities

    return _kept(video, with_probabilities(video, stored))


def _kept(video: VideoStore, scores: TourScores) -> TourScores:
    if not video.files.is_read_only():
        with suppress(CredentialsRefused):  # whoever may only read a bucket measures again the next time
            video.write_json(QUALITY, scores.model_dump(mode="json"))
    return scores


def _stored_scores(video: VideoStore) -> TourScores | None:
    """Return the scores that were kept; None where there are none, or none that read back: they are made again."""
    try:
        return TourScores.model_validate(video.read_json(QUALITY)) if video.exists(QUALITY) else None
    except (CorruptStore, ValueError):
        return None


def _data_figures(tours: Sequence[TourScores], clips: Sequence[ClipErrors]) -> list[Figure]:
    grids = _overlaps(tours, "grids")
    scale = float(np.median([clip.scale_error for clip in clips])) if clips else float("nan")
    filled = "voxels that are rightly filled, of those filled here or in truth; in the metres that were estimated"
    return [
        Figure("occupancy", "IoU, estimated scale", grids.iou, filled, at_least=0.4),
        Figure("occupancy", "mIoU, estimated scale", grids.miou, "the same class by class", at_least=0.22),
        Figure("scene", "scale error, median", scale, "metres are longer or shorter by this share", at_most=0.025),
    ]


def _video_figures(tours: Sequence[TourScores]) -> list[Figure]:
    found, true, matched = (sum(getattr(tour.cuts, name) for tour in tours) for name in ("found", "true", "matched"))
    judged, right = sum(tour.indoor_clips for tour in tours), sum(tour.indoor_right for tour in tours)
    shots, came_through = sum(tour.indoor_shots for tour in tours), sum(tour.shots_reconstructed for tour in tours)
    mixed, f1 = sum(t.transition_frames for t in tours), matched / max(found + true, 1)
    kept = "frames of fades and dissolves that are in clips"
    return [
        Figure("clips", "cut precision", matched / max(found, 1), "cuts that are there, of those found"),
        Figure("clips", "cut recall", matched / max(true, 1), "cuts that were found, of those that are there"),
        Figure("clips", "cut F1", 2 * f1, "both as one number", at_least=0.95),
        Figure("clips", "kept frames inside transitions", mixed, kept, at_most=0),
        Figure(
            "indoor_clips", "accuracy per clip", right / max(judged, 1), "clips rightly kept or left out", at_least=0.95
        ),
        Figure("reconstruction", "indoor shots that came through", came_through / max(shots, 1), "of walks indoors"),
    ]


def _clip_figures(clips: Sequence[ClipErrors]) -> list[Figure]:
    def over(name: str, statistic: Callable[[list[float]], np.floating]) -> float:
        return float(statistic([getattr(clip, name) for clip in clips])) if clips else float("nan")

    frames = sum(clip.frames for clip in clips)
    found = sum(clip.registered for clip in clips) / max(frames, 1)
    focal, rotation, way = (over(name, np.median) for name in ("focal_error", "rotation_median", "direction_median"))
    up, floor = over("up_degrees", np.mean), over("floor_m", np.median)
    area, depth = "1 where every pair of cameras is exact, 0 where none is within", "pixels whose depth is"
    return [
        Figure("reconstruction", "frames registered", found, "frames with a camera"),
        Figure("reconstruction", "focal error, median", focal, "focal lengths are off by this share", at_most=0.03),
        Figure("reconstruction", "rotation error, median", rotation, "between two cameras", " deg"),
        Figure("reconstruction", "translation direction, median", way, "from one camera to another", " deg"),
        Figure("reconstruction", "rotation AUC@5", over("rotation_auc5", np.mean), f"{area} 5 degrees", at_least=0.9),
        Figure("reconstruction", "pose AUC@5", over("auc5", np.mean), "the same of rotation and direction"),
        Figure("reconstruction", "pose AUC@10", over("auc10", np.mean), "within 10 degrees"),
        Figure("reconstruction", "pose AUC@20", over("auc20", np.mean), "within 20 degrees"),
        Figure(
            "reconstruction", "depth AbsRel", over("depth_abs_rel", np.mean), "depth is off by this share", at_most=0.05
        ),
        Figure("reconstruction", "depth delta < 1.25", over("depth_delta", np.mean), f"{depth} right within a quarter"),
        Figure("reconstruction", "depth given", over("depth_given", np.mean), f"{depth} known", at_least=0.6),
        Figure("scene", "up-vector error, mean", up, "floors are tilted by this much", " deg", at_most=2.0),
        Figure("scene", "floor height error, median", floor, "floors are too high or low", " m"),
    ]


def _overlap_figures(tours: Sequence[TourScores]) -> list[Figure]:
    pixels, known = _overlaps(tours, "pixels"), _overlaps(tours, "grids_true_scale")
    size = "as above, if the size had been known: what cameras, depth and labels are worth"
    return [
        Figure("semantics", "mIoU of pixels, 11 classes", pixels.miou, "labels that are right, class by class"),
        Figure("occupancy", "IoU, true scale", known.iou, size),
        Figure("occupancy", "precision, true scale", known.precision, "voxels that are there, of those filled"),
        Figure("occupancy", "recall, true scale", known.recall, "voxels that are filled, of those that can be seen"),
        Figure("occupancy", "mIoU, true scale", known.miou, "class by class"),
    ]


def _overlaps(tours: Sequence[TourScores], name: str) -> OverlapCounts:
    parts: list[Overlap] = [getattr(tour, name) for tour in tours]
    return sum((part.counts() for part in parts), OverlapCounts.nothing())
