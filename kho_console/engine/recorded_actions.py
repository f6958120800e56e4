"""The journal of a recording: what was done to its machine while it was recorded."""

import json
from collections import deque
from itertools import takewhile

from kho_console.abi.recording.bodies import Happened
from kho_console.engine.journal_records import Now, Records, of_lines
from kho_console.engine.noted import behind
from kho_console.source.protocol import Source
from kho_console.source.recording import RecordedSource

_MOST = 10_000
"""Lines of the journal, the latest ones."""


def recorded_actions(source: Source, now: Now) -> Records:
    """The actions up to the moment of a recording, of the boots before it too.

    None where the source is no recording.
    """
    inner = behind(source)
    if not isinstance(inner, RecordedSource):
        return Records((), ())
    marks = inner.recording.marks(Happened.ACTION)
    seen = takewhile(lambda marked: marked.moment <= inner.at.number, marks)
    found = deque((json.dumps(marked.mark.content).encode() for marked in seen), _MOST)
    return of_lines(b"\n".join(found), [], now)
