"""What the UI shows of a result: how it was made, what it counted and left out, and a small picture."""

import base64
import math
from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg

from models.weights.licences import licence_of
from pipeline.stages.run import StageReport

PREVIEW_BYTES = 14_500
"""Largest embedded picture: under 20 kB as base64, because the event log keeps it for ever, three times over."""

Metadata = Mapping[str, dg.MetadataValue]


def stage_metadata(report: StageReport) -> Metadata:
    """Return the metadata of one stage of one video."""
    made = report.provenance
    return {
        **{name: dg.MetadataValue.float(float(value)) for name, value in made.counts.items()},
        "seconds": dg.MetadataValue.float(made.seconds),
        "reused": dg.MetadataValue.bool(report.reused),
        "backend": dg.MetadataValue.text(made.backend),
        "settings": dg.MetadataValue.json(made.settings),
        "weights": dg.MetadataValue.json(made.weights),
        "licences": dg.MetadataValue.json({file: licence_of(file, sha256) for file, sha256 in made.weights.items()}),
        "notes": dg.MetadataValue.json(list(made.notes)),
        "left_out": table(
            {"clip": item.clip_id if item.clip_id is not None else -1, "code": item.code, "detail": item.detail}
            for item in made.left_out
        ),
    }


def table(rows: Iterable[Mapping[str, Any]]) -> dg.MetadataValue:
    """Return rows as a table; columns are those of the first row."""
    records = [dg.TableRecord(dict(row)) for row in rows]
    columns = [dg.TableColumn(name, _column_type(value)) for name, value in records[0].data.items()] if records else []
    return dg.MetadataValue.table(records=records, schema=dg.TableSchema(columns=columns))


def numbers(values: Mapping[str, float]) -> Metadata:
    """Return figures as numbers, which Dagster plots over the runs; those that are not known are left out."""
    return {name: dg.MetadataValue.float(float(value)) for name, value in values.items() if math.isfinite(value)}


def picture(image: bytes) -> dg.MetadataValue:
    """Embed a JPEG or PNG."""
    kind = "png" if image.startswith(b"\x89PNG") else "jpeg"
    return dg.MetadataValue.md(f"![preview](data:image/{kind};base64,{base64.b64encode(image).decode()})")


def picture_at(address: str) -> dg.MetadataValue:
    """Show the picture that the web server has at an address; a click opens it alone."""
    return dg.MetadataValue.md(f"[![preview]({address})]({address})")


def _column_type(value: object) -> str:
    return {int: "int", float: "float", bool: "bool"}.get(type(value), "string")
