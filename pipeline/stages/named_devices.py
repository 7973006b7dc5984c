"""The devices that the chosen backends of all stages are told to run on."""

from collections.abc import Iterator

from pipeline.stages.base import SettingsTree
from pipeline.stages.registry import stages_until
from pipeline.stages.weight_files import chosen_settings


def named_devices(settings: SettingsTree, until: str | None = None) -> Iterator[tuple[str, str]]:
    """Yield dotted name and value of every device that settings name; where none is named, any will do.

    until: the last stage that is run, None for all.
    """
    for stage in stages_until(until):
        for name, _, value in chosen_settings(settings.of(stage)):
            if name.rpartition(".")[2] == "device" and value is not None:
                yield f"{stage.name}.{name}", value
