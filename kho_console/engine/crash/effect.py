"""How the crash image stands at a moment, in three numbers."""

from kho_console.model.crash import CrashImage
from kho_console.model.happening import NO_IMAGE, Effect
from kho_console.model.unknown import Maybe, Unknown


def effect(image: CrashImage) -> Maybe[Effect]:
    """What events so far have done to the image."""
    if image.armed is False:
        return NO_IMAGE
    if isinstance(image.armed, Unknown):
        reason = f"whether a crash image is loaded is not known: {image.armed.reason}"
        return Unknown(image.armed.cause, reason)
    if isinstance(image.header, Unknown):
        return image.header
    if isinstance(image.coverage, Unknown):
        return image.coverage
    missing, stale = (
        sum(item.size for item in ranges)
        for ranges in (image.coverage.missing, image.coverage.stale)
    )
    return Effect(image.header.entries, missing, stale)
