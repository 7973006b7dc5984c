"""What can be wrong with a network, its weights or its input."""


class ModelError(Exception):
    """Base of all errors that the networks and their weights raise on purpose."""


class WrongWeights(ModelError):
    """A checkpoint that is damaged, unsafe, or belongs to another network."""


class WeightsUnavailable(ModelError):
    """A checkpoint that is neither in the cache nor reachable; the message says where to put it."""


class WeightsUnreachable(WeightsUnavailable):
    """No server gives a checkpoint at the moment: nothing to settle here, the same may succeed later."""


class DamagedArrays(ModelError):
    """A file of arrays that does not read back: delete it, and what is missing is computed again."""


class UnusableInput(ModelError):
    """Images that the network cannot take: wrong shape, not finite, too few."""


class UnusableVocabulary(ModelError):
    """Words that the network cannot take: none at all, a blank, one given twice, one too long."""


class OutOfDeviceMemory(ModelError):
    """Not even a batch of one fits into the memory of the device."""


class NoSuchDevice(ModelError):
    """A device that torch does not know or that this machine does not have."""


class MissingExtra(ModelError):
    """A package that only one of the project's extras brings is not installed."""
