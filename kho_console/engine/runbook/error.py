"""What is wrong with a runbook, or with a run."""


class RunbookError(Exception):
    """A runbook that is not as it must be; each fault names its line and key."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class RunError(Exception):
    """A run that cannot begin, or cannot go on."""
