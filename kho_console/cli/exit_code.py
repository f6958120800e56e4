"""What the command line's exit codes mean."""

DONE = 0
BAD_NEWS = 1
"""Done, and the answer is bad news."""

USAGE = 2

NOT_AVAILABLE = 3
"""No KHO, unreadable, no such thing."""

REFUSED = 4
"""By us: read-only, a precondition, the lock, a wrong word."""

KERNEL_REFUSED = 5

BROKEN = 70
"""The console itself broke, as sysexits.h has it."""

INTERRUPTED = 130
