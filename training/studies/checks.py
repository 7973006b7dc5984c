"""What of an experiment can be refused before a room is rendered."""

from models.weights.registry import WEIGHTS
from pipeline.contract.errors import SettingsError
from training.checks import TrainedSettings, check_training, check_unweighted
from training.errors import UnusableDataset
from training.studies.experiment_settings import Experiment
from training.teachers.load import check_kind, load_teacher


def check_experiment(experiment: Experiment) -> None:
    """Refuse an experiment that would end in an error after hours. Nothing is fetched, rendered or read of a dataset.

    Devices are looked at last: what is refused for them alone is right for another machine.

    Raises:
        SettingsError: no seeds or no shares; the preset wants image weights, and none are named; rooms are to count by
            how sure their labels are.
        UnusableDataset: a share of the labels that is not in (0, 1].
        WrongCheckpoint: no such preset or teacher, or weights of another one.
        WeightsUnavailable: no such file of weights.
        NoSuchDevice: a graphics card is asked for that is not there, or bfloat16 of one that has none.
    """
    study = experiment.study
    for name, values in (("seeds", study.seeds), ("shares", study.shares)):
        if not values:
            raise SettingsError(f"an experiment without {name} compares nothing: --set study.{name}=[1] for one")
    for share in study.shares:
        if not 0 < share <= 1:
            raise UnusableDataset(f"a share of {share:g} of the labels is nothing to learn from: it is in (0, 1]")
    check_unweighted(study.finetune, "study.finetune.")
    parts: dict[str, TrainedSettings] = {"distill.": experiment.distill, "study.finetune.": study.finetune}
    check_kind(experiment.teacher)
    if experiment.weights not in WEIGHTS:
        load_teacher(experiment.teacher, experiment.weights)
    check_training(study.preset, parts, other_preset="--set study.preset=medium")
