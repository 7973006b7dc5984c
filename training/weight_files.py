"""What the files hold that a training begins with: noted with its settings, so that another content is another run.

That is of weights, and of a dataset that lies in a folder. Runs of earlier releases noted paths alone; theirs are taken
to be the same files.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.json_text import parsed_json
from models.weights.cache import is_named
from models.weights.contents import contents
from training.data.content import KnownByContent, content_of
from training.data.sample import Frames

FILES = "weight_files"
"""Key beside the settings of a run: SHA-256 by name of file, by what the files are for."""
CONTENT = "content"
"""Key beside the settings of a run: SHA-256 of the samples of a dataset, by what they are for. Where that is known, the
origin of the dataset, in which its path is, decides nothing."""


def with_files(settings: Mapping[str, Any], **weights: str | Path | None) -> dict[str, Any]:
    """Return the settings of a run with what the weights hold that it begins with, of those named by a path."""
    paths = {use: Path(path) for use, path in weights.items() if path is not None and not is_named(str(path))}
    found = {use: files for use, path in paths.items() if (files := contents(path))}
    return {**settings, FILES: found} if found else dict(settings)


def with_content(settings: Mapping[str, Any], **datasets: Frames | None) -> dict[str, Any]:
    """Return the settings of a run with what the datasets hold that lie in folders, by what they are for.

    Raises:
        BrokenBenchmark: a file of a dataset cannot be read.
    """
    given = {use: frames for use, frames in datasets.items() if frames is not None}
    found = {use: content_of(frames) for use, frames in given.items() if isinstance(frames, KnownByContent)}
    return {**settings, CONTENT: found} if found else dict(settings)


def same_run(noted: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Tell whether settings are the same, and so are the files and the samples that both know of."""
    theirs, ours = ({**settings} for settings in (noted, wanted))
    files, own_files = theirs.pop(FILES, {}), ours.pop(FILES, {})
    content, own_content = theirs.pop(CONTENT, {}), ours.pop(CONTENT, {})
    for use in content.keys() & own_content.keys():
        theirs[use], ours[use] = content[use], own_content[use]
    return theirs == ours and all(files[use] == own_files[use] for use in files.keys() & own_files.keys())


def same_identity(noted: object, wanted: str) -> bool:
    """Tell whether two identities of a training's state, JSON with its settings first, are those of one run."""
    if noted == wanted or not isinstance(noted, str):
        return noted == wanted
    try:
        (theirs, *rest), (ours, *own_rest) = parsed_json(noted), parsed_json(wanted)
        return rest == own_rest and same_run(theirs, ours)
    except (ValueError, TypeError):
        return False
