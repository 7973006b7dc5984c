"""The dataset's own page: ``dataset/index.html``, which any browser shows without a server, scripts or a network."""

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from html import escape
from importlib.metadata import version
from importlib.resources import files
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image

from models.json_text import parsed_json
from pipeline.contract.classes import SemanticClass, palette
from pipeline.contract.errors import VideoError
from pipeline.dataset.contents import read_contents
from pipeline.dataset.reject_links import reject_links
from pipeline.dataset.summaries import DEPTH_BOUNDS, described
from pipeline.pictures.charts import bars, histogram
from pipeline.pictures.chosen import chosen_row
from pipeline.pictures.encode import jpeg
from pipeline.pictures.viewer.clip_page import content_hash, filled
from pipeline.pictures.viewer.kept import VIEW, keep_view
from pipeline.store.groups import SCENE
from pipeline.store.index import DatasetSummary
from pipeline.store.rows import read_pictures
from pipeline.store.store import Store
from pipeline.store.video import VIDEOS

INDEX_PAGE = ("dataset", "index.html")
QUALITY_ROWS = ("dataset", "quality.json")
SAMPLES = 24
THUMBNAIL_BYTES = 12_000
THUMBNAIL_SIZE = (240, 180)
MOST_ROWS = 30
"""Rows of a table; what is rarer is counted together."""

MARK = "<!-- made of "
"""Before a digest of all that a page shows; there is none where a sample could not be read."""

UNREADABLE = "cannot be read at the moment"

SPACE = (SemanticClass.EMPTY.name.lower(), SemanticClass.UNKNOWN.name.lower())


def write_dataset_page(store: Store, summary: DatasetSummary) -> str:
    """Write the page of a dataset whose index has been written; returns its path.

    It reads the videos that are new since the last time and ``SAMPLES`` pictures, whatever the size of the dataset;
    where nothing that it shows has changed, the page stays as it is.

    Raises:
        DiskFull: there is no room for it.
    """
    contents = read_contents(store)
    known = described(store, contents if contents is not None else pa.table({"video_id": [], "fingerprint": []}))
    mark = _mark(store, summary, known)
    if store.exists(*INDEX_PAGE) and store.read_bytes(*INDEX_PAGE)[-len(mark) :] == mark:
        return store.path(*INDEX_PAGE)
    parts = {
        "counts": _counts(summary, known),
        "classes": _classes(summary),
        "depth": _depth(known),
        "scale": _scale(known),
        "lengths": _lengths(known),
        "rejects": _rejects(summary) + reject_links(store, summary),
        "licences": _table(_counted(known["licence"].to_pylist()), ("licence", "videos")),
        "sources": _table(_counted(known["uploader"].to_pylist()), ("published by", "videos")),
        "quality": _quality(store),
        "samples": "".join(_samples(store, known)),
    }
    style = _part("page.css")
    known_parts = {"policy": content_hash(style), "style": style, "version": escape(summary.version), **parts}
    text = filled(_part("page.html"), known_parts).encode()
    _write_where_other(store, text if UNREADABLE in parts["samples"] else text + mark, INDEX_PAGE)
    return store.path(*INDEX_PAGE)


def _mark(store: Store, summary: DatasetSummary, known: pa.Table) -> bytes:
    """Return what a page ends with that shows all this: videos by their fingerprints, figures, layout."""
    digest = hashlib.sha256(f"{version('youtube-occ')}{_part('page.html')}{_part('page.css')}".encode())
    digest.update(summary.model_dump_json().encode())
    digest.update(json.dumps(known.to_pydict()).encode())
    digest.update(store.read_bytes(*QUALITY_ROWS) if store.exists(*QUALITY_ROWS) else b"")
    return f"{MARK}{digest.hexdigest()} -->\n".encode()


