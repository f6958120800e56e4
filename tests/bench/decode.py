"""Decodes a prepared map once and prints what it took, as JSON.

python -m tests.bench.decode radix|chunks FILE HEAD runs|totals
"""

import json
import re
import sys
import time
from pathlib import Path


def peak() -> int:
    """The most memory this process ever had, bytes."""
    status = Path("/proc/self/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    if found is None:
        raise LookupError("no VmHWM in /proc/self/status")
    return int(found[1]) << 10


def main() -> None:
    """Decode once."""
    form, file, head, what = sys.argv[1:]
    import numpy as np

    np.zeros(1)
    before = peak()
    from tests.bench.prepared import Prepared, decoded

    prepared = Prepared(form, Path(file), int(head), 0)
    started = time.perf_counter()
    found = decoded(prepared, what)
    seconds = time.perf_counter() - started
    said = {"seconds": seconds, "before": before, "peak": peak()}
    print(json.dumps({**said, "bytes": found.bytes, "ranges": found.ranges}))


if __name__ == "__main__":
    main()
