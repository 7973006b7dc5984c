"""Lightning Fabric as every training uses it; the extra ``train`` brings it."""

from models.extras import extra

with extra("train", "training a network"):
    import tensorboard  # noqa: F401 - Fabric writes curves with it and looks for it only then
    from lightning_fabric import Fabric
    from lightning_fabric.loggers.logger import Logger
    from lightning_fabric.loggers.tensorboard import TensorBoardLogger
    from lightning_fabric.utilities.rank_zero import rank_zero_only

__all__ = ["Fabric", "Logger", "TensorBoardLogger", "rank_zero_only"]
