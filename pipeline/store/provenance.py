"""What every stage notes about its result: how it was made, what it counted, what it left out.

Kept in the attributes of the stage's Zarr group, in the metadata of ``clips.parquet`` and in ``source.json``.
A result is reused as long as its fingerprint is the one that the stage would get today.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pipeline.contract.records import LeftOut


class Cost(BaseModel):
    """What a result took: seconds of a processor core, of a whole graphics card, bytes of memory at most."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    cpu_seconds: float
    gpu_seconds: float
    peak_bytes: int


class Provenance(BaseModel):
    """How a stage's result came to be.

    settings: the stage's own settings. weights: SHA-256 by name of weights file. counts: numbers worth a row
    in a report ("clips", "frames"). left_out: what this stage dropped, with the reason. upstream: fingerprint of what
    it was made from (the video's id for the first stage) and, after an @, the beginning of the source's SHA-256, as a
    local file may be replaced; empty in results of release 0.1. beside: what tells that which the stage wrote beside
    its output, where it wrote something. cost: None in results of earlier releases. What a later release notes beside
    all this is passed over: its results are sound, and this one would make them anew if it could not read their notes.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    stage: str
    backend: str
    code_version: str
    settings: dict[str, Any]
    weights: dict[str, str]
    fingerprint: str
    upstream: str = ""
    beside: str = ""
    seconds: float
    cost: Cost | None = None
    counts: dict[str, float]
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    created: str = Field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))


def fingerprint(
    stage: str,
    code_version: str,
    settings: Mapping[str, Any],
    upstream: str,
    weight_files: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    """Return 16 hex digits that change when the stage's code, settings or input do.

    weight_files: SHA-256 by name of file, by the setting that names them by a path; without any, the digits are those
    of releases that did not look into such files.
    """
    parts = [stage, code_version, settings, upstream, *([weight_files] if weight_files else [])]
    content = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def linked(before: str, content: str) -> str:
    """Return what a result notes as its upstream: a fingerprint, and the SHA-256 of the source where it is known."""
    return f"{before}@{content[:16]}" if content else before


def identity(fingerprint: str, upstream: str) -> str:
    """Return what tells a result from every other one: its fingerprint, and of which content of the source it is."""
    return linked(fingerprint, upstream.partition("@")[2])


def mark(results: Iterable[Provenance]) -> int:
    """Return 64 bits that change whenever one of some results is made again, also where it comes out the same."""
    told = sorted([made.stage, made.fingerprint, made.upstream, made.created, made.seconds] for made in results)
    return int.from_bytes(hashlib.sha256(json.dumps(told).encode()).digest()[:8])


def joined(fingerprints: Sequence[str]) -> str:
    """Return one fingerprint for several; a single one stands for itself."""
    return fingerprints[0] if len(fingerprints) == 1 else fingerprint("joined", "", {}, " ".join(fingerprints))
