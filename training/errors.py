"""The errors of training: what is wrong with a dataset, a benchmark, a checkpoint or a run, and what to do next."""

from pipeline.contract.errors import PipelineError


class TrainingError(PipelineError):
    """Base of all errors that training raises on purpose."""


class UnusableDataset(TrainingError):
    """A dataset that nothing can be learned from: no frames, all labels unknown, another version than asked for."""


class BrokenBenchmark(TrainingError):
    """A file of a benchmark that is missing, cut short, of a wrong shape, or holds what its format does not have."""


class UnsafePickle(BrokenBenchmark):
    """A pickle that asks for more than arrays and plain containers; it was not run."""


class WrongAxes(BrokenBenchmark):
    """A grid that fits its depth map under none of the known axis orders."""


class WrongCheckpoint(TrainingError):
    """A checkpoint of another network, preset or run than the one asked for."""


class LoaderStopped(TrainingError):
    """The processes that read or render samples died, or gave nothing for too long; the last state is kept."""


class LossNotFinite(TrainingError):
    """The loss or its gradient became infinite or not a number; the last good checkpoint is kept."""


class NotConverged(TrainingError):
    """A probe whose optimum was not reached, so that it says nothing of the features."""
