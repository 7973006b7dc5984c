"""``dataset/croissant.json``: the dataset for machines, in MLCommons' Croissant, and ``README.md``, its card."""

import hashlib
import json
from typing import Any

import pyarrow as pa

from pipeline.store.index import INDEX_SCHEMA, DatasetSummary, IndexFile, index_files
from pipeline.store.store import Store

CROISSANT = ("dataset", "croissant.json")
README = ("dataset", "README.md")
NAME = "youtube-occ"
HASHED_AT_ONCE = 2**20
LICENCES = "Each video is under the licence of whoever published it; what weights made is bound by their licences, too."
_TERMS = (
    "citeAs",
    "column",
    "extract",
    "field",
    "fileProperty",
    "fileObject",
    "fileSet",
    "format",
    "includes",
    "isLiveDataset",
    "jsonPath",
    "key",
    "md5",
    "parentField",
    "path",
    "recordSet",
    "references",
    "regex",
    "repeated",
    "replace",
    "separator",
    "source",
    "subField",
    "transform",
)
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "sc": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in _TERMS},
}


def write_descriptions(store: Store, summary: DatasetSummary, card: str) -> None:
    """Write both files beside the index.

    card: text of ``card.md``, which the README holds below the head that the Hugging Face Hub reads.
    """
    store.write_bytes(json.dumps(croissant(store, summary), indent=1).encode(), *CROISSANT)
    head = ["---", "license: other", "license_name: each-video-its-own", f"pretty_name: {NAME} {summary.version}"]
    head += ["tags:", "- 3d", "- semantic-occupancy", "configs:", "- config_name: index", "  data_files:"]
    head += [f"  - {part.name}" for part in index_files(store).files]
    limits = [
        "## Known limits",
        "Cameras, depth and labels are estimates, made from pictures alone; metres rest on assumed heights of rooms.",
        "Clips that were left out, and why: `left_out.parquet`.",
        "## How to read it",
        "`index.parquet` has a row a frame. Arrays lie in `../videos/<video_id>/scene.zarr` (Zarr v3).",
        "The attributes of a hierarchy name classes, grid and conventions.",
    ]
    text = "\n".join([*head, "---", "", card]) + "\n" + "\n\n".join(limits) + "\n"
    store.write_bytes(text.encode(), *README)


def croissant(store: Store, summary: DatasetSummary) -> dict[str, Any]:
    """Return the description: the files of the index with their checksums, and their columns."""
    files = index_files(store).files
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": NAME,
        "description": f"3D semantic occupancy of house tours: {summary.videos} videos, {summary.frames} frames.",
        "version": "1.0.0",
        "datePublished": summary.created,
        "license": LICENCES,
        "citeAs": "YouTube-Occ, arXiv 2506.18266",
        "distribution": [_file(store, part) for part in files],
        "recordSet": [_records(store, part, number) for number, part in enumerate(files)],
    }


def _file(store: Store, part: IndexFile) -> dict[str, str]:
    return {
        "@type": "cr:FileObject",
        "@id": part.name,
        "name": part.name,
        "contentUrl": part.name,
        "encodingFormat": "application/x-parquet",
        "sha256": part.sha256 or _sha256(store, part.name),
    }


def _sha256(store: Store, name: str) -> str:
    """Return the checksum of an index of one file, which is small, or of a part that an earlier release wrote."""
    with store.open("dataset", name) as file:
        digest = hashlib.sha256()
        while piece := file.read(HASHED_AT_ONCE):
            digest.update(piece)
    return digest.hexdigest()


def _columns(store: Store, part: IndexFile) -> pa.Schema:
    if part.sha256:  # written by this release, as it notes checksums
        return INDEX_SCHEMA
    with store.open_parquet("dataset", part.name) as file:
        return file.schema_arrow


def _records(store: Store, part: IndexFile, number: int) -> dict[str, Any]:
    record, columns = f"frames_{number}", _columns(store, part)
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"{record}/{column.name}",
            "name": column.name,
            "description": column.name.replace("_", " "),
            "dataType": _kind(column.type),
            "source": {"fileObject": {"@id": part.name}, "extract": {"column": column.name}},
        }
        for column in columns
    ]
    return {"@type": "cr:RecordSet", "@id": record, "name": record, "field": fields}


def _kind(kind: pa.DataType) -> str:
    if pa.types.is_floating(kind):
        return "sc:Float"
    return "sc:Integer" if pa.types.is_integer(kind) else "sc:Text"
