"""The registered weights that the chosen backends of all stages work with: which are missing, and fetching them."""

from typing import TYPE_CHECKING

from pipeline.contract.errors import WeightsAway
from pipeline.contract.progress import Progress, silent
from pipeline.stages.base import SettingsTree
from pipeline.stages.network_errors import as_settings_error
from pipeline.stages.registry import stages_until
from pipeline.stages.weight_files import weight_names

if TYPE_CHECKING:
    from models.weights.registry import WeightFile


def needed_weights(settings: SettingsTree, until: str | None = None) -> list["WeightFile"]:
    """Return the registered weights that settings name, each once, in the order of the stages.

    until: the last stage that is run, None for all.
    """
    from models.weights.registry import WEIGHTS  # a table, quick to load

    run = stages_until(until)
    names = [name for stage in run for name in weight_names(settings.of(stage))]
    return [WEIGHTS[name] for name in dict.fromkeys(names) if name in WEIGHTS]


def missing_weights(settings: SettingsTree, until: str | None = None) -> list["WeightFile"]:
    """Return those of them that are not in the cache."""
    from models.weights.folder import cache_folder

    return [
        weights for weights in needed_weights(settings, until) if not (cache_folder() / weights.file_name).is_file()
    ]


def fetch_weights(
    settings: SettingsTree, mirrors: tuple[str, ...] = (), progress: Progress = silent, until: str | None = None
) -> None:
    """Fetch all that is missing, before any video needs it; of several processes one fetches and the others wait.

    Where no server gives one file the others are fetched all the same.

    Raises:
        WeightsAway: no server gives some files at the moment; the message names them.
        SettingsError: what a server gives is not what it should be.
    """
    from models.weights.cache import ensure

    missing, away = missing_weights(settings, until), list[WeightsAway]()
    for count, weights in enumerate(missing):
        size = f"{weights.name}, {weights.size_bytes / 1e9:.2f} GB, {weights.licence}"
        progress("weights", count, len(missing), f"fetching {size}")
        try:
            with as_settings_error(f"weights {weights.name}"):
                ensure(weights.name, mirrors)
        except WeightsAway as error:
            away.append(error)
    if away:
        still = len(missing_weights(settings, until))
        raise WeightsAway(f"{still} of {len(missing)} files are missing: {'; '.join(map(str, away))}") from away[0]
