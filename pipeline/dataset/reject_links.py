"""Contact sheets for the dataset's page: pictures of some clips that were left out, a sheet a reason, kept in a folder.

A sheet is made anew when the clips on it are others, so that a refresh reads a few films at most.
"""

import base64
import hashlib
import io
import re
from collections import defaultdict
from collections.abc import Sequence
from html import escape

from PIL import Image

from pipeline.contract.errors import VideoError
from pipeline.dataset.rejects import Reject, pictured, reject_sheet
from pipeline.pictures.encode import jpeg
from pipeline.store.groups import SOURCE_VIDEO
from pipeline.store.index import DatasetSummary, LeftOutEntry
from pipeline.store.store import Store

SHEETS = ("dataset", "rejects")
CLIPS_A_SHEET = 4
MOST_SHEETS = 12
"""Of a page; of the rarest reasons there is the command ``rejects``."""

SHEET_BYTES = 200_000
SMALL_BYTES = 16_000
SMALL_WIDTH = 360

_NAME = re.compile(r"[A-Za-z0-9_]{1,64}")


def reject_links(store: Store, summary: DatasetSummary) -> str:
    """Return small pictures of the sheets, each a link to the sheet, the most frequent reason first; HTML.

    Reasons are those of clips among the entries of the summary whose films are at hand.
    """
    counted = {(found.stage, found.code): found.count for found in summary.counts()}
    chosen = dict(sorted(_chosen(store, summary).items(), key=lambda item: -counted.get(item[0], 0))[:MOST_SHEETS])
    kept, shown = set[str](), []
    for (stage, code), entries in chosen.items():
        name = _file_name(store, code, entries)
        sheet = _sheet(store, name, entries)
        if sheet is None:
            continue
        kept.add(name)
        said = f"{escape(code)}, by {escape(stage)}: {counted.get((stage, code), len(entries)):,}"
        shown.append(f'<li><a href="{SHEETS[1]}/{name}"><img alt="" src="{_small(sheet)}">{said}</a></li>')
    for name in set(store.names(*SHEETS)) - kept:
        store.remove(*SHEETS, name)
    return f'<ul class="samples sheets">{"".join(shown)}</ul>' if shown else ""


def _chosen(store: Store, summary: DatasetSummary) -> dict[tuple[str, str], list[LeftOutEntry]]:
    """Return some clips of every reason, of different videos as far as there are, whose films can be looked into."""
    by_reason: dict[tuple[str, str], dict[str, LeftOutEntry]] = defaultdict(dict)
    for entry in summary.left_out:
        found = by_reason[entry.stage, entry.code]
        if entry.clip_id is None or entry.video_id in found or len(found) == CLIPS_A_SHEET:
            continue
        if _NAME.fullmatch(entry.code) and _has_film(store, entry.video_id):
            found[entry.video_id] = entry
    return {reason: list(found.values()) for reason, found in by_reason.items() if found}


def _has_film(store: Store, video_id: str) -> bool:
    try:
        return store.video(video_id).exists(SOURCE_VIDEO)
    except VideoError:
        return False


def _file_name(store: Store, code: str, entries: Sequence[LeftOutEntry]) -> str:
    """Return a name that is another one when a sheet shows other clips, or other pictures of them."""
    said = [entry.model_dump_json() for entry in entries]
    said += [str(pictured(store.video(entry.video_id), entry.stage, entry.clip_id)) for entry in entries]
    digest = hashlib.sha256("\n".join(said).encode()).hexdigest()
    return f"{code}-{digest[:12]}.jpg"


def _sheet(store: Store, name: str, entries: Sequence[LeftOutEntry]) -> Image.Image | None:
    """Return a sheet, as it is kept or made now; None where films lie in a bucket or cannot be read (any more)."""
    try:
        if not store.exists(*SHEETS, name):
            if not store.is_local():  # whole films would have to be fetched
                return None
            found = [Reject(e.video_id, e.clip_id or 0, e.stage, e.code, e.detail) for e in entries]
            store.write_bytes(jpeg(reject_sheet(store, found), SHEET_BYTES), *SHEETS, name)
        return Image.open(io.BytesIO(store.read_bytes(*SHEETS, name))).convert("RGB")
    except (VideoError, ValueError, OSError):
        return None


def _small(sheet: Image.Image) -> str:
    small = sheet.resize((SMALL_WIDTH, max(1, round(sheet.height * SMALL_WIDTH / sheet.width))))
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg(small, SMALL_BYTES)).decode()}"
