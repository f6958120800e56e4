"""Whether the keys of the settings hold; the one way from here to the table of commands."""

from collections.abc import Mapping

from kho_console.config.origin import Fault, Layer, Origin
from kho_console.config.table import KEYS


def faults(
    keys: Mapping[str, tuple[str, ...]], keymap: str, origins: Mapping[str, Origin]
) -> tuple[Fault, ...]:
    """What is wrong with the keys, and where it stands.

    Args:
        keys: For the id of a command its keys.
        keymap: The keys that are added, one of `config.settings.KEYMAPS`.
        origins: Where each `keys.ID` and `keymap` came from.
    """
    if not keys and keymap == "default":
        return ()
    # The table of commands brings the toolkit of the screen with it.
    from kho_console.tui.keymap import KeymapError, applied

    try:
        applied(keys, keymap)
    except KeymapError as error:
        unknown = origins.get("keymap", Origin(Layer.DEFAULT))
        return tuple(
            Fault(origins.get(f"{KEYS}.{name}", unknown), f"{KEYS}.{name}: {words}")
            for name, words in error.faults
        )
    return ()


def table(keys: Mapping[str, tuple[str, ...]], keymap: str) -> list[tuple[str, str, str]]:
    """Every command: its id, its keys as a file of settings has them, and its screens.

    Args:
        keys: For the id of a command its keys; none of them is wrong.
        keymap: The keys that are added.
    """
    from kho_console.tui.commands import SCREENS
    from kho_console.tui.keymap import applied

    return [
        (
            item.id,
            " ".join(item.keys),
            " ".join(item.screens) if item.screens and item.screens != SCREENS else "all",
        )
        for item in applied(keys, keymap)
    ]
