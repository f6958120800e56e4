"""What the command line's exit codes mean."""

DONE = 0
BAD_NEWS = 1
"""Done, and the answer is bad news."""

NOT_AVAILABLE = 3
"""No KHO, unreadable, no such thing."""

INTERRUPTED = 130
