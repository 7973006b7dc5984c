"""What a video's stored results say of each other: each was made from those before, or they do not belong together.

A stage that was run again leaves the results of later stages standing, which show other frames then. Every result notes
the fingerprint of what it was made from; a video is finished only where that holds from the first stage to the last.
"""

from pipeline.contract.errors import CorruptStore, StageMissing
from pipeline.stages.registry import last_stages, latest_inputs, stages
from pipeline.store.groups import SOURCE_NOTES
from pipeline.store.outputs import GroupOutput, provenance
from pipeline.store.provenance import Provenance, fingerprint, identity, joined, linked
from pipeline.store.video import VideoStore


def made_by(video: VideoStore, name: str) -> Provenance | None:
    """Return what a stage noted about its stored result, or None where there is no result or a damaged one.

    Raises:
        NotReadableNow: the file system cannot say.
    """
    return provenance(video, stages()[name].output)


def finished(video: VideoStore) -> dict[str, Provenance] | None:
    """Return what all stages noted, where each result was made from those that lie before it; None for other videos.

    Raises:
        NotReadableNow: the file system cannot say.
    """
    made, content = dict[str, Provenance](), content_of(video)
    for name in stages():
        found = made_by(video, name)
        if found is None or not made_from(found, upstream(video.video_id, name, made), content):
            return None
        if not agrees(video, name, found):
            return None
        made[name] = found
    return made


def finished_fingerprint(video: VideoStore) -> str | None:
    """Return the fingerprint of a finished video, that of its last stages; None for other videos."""
    made = finished(video)
    return final(made) if made else None


def final(made: dict[str, Provenance]) -> str:
    """Return the one fingerprint that stands for all results of a finished video."""
    return joined([made[name].fingerprint for name in last_stages()])


def identity_of(made: dict[str, Provenance]) -> str:
    """Return what tells the results of a finished video from all others: ``final``, and the content of its source."""
    return identity(final(made), made[last_stages()[-1]].upstream)


def content_of(video: VideoStore) -> str:
    """Return the SHA-256 of a video's source, empty where nothing tells."""
    try:
        return str(video.read_json(SOURCE_NOTES).get("sha256", ""))
    except (CorruptStore, StageMissing):
        return ""


def identities_of_groups(made: dict[str, Provenance]) -> dict[str, str]:
    """Return what tells every group of ``scene.zarr`` from others of its name, by its name."""
    outputs = {name: stages()[name].output for name in made}
    return {
        out.name: identity(made[name].fingerprint, made[name].upstream)
        for name, out in outputs.items()
        if isinstance(out, GroupOutput)
    }


def by_newer_code(video: VideoStore) -> str | None:
    """Return the first stage whose stored result code newer than this made, None where there is none.

    Raises:
        NotReadableNow: the file system cannot say.
    """
    made = ((name, made_by(video, name)) for name in stages())
    return next((name for name, found in made if found and is_newer(found, name)), None)


def is_newer(made: Provenance, name: str) -> bool:
    """Tell whether the code of a stage that made a result is newer than today's; versions are numbers that grow."""
    theirs, ours = made.code_version, stages()[name].code_version
    return theirs.isdigit() and ours.isdigit() and int(theirs) > int(ours)


def upstream(video_id: str, name: str, made: dict[str, Provenance]) -> str:
    """Return the one fingerprint of what a stage builds on; the first stage builds on the video's id."""
    return joined([made[given].fingerprint for given in latest_inputs(name)] or [video_id])


def agrees(video: VideoStore, name: str, made: Provenance) -> bool:
    """Tell whether what a stage wrote beside its output, if anything, is what it wrote with that output."""
    beside = stages()[name].beside
    return beside is None or not made.beside or beside(video) == made.beside


def made_from(made: Provenance, before: str, content: str) -> bool:
    """Tell whether a result was made from what has the fingerprint ``before``, of a source with this content."""
    if made.upstream:
        return made.upstream in (before, linked(before, content))
    # Results of release 0.1 do not note it, but their fingerprint covers it.
    return made.fingerprint == fingerprint(made.stage, made.code_version, made.settings, before)
