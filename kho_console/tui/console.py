"""What a screen may ask of the application that shows it."""

from typing import Any, Protocol, runtime_checkable

from textual.app import App

from kho_console.config.settings import Settings
from kho_console.tui.commands import SECTIONS


@runtime_checkable
class Console(Protocol):
    """An application with settings, that knows which sections were shown.

    Attributes:
        settings: How it looks, and what it writes.
        sections_shown: The sections that were shown, the present one last.
    """

    settings: Settings
    sections_shown: list[str]


def settings_of(app: App[Any]) -> Settings:
    """The settings of an application."""
    return app.settings if isinstance(app, Console) else Settings()


def section_before(app: App[Any]) -> str:
    """The section that was shown before the present one."""
    shown = app.sections_shown[:-1] if isinstance(app, Console) else []
    return shown[-1] if shown else SECTIONS[0]
