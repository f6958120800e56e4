"""Preflight: may this machine hand over to that image, and what is lost otherwise."""

from collections.abc import Callable, Iterator

from kho_console.engine import image_files
from kho_console.engine.image_files import Reading, Watch
from kho_console.engine.preflight import (
    address_space,
    arguments,
    crash_region,
    file,
    initrd,
    lifecycle,
    loading,
    preserved,
    regions,
    scratch,
    signature,
    versions,
)
from kho_console.engine.preflight.situation import Situation
from kho_console.model.change import SIMULATED, KexecImage
from kho_console.model.check import Check
from kho_console.model.image import InitialRamDisk, KernelImage
from kho_console.model.preflight import Preflight
from kho_console.model.snapshot import Snapshot

__all__ = ["Preflight", "Watch", "answers", "begin", "check"]

Rule = Callable[[Situation], Iterator[Check]]

_RULES: tuple[Rule, ...] = (
    file.complete,
    file.accepted,
    file.architecture,
    file.page_size,
    file.paging_levels,
    initrd.readable,
    initrd.modules,
    signature.signature,
    versions.handover,
    versions.kho,
    versions.live_update,
    versions.memory_files,
    arguments.length,
    arguments.kho,
    arguments.live_update,
    arguments.build,
    regions.reserve_mem,
    scratch.fit,
    crash_region.fit,
    address_space.free,
    address_space.crash_kernel,
    address_space.new_regions,
    address_space.gigantic_pages,
    loading.switched_off,
    loading.limit,
    loading.memory,
    preserved.lies_well,
    preserved.waits,
    lifecycle.finalized,
    lifecycle.sessions,
)


def check(snapshot: Snapshot, request: KexecImage, watch: Watch = image_files.NOBODY) -> Preflight:
    """Read the files of an image, and hold them against a machine. Nothing is changed.

    Args:
        snapshot: The machine.
        request: What would be loaded.
        watch: Told how far the reading is; may call it off.

    Raises:
        SourceError: A file cannot be read.
        CancelledError: It was called off.
    """
    reading = begin(request.kernel, request.initrd, watch)
    if reading is not None:
        return answers(snapshot, request, *reading.result())
    # A machine without a twin has no use for what makes one.
    from kho_console.engine import simulated_image

    host = snapshot.machine
    image = simulated_image.kernel(request.kernel, host.architecture, host.page_size)
    disk = None if request.initrd is None else image_files.initial_ram_disk(request.initrd, watch)
    return answers(snapshot, request, image, disk)


def begin(kernel: str, initrd: str | None, watch: Watch = image_files.NOBODY) -> Reading | None:
    """Begin to read the files of an image; None for a kernel that only a twin has."""
    return None if kernel.startswith(SIMULATED) else Reading(kernel, initrd, watch)


def answers(
    snapshot: Snapshot, request: KexecImage, image: KernelImage, initrd: InitialRamDisk | None
) -> Preflight:
    """The same with files that were read before.

    Args:
        snapshot: The machine.
        request: What would be loaded.
        image: What its kernel file is.
        initrd: What its initial RAM disk is, None for none.
    """
    now = Situation.of(snapshot, request, image, initrd)
    return Preflight(image, initrd, tuple(item for rule in _RULES for item in rule(now)))
