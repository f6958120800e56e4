"""A recording: one machine over time, in one file."""

from kho_console.source.recording.error import RecordingError
from kho_console.source.recording.source import RecordedSource, Recording

__all__ = ["RecordedSource", "Recording", "RecordingError"]
