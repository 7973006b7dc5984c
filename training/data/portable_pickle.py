"""Writes pickles of arrays that other projects' loaders open, whatever their NumPy."""

import pickle
from collections.abc import Mapping

_NEW, _OLD = b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n"
"""How protocol 3 names the module that builds arrays, since NumPy 2.0 and before; either NumPy knows the second."""

PROTOCOL = 3
"""The last one without frames and lengths of names, so that a name may be replaced by a shorter one."""


def portable_pickle(content: Mapping[str, object]) -> bytes:
    """Return a pickle of arrays, numbers and texts that NumPy 1 and 2 open."""
    return pickle.dumps(dict(content), protocol=PROTOCOL).replace(_NEW, _OLD)
