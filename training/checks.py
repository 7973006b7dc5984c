"""What of a training can be refused before anything is made for it, with what to set instead as its command has it."""

from collections.abc import Mapping
from pathlib import Path

from models.weights.cache import is_named
from models.weights.located import located
from pipeline.contract.errors import SettingsError
from training.checkpoints import check_preset
from training.loop import check_device
from training.paper_preset import RANDOM, check_encoder
from training.settings import DistillSettings, FinetuneSettings, LanguageSettings

TrainedSettings = DistillSettings | FinetuneSettings | LanguageSettings


def check_training(
    preset: str,
    parts: Mapping[str, TrainedSettings],
    start: Path | None = None,
    other_preset: str = "--preset medium",
) -> None:
    """Refuse trainings of a preset that would end in an error later. Nothing is fetched; devices are looked at last.

    parts: settings by what stands before their names in the command's ``--set``, as ``distill.``. start: a network that
    all begin with. other_preset: how the command is told to take another one.

    Raises:
        WrongCheckpoint: there is no such preset.
        SettingsError: the preset wants image weights, and none are named.
        WeightsUnavailable: there is no such file of image weights.
        NoSuchDevice: a graphics card is asked for that is not there, or bfloat16 of one that has none.
    """
    check_preset(preset)
    without = [name for name, settings in parts.items() if settings.image_weights is None]
    if without:
        check_encoder(preset, None, start, [f"{name}image_weights" for name in without], other_preset)
    for settings in parts.values():
        if settings.image_weights not in (None, RANDOM) and not is_named(str(settings.image_weights)):
            located(str(settings.image_weights), "model.pth")
    for name, settings in parts.items():
        check_device(settings.loop, f"{name}loop.")


def check_unweighted(settings: FinetuneSettings, place: str) -> None:
    """See that trainings on rooms with exact labels do not weigh them by how sure they are.

    place: what stands before the names of these settings in the command's ``--set``.

    Raises:
        SettingsError: they do.
    """
    if settings.weigh_by:
        message = f"labels of a study's rooms are exact, there is nothing to weigh them by: --set {place}weigh_by=[]"
        raise SettingsError(message)
