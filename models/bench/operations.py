"""Operations of networks, counted on tensors without storage: of any network, in seconds, without its weights."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count


def counted(run: Callable[[], object]) -> float:
    """Return the operations of ``run``, multiplications and additions of matrix products and convolutions.

    ``run`` makes its networks and pictures itself. They have shapes and no values: whatever is asked of one, as whether
    all of it is finite, is answered with yes.
    """
    with FakeTensorMode(), torch.inference_mode(), _Yes(), _counter() as counter:
        run()
    return float(counter.get_total_flops())


class _Yes(TorchFunctionMode):
    """Answers tensors that are asked whether they are true."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Sequence[type], args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Call ``func``, unless it asks for a truth."""
        del types
        return True if func is torch.Tensor.__bool__ else func(*args, **(kwargs or {}))


def _counter() -> FlopCounterMode:
    """Return a counter that counts fused attention of CPUs as well, which torch's own leaves out."""

    def attention(query: Any, key: Any, value: Any, *_: Any, out_shape: Any = None, **__: Any) -> int:
        del out_shape
        return int(sdpa_flop_count(query, key, value))  # type: ignore[no-untyped-call]

    fused = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu  # noqa: SLF001 - it has no other name
    return FlopCounterMode(display=False, custom_mapping={fused: attention})
