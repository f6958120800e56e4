"""Which udev rules of the machine load the crash image anew at each event."""

from kho_console.abi import udev_rules
from kho_console.engine import files
from kho_console.model.unknown import Cause, Maybe, Unknown
from kho_console.source.protocol import Source, SourceKind

_FOLDERS = (
    "/etc/udev/rules.d",
    "/run/udev/rules.d",
    "/usr/local/lib/udev/rules.d",
    "/usr/lib/udev/rules.d",
    "/lib/udev/rules.d",
)
"""Where rules are, by falling priority: of files of one name udev reads only the first."""

_NOT_RECORDED = Unknown(Cause.NOT_RECORDED, "no folder of udev rules was recorded")


def reload_rules(source: Source) -> Maybe[tuple[str, ...]]:
    """Paths of their files; a recording may have been made without them."""
    listed = {folder: files.names(source, folder) for folder in _FOLDERS}
    known = {at: names for at, names in listed.items() if not isinstance(names, Unknown)}
    if not known and source.kind is not SourceKind.LIVE:
        return _NOT_RECORDED
    found: dict[str, str] = {}
    for folder, names in known.items():
        for name in names:
            if udev_rules.NAME.fullmatch(name):
                found.setdefault(name, f"{folder}/{name}")
    return tuple(path for _, path in sorted(found.items()) if _reloads(source, path))


def _reloads(source: Source, path: str) -> bool:
    content = files.raw(source, path)
    return not isinstance(content, Unknown) and bool(udev_rules.reloads(content))
