"""What a retrieval benchmark's scores look like: queries as heat over picture and grid, beside what they mean."""

from dataclasses import replace

import numpy as np
from PIL import Image

from pipeline.language.query import FrameHit, frame_heat
from pipeline.language.retrieval.benchmark import KINDS, Benchmark
from pipeline.language.retrieval.report import QueryScore, RetrievalReport
from pipeline.language.text import SanText
from pipeline.pictures.heat import grid_heat, heat_bounds, picture_heat
from pipeline.pictures.layout import below, beside, caption
from pipeline.store.groups import FRAMES
from pipeline.store.rows import read_pictures
from pipeline.store.store import Store

WIDTH = 616


def heat_maps(store: Store, text: SanText, benchmark: Benchmark, report: RetrievalReport) -> Image.Image:
    """Return one query of each kind in a row: heat over the picture, over the dataset's grid, and the true mask."""
    return below(*(_row(store, text, benchmark, score) for score in examples(report)))


def examples(report: RetrievalReport) -> list[QueryScore]:
    """Return the query of each kind whose precision at true scale is the median one, so that none is picked to please.

    Of an even number it is the lower of the two in the middle.
    """
    kinds = ([score for score in report.scores if score.query.kind == kind] for kind in KINDS)
    ordered = (sorted(scores, key=lambda score: score.true_scale) for scores in kinds)
    return [scores[(len(scores) - 1) // 2] for scores in ordered if scores]


def _row(store: Store, text: SanText, benchmark: Benchmark, score: QueryScore) -> Image.Image:
    query, video = score.query, store.video(score.query.video_id)
    row = int(np.flatnonzero(video.read(FRAMES, "frame_index") == query.frame_index)[0])
    hit = FrameHit(query.video_id, row, score.true_scale)
    heat = frame_heat(video, hit, text.embed([score.asked])[0]).heat
    bounds = heat_bounds([heat])
    place = benchmark.queries.index(query)
    meant = np.where(benchmark.occupied[place], benchmark.mask[place].astype(np.float32), np.float32("nan"))
    pictures = (
        picture_heat(read_pictures(video, slice(row, row + 1))[0], heat, bounds),
        grid_heat(heat, bounds),
        grid_heat(replace(heat, voxels=meant), (0.0, 1.0)),
    )
    asked = "" if score.asked == query.text else f", asked: {score.asked}"
    title = f"{query.text}{asked}: precision {score.true_scale:.2f} at true scale, by chance {score.share:.2f}"
    names = "heat over the picture, over the dataset's grid; what is meant, in the true grid"
    return below(caption(title, 14, width=WIDTH), beside(*pictures), caption(names, 11, width=WIDTH))
