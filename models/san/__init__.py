"""Side Adapter Network (Xu et al., CVPR 2023): labels in any words from a frozen CLIP and a small side network.

Plain PyTorch with the names of the released checkpoints ``san_vit_b_16.pth`` and ``san_vit_large_14.pth``; and a small
network with the same interface, whose weights ship with the project. ``San.load`` tells them apart.
"""

from models.san.network import San
from models.san.proposals import Proposals, SanOutput
from models.san.small import SmallSan

AnySan = San | SmallSan

__all__ = ["AnySan", "Proposals", "San", "SanOutput", "SmallSan"]