def keep_quality(store: Store, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Keep figures for the page, a row a figure: stage, name, value, target, whether it is reached, what it says.

    Returns whether they are others than before.
    """
    return _write_where_other(store, json.dumps(list(rows)).encode(), QUALITY_ROWS)


def _write_where_other(store: Store, content: bytes, place: tuple[str, ...]) -> bool:
    if store.exists(*place) and store.read_bytes(*place) == content:
        return False
    store.write_bytes(content, *place)
    return True


def _part(name: str) -> str:
    return files("pipeline.dataset").joinpath(name).read_text(encoding="utf-8")


def _counts(summary: DatasetSummary, known: pa.Table) -> str:
    seconds = _flat(known["clip_seconds"])
    shown = [
        ("videos", f"{summary.videos:,}"),
        ("clips", f"{summary.clips:,}"),
        ("frames", f"{summary.frames:,}"),
        *((f"frames of {split}", f"{frames:,}") for split, frames in summary.frames_by_split.items()),
        ("minutes of clips", f"{seconds.sum() / 60:,.1f}"),
        ("of all voxels unknown", f"{_share_unknown(summary):.1%}"),
    ]
    waiting = summary.videos - known.num_rows
    note = f"<p>{waiting:,} videos are not described below yet; the next refreshes do.</p>" if waiting > 0 else ""
    return (
        f'<ul class="counts">{"".join(f"<li><b>{value}</b> {escape(name)}</li>" for name, value in shown)}</ul>{note}'
    )


def _share_unknown(summary: DatasetSummary) -> float:
    voxels = {name: found.voxels for name, found in summary.classes.items()}
    return voxels.get(SPACE[1], 0) / max(1, sum(voxels.values()))


def _classes(summary: DatasetSummary) -> str:
    found = {name: counted for name, counted in summary.classes.items() if name not in SPACE}
    occupied = max(1, sum(counted.voxels for counted in found.values()))
    rows = [
        (name, float(counted.voxels), f"{counted.voxels / occupied:.1%}, in {counted.frames:,} frames")
        for name, counted in found.items()
    ]
    return bars(rows, [_colour(name) for name in found])


def _colour(name: str) -> tuple[int, int, int]:
    red, green, blue = palette()[SemanticClass[name.upper()]].tolist()
    return red, green, blue


def _depth(known: pa.Table) -> str:
    counts = np.zeros(len(DEPTH_BOUNDS) - 1, np.int64)
    if known.num_rows:
        counts += _flat(known["depth"]).astype(np.int64).reshape(known.num_rows, -1).sum(axis=0)
    return histogram(counts.tolist(), DEPTH_BOUNDS.tolist(), "m")


def _scale(known: pa.Table) -> str:
    sources = Counter(chain.from_iterable(known["scale_source"].to_pylist()))
    rows = [(name.replace("_", " "), float(n), f"{n:,} clips") for name, n in sources.most_common()]
    heights = _heights(known, "camera_height", 3.0, "the camera") + _heights(
        known, "ceiling_height", 6.0, "the ceiling"
    )
    return heights + "<p>What the size of clips rests on.</p>" + bars(rows) + _cues(known) + _deviations(known)


def _heights(known: pa.Table, name: str, most: float, what: str) -> str:
    """Return a histogram of heights above the floor, metres; what is higher than ``most`` is in its last column."""
    values = _flat(known[name])
    found = values[np.isfinite(values)]
    if not len(found):
        return f"<p>How high {what} is above the floor is not known.</p>"
    counts, bounds = np.histogram(np.clip(found, 0, most - 1e-3), 24, (0, most))
    said = f"<p>Height of {what} above the floor: median {np.median(found):.2f} m, of {len(found):,} clips.</p>"
    return said + histogram(counts.tolist(), bounds.tolist(), "m")


def _cues(known: pa.Table) -> str:
    """Return what carried the size of clips: in how many of them each cue did."""
    cues = Counter(chain.from_iterable(names.split("+") for names in _named_cues(known)))
    cues.pop("disagreeing", None)
    rows = [(name.replace("_", " "), float(n), f"{n:,} clips") for name, n in cues.most_common()]
    return "<p>Cues that it was read from.</p>" + bars(rows) if rows else ""


def _named_cues(known: pa.Table) -> list[str]:
    return [names for names in chain.from_iterable(known["scale_cues"].to_pylist()) if names]


def _deviations(known: pa.Table) -> str:
    """Return how sure the scales are: a histogram of what is known of them."""
    sigmas = _flat(known["scale_sigma"])
    sigmas = sigmas[np.isfinite(sigmas)]
    if not len(sigmas):
        return "<p>How sure these sizes are is not known: an earlier release made them.</p>"
    counts, bounds = np.histogram(np.clip(100 * sigmas, 0, 59.99), 20, (0, 60))
    said = f"<p>Standard deviation of the size, a clip each; median {np.median(sigmas):.0%}.</p>"
    return said + histogram(counts.tolist(), bounds.tolist(), "%") + _disagreeing(known)


def _disagreeing(known: pa.Table) -> str:
    """Return in how many clips cues of the size disagree."""
    cues = [names.split("+") for names in _named_cues(known)]
    odd = sum("disagreeing" in names for names in cues)
    return f"<p>In {odd:,} of {len(cues):,} clips two cues of the size are more than three deviations apart.</p>"


def _lengths(known: pa.Table) -> str:
    seconds = _flat(known["clip_seconds"])
    longest = max(4.0, float(np.ceil(np.percentile(seconds, 99)))) if len(seconds) else 4.0
    counts, bounds = np.histogram(np.clip(seconds, 0, longest - 1e-6), 20, (0, longest))
    return histogram(counts.tolist(), bounds.tolist(), "s")


def _rejects(summary: DatasetSummary) -> str:
    rows = [(f"{found.code}, by {found.stage}", float(found.count), f"{found.count:,}") for found in summary.counts()]
    rows.sort(key=lambda row: -row[1])
    return bars(rows[:MOST_ROWS]) if rows else "<p>Nothing was left out.</p>"


def _quality(store: Store) -> str:
    rows: Any = None
    with suppress(VideoError, ValueError):
        rows = parsed_json(store.read_bytes(*QUALITY_ROWS)) if store.exists(*QUALITY_ROWS) else None
    if not isinstance(rows, list) or not rows:
        return "<p>No video here has a known truth (rendered tours do), so nothing can be said.</p>"
    marks = {True: "yes", False: "no", None: ""}
    names = ("stage", "name", "value", "target")
    cells = [[*(row[name] for name in names), marks[row["reached"]], row.get("says", "")] for row in rows]
    return _table(cells, ("stage", "figure", "value", "target", "reached", "what it says"))


def _samples(store: Store, known: pa.Table) -> list[str]:
    """Return some videos, spread evenly, each with a picture and a link to the page of its fullest clip."""
    held = known.filter(pc.greater(pc.list_value_length(known["clip_frames"]), 0))
    places = np.unique(np.linspace(0, held.num_rows - 1, min(SAMPLES, held.num_rows)).astype(int)).tolist()
    found = []
    for row in held.select(["video_id", "title", "clip_frames"]).take(places).to_pylist() if places else []:
        video = store.video(row["video_id"]).as_it_is()
        said = f"{escape(row['title'] or row['video_id'])}<small>{len(row['clip_frames'])} clips</small>"
        try:
            keep_view(video)
            small = Image.fromarray(read_pictures(video, chosen_row(video, SCENE))[0]).resize(THUMBNAIL_SIZE)
        except (VideoError, ValueError, IndexError):  # gone, or being built anew
            found.append(f"<li>{said}<small>{UNREADABLE}</small></li>")
            continue
        image = base64.b64encode(jpeg(small, THUMBNAIL_BYTES)).decode()
        link = f"../{VIDEOS}/{video.video_id}/{VIEW}"
        found.append(f'<li><a href="{link}"><img alt="" src="data:image/jpeg;base64,{image}">{said}</a></li>')
    return found


def _counted(values: Sequence[str]) -> list[list[str]]:
    counted = Counter(value or "not known" for value in values).most_common()
    rows = [[name, f"{count:,}"] for name, count in counted[:MOST_ROWS]]
    rest = sum(count for _, count in counted[MOST_ROWS:])
    return [*rows, *([[f"{len(counted) - MOST_ROWS:,} others", f"{rest:,}"]] if rest else [])]


def _table(rows: Sequence[Sequence[object]], names: Sequence[str]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{head}</tr>{body}</table></div>'


def _flat(lists: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return all values of lists, one after the other."""
    return np.asarray(pc.list_flatten(lists).to_numpy(), np.float64)
