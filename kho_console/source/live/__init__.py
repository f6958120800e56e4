"""The machine this program runs on."""

from kho_console.source.live.source import LiveSource

__all__ = ["LiveSource"]
