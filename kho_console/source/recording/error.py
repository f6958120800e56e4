"""The one error of recordings."""

from pathlib import Path


class RecordingError(Exception):
    """A file that is no recording, or a moment that it does not hold.

    Attributes:
        path: The file.
        reason: What is wrong, for an operator.
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason
