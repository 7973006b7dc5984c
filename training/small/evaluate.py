"""Figures of shipped weights on tours: ``python -m training.small.evaluate``.

Nothing was trained on these tours. The tuning seeds, of which the default are a few, had a say in how the networks were
trained; for figures of unseen tours ask for frozen ones and say what for.
"""

import json
from collections.abc import Callable, Sequence
from typing import Annotated

import numpy as np
import torch
import typer

from models.weights.cache import shipped
from pipeline.tours.frozen import Look, looking
from pipeline.tours.seeds import DEFAULT_SEEDS, seed_list

app = typer.Typer(help="Figures of the shipped weights on tours.", add_completion=False)


def indoor(weights: str, seeds: Sequence[int]) -> dict[str, float]:
    """Accuracy of single frames, eight of every shot and the title cards, and of whole shots."""
    from models.indoor.small import IndoorNet
    from training.small.indoor import frames_of_tours

    network, frames = IndoorNet.load(weights), 8
    right, shots = [], []
    for seed in seeds:
        samples = frames_of_tours((seed,), frames)
        probability, truth = network(samples.pictures).sigmoid(), samples.indoor
        right.append(((probability > 0.5) == (truth > 0.5)).float())
        filmed = len(truth) // frames * frames
        mean = probability[:filmed].reshape(-1, frames).mean(dim=1)
        shots.append(((mean > 0.5) == (truth[:filmed:frames] > 0.5)).float())
    each_frame, each_shot = torch.cat(right), torch.cat(shots)
    return {
        "accuracy, frames": float(each_frame.mean()),
        "frames": len(each_frame),
        "accuracy, shots": float(each_shot.mean()),
        "shots": len(each_shot),
    }


def san(weights: str, seeds: Sequence[int]) -> dict[str, float]:
    """Mean IoU of pixels at the size the network was trained for, six frames of every indoor shot."""
    from models.san import San, SmallSan
    from training.small.san import label_scores, rooms_of_tours

    network = San.load(weights)
    if not isinstance(network, SmallSan):
        raise typer.BadParameter(f"{weights} are not the weights of a small network")
    height = network.config.short_side
    return label_scores(network, rooms_of_tours(tuple(seeds), 6, height, round(height * 4 / 3)))


def dust3r(weights: str, seeds: Sequence[int]) -> dict[str, float]:
    """AbsRel and delta of both depths of a pair after one scale, three pairs of every indoor shot."""
    from models.dust3r import Dust3r
    from training.small.dust3r import depth_scores, pairs_of_tours, predicted_depth

    network = Dust3r.load(weights)
    samples = pairs_of_tours(tuple(seeds), *network.config.img_size)
    return depth_scores(predicted_depth(network, samples), samples.depth)


def moge(weights: str, seeds: Sequence[int]) -> dict[str, float]:
    """Errors of depth after one scale a picture, of scale and of the lens, six frames of every indoor shot.

    scale, shots: median error of the logarithm of a shot's scale, the median over its frames. houses, shots, frames:
    standard deviations of that logarithm between houses, between shots of one, and between frames of one shot.
    """
    from models.moge import Moge, SmallMoge
    from training.small.moge import PictureErrors, depths_of_tours, picture_errors

    network, frames = Moge.load(weights), 6
    if not isinstance(network, SmallMoge):
        raise typer.BadParameter(f"{weights} are not the weights of a small network")
    height = network.config.short_side
    size = height, round(height * 4 / 3)
    tours = [picture_errors(network, depths_of_tours((seed,), frames, *size)) for seed in seeds]
    scales = [tour.scale.reshape(-1, frames) for tour in tours]
    shots = [np.median(scale, axis=1) for scale in scales]
    together = PictureErrors.together(tours)
    return {
        **together.scores(),
        "scale, shots": float(np.median(np.abs(np.concatenate(shots)))),
        "between houses": float(np.std([of_house.mean() for of_house in shots])),
        "between shots": float(np.concatenate([of_house - of_house.mean() for of_house in shots]).std()),
        "between frames": float(np.concatenate([scale - scale.mean(axis=1)[:, None] for scale in scales]).std()),
    }


MEASURES: dict[str, tuple[Callable[[str, Sequence[int]], dict[str, float]], str]] = {
    "dust3r": (dust3r, "dust3r_small"),
    "san": (san, "san_small"),
    "indoor": (indoor, "indoor_small"),
    "moge": (moge, "moge_small_wide"),
}


@app.command()
def run(
    names: Annotated[list[str] | None, typer.Argument(help=f"Which figures: {', '.join(MEASURES)}.")] = None,
    weights: Annotated[str | None, typer.Option(help="Other weights than those that ship.")] = None,
    seeds: Annotated[str, typer.Option(help="Tours, as in 1000001-1000010 or 3,5,8.")] = DEFAULT_SEEDS,
    reporting: Annotated[str | None, typer.Option(help="What figures of frozen tours are for.")] = None,
) -> None:
    """Print figures as JSON; all of the shipped weights if none is named.

    A look at frozen tours is logged, in the working folder where this is no checkout.
    """
    chosen = names or [name for name, (_, weights_name) in MEASURES.items() if weights_name in shipped()]
    scored = [weights or MEASURES[name][1] for name in chosen]
    look = Look("training.small.evaluate", ", ".join(scored), reporting)
    with torch.inference_mode(), looking(seed_list(seeds), look, ".") as log:
        if log is not None:
            typer.echo(f"this look at frozen tours is logged in {log}", err=True)
        for name, found in zip(chosen, scored, strict=True):
            measure, _ = MEASURES[name]
            typer.echo(json.dumps({name: measure(found, seed_list(seeds))}))


if __name__ == "__main__":
    app()
