"""A made-up video that is finished as far as the dataset can tell: for measuring and testing what gathers videos."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from numpy.typing import NDArray

from pipeline.contract.records import LeftOut
from pipeline.stages.chain import upstream
from pipeline.stages.registry import last_stages, stages
from pipeline.store.groups import SOURCE_NOTES
from pipeline.store.outputs import PROVENANCE, GroupOutput, SourceOutput
from pipeline.store.provenance import Provenance
from pipeline.store.video import VideoStore

GroupArrays = Mapping[str, Mapping[str, NDArray[Any]]]


def finish_made_up(
    video: VideoStore,
    fingerprint: str,
    arrays: GroupArrays,
    left_out: tuple[LeftOut, ...] = (),
    weights: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    """Write a result of every stage, each made from those before; the caller holds the video.

    fingerprint: of the last stage; those of the others begin with it. arrays: of groups, by group and name; the others
    have none. left_out: what the last stage says that it left out. weights: what stages note of theirs, by stage.
    """
    made: dict[str, Provenance] = {}
    for name, stage in stages().items():
        is_last = name in last_stages()
        made[name] = Provenance(
            stage=name, backend="made up", code_version="1", settings={}, seconds=1.0, counts={},
            weights=dict((weights or {}).get(name, {})),
            fingerprint=fingerprint if is_last else f"{fingerprint}-{name}",
            upstream=upstream(video.video_id, name, made), left_out=left_out if is_last else (),
        )  # fmt: skip
        noted = made[name].model_dump(mode="json")
        if isinstance(stage.output, SourceOutput):
            video.write_json(SOURCE_NOTES, {"sha256": "0" * 64, PROVENANCE: noted})
        elif isinstance(stage.output, GroupOutput):
            _write_group(video, stage.output.name, noted, arrays.get(stage.output.name, {}))
        else:
            with stage.output.draft(video) as draft:
                draft.table = pa.table({"clip_id": pa.array([], pa.int32())})
                draft.attributes.update(noted)


def _write_group(video: VideoStore, name: str, noted: dict[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    with video.write_group(name, noted) as group:
        for array, values in arrays.items():
            group.append(array, values)
