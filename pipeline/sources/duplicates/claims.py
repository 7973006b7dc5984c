"""Which video was the first to bring a file, by the digest of its content; asked when a video arrives.

Claims lie in sheets, by the first digits of the digest, where machines agree. A sheet is changed by a write under a
condition, so that of several videos that bring one file at the same moment one is the first. They are no truth of their
own: a claim counts while the catalog says the same, and a sheet that is missing or damaged is made from the catalog.
"""

import json
from collections.abc import Mapping

import pyarrow.compute as pc

from models.json_text import parsed_json
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import ASKABLE, BUILDABLE, VideoState
from pipeline.store.objects import changed

FOLDER = "claims"
SHEET_DIGITS = 3
"""Digits by which a sheet is named: 4,096 sheets, of 24 kB each among a million videos."""

ClaimSheet = dict[str, str]
"""The video that brought a file, by the file's digest."""


def first_with(catalog: Catalog, video_id: str, sha256: str) -> str:
    """Return the video that brought a file first: this one, unless another with it may be part of the dataset.

    The row of ``video_id`` must bear the digest already: whoever finds a claim looks there whether it holds.

    Raises:
        WrittenMeanwhile: others changed the sheet over and over.
    """
    prefix = sha256[:SHEET_DIGITS]

    def claimed(stored: bytes | None) -> bytes:
        sheet = _parsed(stored)
        known = _of_catalog(catalog, prefix) if sheet is None else sheet
        first = known.get(sha256, video_id)
        is_claimed = first != video_id and _holds(catalog, first, sha256)
        return _stored({**known, sha256: first if is_claimed else video_id})

    sheet = _parsed(changed(catalog.files.shared, f"{FOLDER}/{prefix}.json", claimed))
    return (sheet or {})[sha256]


def _holds(catalog: Catalog, video_id: str, sha256: str) -> bool:
    """Tell whether the catalog, as it is now, agrees that a video brought a file and may be part of the dataset."""
    catalog.look_again()
    row = catalog.rows([video_id]).get(video_id)
    return row is not None and row.sha256 == sha256 and row.state in BUILDABLE


def _of_catalog(catalog: Catalog, prefix: str) -> ClaimSheet:
    """Return the claims on files whose digest begins so: of videos that are there, then of those registered first."""
    catalog.look_again()
    claims: ClaimSheet = {}
    for states in ((VideoState.FETCHED,), ASKABLE):
        rows = catalog.table(["sha256", "video_id"], states)
        rows = rows.filter(pc.starts_with(rows["sha256"], prefix))
        for sha256, video_id in zip(*(column.to_pylist() for column in rows.columns), strict=True):
            claims.setdefault(sha256, video_id)
    return claims


def _parsed(stored: bytes | None) -> ClaimSheet | None:
    """Return the claims of a sheet, None where there is none that can be read."""
    try:
        content = None if stored is None else parsed_json(stored)
    except ValueError:
        return None
    if not isinstance(content, dict) or not all(isinstance(holder, str) for holder in content.values()):
        return None
    return content


def _stored(claims: Mapping[str, str]) -> bytes:
    return json.dumps(claims, separators=(",", ":"), sort_keys=True).encode()
