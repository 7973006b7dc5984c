"""Which view of a set is the reference, whose camera the others are told against."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from models.errors import UnusableInput


def choose_reference(class_tokens: Tensor, strategy: str) -> Tensor:
    """Return the index (B,) of the reference among views with class tokens (B, S, C).

    strategy: ``saddle_balanced`` takes the view that is the least extreme by three measures of its class token,
    ``saddle_sim_range`` the one whose likeness to the others differs most, ``first`` and ``middle`` what they say.
    Rounding may decide between views that are nearly as good, so the index belongs to the result.

    Raises:
        UnusableInput: there is no such strategy.
    """
    if strategy not in _STRATEGIES:
        raise UnusableInput(f"there is no strategy {strategy!r}; choose one of {', '.join(_STRATEGIES)}")
    return _STRATEGIES[strategy](class_tokens.float())


def reference_first(reference: Tensor, views: int) -> Tensor:
    """Return the order (B, S) that puts the reference (B,) in front and keeps the others as they are."""
    places = torch.arange(views, device=reference.device).expand(len(reference), -1)
    return torch.where(places == reference[:, None], -1, places).argsort(dim=1, stable=True)


def reordered(views: Tensor, order: Tensor) -> Tensor:
    """Take views (B, S, ...) in an order (B, S)."""
    return views[torch.arange(len(views), device=views.device)[:, None], order]


def _likeness(class_tokens: Tensor) -> Tensor:
    """Cosines (B, S, S) between views, 0 of a view with itself."""
    unit = functional.normalize(class_tokens, dim=-1)
    return (unit @ unit.mT) * (1 - torch.eye(unit.shape[1], device=unit.device))


def _balanced(class_tokens: Tensor) -> Tensor:
    views = class_tokens.shape[1]
    measures = torch.stack(
        [
            _likeness(class_tokens).sum(-1) / (views - 1),
            class_tokens.norm(dim=-1),
            functional.normalize(class_tokens, dim=-1).var(dim=-1),
        ]
    )
    low, high = measures.amin(-1, keepdim=True), measures.amax(-1, keepdim=True)
    # sum over the measures of |(m - min) / (max - min) - 1/2|, least where a view is in the middle of all
    return ((measures - low) / (high - low + 1e-8) - 0.5).abs().sum(0).argmin(-1)


def _widest(class_tokens: Tensor) -> Tensor:
    likeness = _likeness(class_tokens)
    return (likeness.amax(-1) - likeness.amin(-1)).argmax(-1)


def _at(place: Callable[[int], int]) -> Callable[[Tensor], Tensor]:
    return lambda tokens: torch.full((len(tokens),), place(tokens.shape[1]), device=tokens.device)


_STRATEGIES: dict[str, Callable[[Tensor], Tensor]] = {
    "saddle_balanced": _balanced,
    "saddle_sim_range": _widest,
    "first": _at(lambda _: 0),
    "middle": _at(lambda views: views // 2),
}
