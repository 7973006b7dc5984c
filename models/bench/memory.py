"""Peak memory of a process, for benchmarks."""

import re
import resource
from pathlib import Path

_STATUS = Path("/proc/self/status")


def peak_bytes() -> int:
    """Return the largest resident memory this process has had since it was started, bytes.

    Linux's ``ru_maxrss`` begins at what the parent held when it started the process; ``VmHWM`` does not.
    """
    found = re.search(r"VmHWM:\s+(\d+) kB", _STATUS.read_text(encoding="utf-8")) if _STATUS.exists() else None
    return 1024 * (int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
