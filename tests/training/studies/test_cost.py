"""What an experiment would train is counted before it begins."""

import pytest

from models.symphonies import PRESETS
from pipeline.contract.values import laid_over, with_values
from training.curves import Curves
from training.plateau import is_over
from training.state import TrainingState
from training.studies.cost import READ_S, SECONDS_A_PICTURE, cost_table, trainings_of, work_of
from training.studies.experiment_settings import SIZES, Experiment, Size


def test_the_hour_of_a_card_has_sixty_thousand_pictures_two_starts_three_shares_and_three_seeds():
    experiment = with_values(Experiment, laid_over(SIZES["h100"], {"weights": "dinov2_small"}))
    pretraining, finetuning, _ = trainings_of(experiment)
    assert (pretraining.count, pretraining.pictures) == (3 + 2, 60_000)
    assert finetuning.count == 2 * 3 * 3
    assert experiment.study.finetune.loop.learning_rate == experiment.distill.loop.learning_rate / 4
    assert experiment.probe == Experiment(weights="dinov2_small").probe
    assert experiment.distill.image_weights == experiment.study.finetune.image_weights == "maskdino_r50"
    trained = 2.19 * (60_000 + (18 + 2) * 400 * 4)
    probed, scored = (3 * 2 + 2) * (100 + 300), (18 + 2) * (300 + 400 // 50 * 40)
    needed = (trained + 2.19 / 3 * (probed + scored)) / 3600
    assert f"{needed:.0f} TFLOP/s" in cost_table(experiment)


def test_the_size_for_processors_is_counted_whole_and_takes_six_hours_of_a_core_at_most():
    experiment = with_values(Experiment, laid_over(SIZES["cpu"], {"weights": "package"}))
    trained = sum(trainings.pictures for trainings in trainings_of(experiment)) * SECONDS_A_PICTURE["small"]
    together = (trained + sum(part.seconds for part in work_of(experiment))) / 3600
    assert 4 < together <= 6
    assert printed(cost_table(experiment))["together, of an idle core"][3] == pytest.approx(together, abs=0.03)
    assert [t.count for t in trainings_of(experiment)] == [5 + 2 * 2, 3 * (2 * 5 + 2 * 2), 2]
    assert work_of(experiment)[0].rooms == 100 + 20 + 300
    assert len(experiment.study.seeds) == 5
    assert [round(share * experiment.train_rooms) for share in experiment.study.shares] == [4, 20, 100]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("preset", ["small", "medium", "paper"])
def test_fine_tuning_may_stop_well_before_its_last_step(size: Size, preset: str):
    values = laid_over(SIZES[size], {"weights": "package", "study": {"preset": preset}})
    loop = with_values(Experiment, values).study.finetune.loop
    curves = Curves()
    for step in range(loop.score_every, (loop.steps or 0) + 1, loop.score_every):
        curves.add(step, {"held out": 1 / step})
        if is_over(TrainingState(None, None, None, "", step, curves), loop, "held out"):
            break
    assert step <= (loop.steps or 0) / 2, "the first score is the best"


def test_without_zero_shot_none_is_counted():
    experiment = with_values(Experiment, {"weights": "package", "zero_shot": ()})
    assert [t.count for t in trainings_of(experiment)] == [7, 30, 0]
    assert trainings_of(experiment)[2].pictures == 0


@pytest.mark.parametrize(("values", "count", "pictures"), [({}, 7, 84_000), ({"control_seeds": 2}, 9, 108_000)])
def test_on_processors_it_is_counted_in_hours_of_a_core(values: dict, count: int, pictures: int):
    experiment = with_values(Experiment, {"weights": "package", **values})
    assert (trainings_of(experiment)[0].count, trainings_of(experiment)[0].pictures) == (count, pictures)
    assert f"| pre-training | {count} | {pictures:,} |  | {pictures * 0.25 / 3600:.2f} |" in cost_table(experiment)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("size", SIZES)
def test_every_part_has_a_name_a_cost_and_what_it_is_based_on_and_parts_add_up_as_printed(size: Size, preset: str):
    values = laid_over(SIZES[size], {"weights": "package", "study": {"preset": preset}})
    table = cost_table(with_values(Experiment, values))
    parts = printed(table)
    (total,) = [parts.pop(name) for name in list(parts) if name.startswith("together")]
    kinds = ["pre-training", "fine-tuning, at most", "zero-shot, at most", "rooms rendered", "probes", "scores"]
    assert list(parts) == kinds
    assert [sum(values[column] for values in parts.values()) for column in (2, 3)] == pytest.approx(total[2:4])
    assert all(values[2] or values[3] for values in parts.values())
    told = [line.split("|")[6].strip() for line in table.splitlines()[2:8]]
    assert all(("measured" in basis) or ("counted" in basis) for basis in told)
    assert "Not counted" in table


def test_probes_of_wider_features_cost_in_proportion():
    narrow, wide = (
        work_of(with_values(Experiment, {"weights": "package", "study": {"preset": preset}}))[1]
        for preset in ("small", "paper")
    )
    read = READ_S * narrow.rooms
    assert (wide.rooms, wide.passes) == (narrow.rooms, narrow.passes)
    assert wide.seconds - read == pytest.approx((narrow.seconds - read) * 128 / 8)


def test_a_preset_that_there_is_not_costs_nobody_knows_what():
    table = cost_table(with_values(Experiment, {"weights": "package", "study": {"preset": "huge"}}))
    assert "preset 'huge' cost is not known" in table


def printed(table: str) -> dict[str, list[float]]:
    """Return the numbers of a table's rows, by the row's name; 0 where there is none."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line.startswith("| ")]
    return {name: [float(cell.replace(",", "") or 0) for cell in cells[:4]] for name, *cells in rows[1:]}
