"""What the dataset at hand was made with, as the provenance of its videos tells."""

import json
from typing import Any

from models.json_text import parsed_json
from pipeline.stages.chain import finished, made_by
from pipeline.stages.registry import stages
from pipeline.store.index import SUMMARY, first_video
from pipeline.store.store import Store
from pipeline.store.video import VideoStore

LOOKED_AT = 100
"""Videos among which a finished one is looked for where there is no index yet."""

_KEPT = "what the dataset was made with"

MadeWith = tuple[str, dict[str, Any]]


def stored_settings(video: VideoStore) -> dict[str, Any]:
    """Return the settings that decided a video's stored results, by stage; empty where there is none."""
    made = {name: made_by(video, name) for name in stages()}
    return {name: found.settings for name, found in made.items() if found is not None}


def made_with(dataset: Store) -> MadeWith | None:
    """Return the first video of a dataset and the settings it was made with, by stage; None where there is none.

    Of a dataset in a bucket it is the first video as it was when this machine asked after the summary was written.
    """
    summary = None if dataset.is_local() else dataset.stamp(*SUMMARY)
    if summary is None:
        return _found(dataset)
    kept = dataset.kept.get(_KEPT, summary.mark)
    if kept is not None:
        video_id, settings = parsed_json(kept)
        return str(video_id), dict(settings)
    found = _found(dataset)
    if found is not None:
        dataset.kept.keep(_KEPT, summary.mark, json.dumps(found).encode())
    return found


def _found(dataset: Store) -> MadeWith | None:
    video_id = first_video(dataset) or _first_finished(dataset)
    stored = stored_settings(dataset.video(video_id).as_it_is()) if video_id else {}
    return (video_id, stored) if video_id and stored else None


def _first_finished(dataset: Store) -> str | None:
    """Return a finished video of a data folder that has no index yet, as far as there is one among the first."""
    return next((key for key in dataset.video_ids()[:LOOKED_AT] if finished(dataset.video(key).as_it_is())), None)
