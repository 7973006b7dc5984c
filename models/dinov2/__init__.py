"""DINOv2 in plain PyTorch: the backbone that Depth Anything 3, MoGe-2 and the teacher of the same name share."""

from models.dinov2.backbone import Dinov2, Dinov2Config

__all__ = ["Dinov2", "Dinov2Config"]
