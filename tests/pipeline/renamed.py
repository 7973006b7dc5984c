"""A copy of a finished video under another name, as if it had been built under that name."""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.stages.chain import upstream
from pipeline.stages.registry import stages
from pipeline.store.outputs import PROVENANCE, GroupOutput, TableOutput
from pipeline.store.provenance import Provenance, fingerprint
from pipeline.store.store import Store


def copy_video(store: Store, video_id: str, name: str) -> None:
    """Copy a video of a store in a folder; the fingerprints of the copy are those that its own name gives."""
    copy = Path(store.path("videos", name))
    shutil.copytree(store.path("videos", video_id), copy)
    made: dict[str, Provenance] = {}
    for stage, found in stages().items():
        before = upstream(name, stage, made)
        noted = found.output.noted(store.video(name)) or {}
        noted |= {
            "upstream": before,
            "fingerprint": fingerprint(stage, noted["code_version"], noted["settings"], before),
        }
        made[stage] = Provenance.model_validate(noted)
        if isinstance(found.output, GroupOutput):
            _update(copy / "scene.zarr" / found.output.name / "zarr.json", "attributes", noted)
        elif isinstance(found.output, TableOutput):
            table = pq.read_table(copy / found.output.name)
            metadata = {**(table.schema.metadata or {}), PROVENANCE.encode(): json.dumps(noted).encode()}
            pq.write_table(table.replace_schema_metadata(metadata), copy / found.output.name)
        else:
            _update(copy / found.output.name, PROVENANCE, noted)


def _update(path: Path, key: str, values: dict[str, Any]) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    content[key].update(values)
    path.write_text(json.dumps(content), encoding="utf-8")
