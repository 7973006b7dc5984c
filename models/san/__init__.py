"""Side Adapter Network (Xu et al., CVPR 2023): labels in any words from a frozen CLIP and a small side network.

Plain PyTorch with the names of the released checkpoints ``san_vit_b_16.pth`` and ``san_vit_large_14.pth``.
"""

from models.san.network import San
from models.san.proposals import Proposals, SanOutput

__all__ = ["Proposals", "San", "SanOutput"]
