"""What a kernel shows of its boot: the files of the new one in place of the old one's."""

import re
import struct
from collections.abc import Sequence

from kho_console.model.blob import ReservedRegion
from kho_console.model.tree import RootTree
from kho_console.model.unknown import Unknown
from kho_console.source.protocol import SourceError
from kho_console.twin.arrival import Arrival
from kho_console.twin.boot_parameters import Start
from kho_console.twin.files import Folder, Window
from kho_console.twin.hardware import Hardware
from kho_console.twin.kernel import DEVICE, KEXEC, Kernel
from kho_console.twin.kho2024.outgoing import FOLDER, INCOMING

_SETUP_DATA = "/sys/kernel/boot_params/setup_data"
_CHOSEN = "/sys/firmware/devicetree/base/chosen"
_PID = re.compile(r"[0-9]{1,10}")
_SEED = b"0x9\n"
_KHO = b"0xa\n"
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_MEM_TOTAL = re.compile(rb"^(MemTotal:[ \t]+)([0-9]{1,15})( kB)$", re.MULTILINE)


def first_lines(release: str, command_line: bytes) -> list[str]:
    """What any kernel says first."""
    text = command_line.decode("utf-8", "backslashreplace")
    return [f"Linux version {release} (twin)", f"Command line: {text}"]


def clear(hardware: Hardware, start: Start) -> None:
    """Take away what only the kernel before showed, its processes included."""
    files = hardware.files
    for path in (
        hardware.kho,
        f"{hardware.debugfs}/memblock",
        _SETUP_DATA,
        *(f"{_CHOSEN}/linux,kho-{name}" for name in ("dt", "fdt", "mem", "scratch")),
        FOLDER,
        INCOMING,
        DEVICE,
        "/sys/class/misc/liveupdate",
    ):
        files.remove(path)
    for path in ("/proc/config.gz", f"/boot/config-{start.release}"):
        if start.row.name == hardware.built:
            files.uncover(path)
        else:
            files.remove(path)
    if not start.row.kexec_folder:
        files.remove(KEXEC)
    try:
        names = files.list("/proc")
    except SourceError:
        names = ()
    for name in names:
        if _PID.fullmatch(name):
            files.remove(f"/proc/{name}")


def show(
    kernel: Kernel,
    arrival: Arrival | None,
    regions: Sequence[ReservedRegion],
    start: Start,
) -> None:
    """Make the files of the new kernel that are not the outgoing handover's own."""
    put = kernel.hardware.files.put
    put("/proc/cmdline", start.command_line + b"\n")
    put("/proc/version", f"Linux version {start.release} (twin)\n".encode())
    put("/proc/uptime", b"5.00 5.00\n")
    put("/proc/sys/kernel/osrelease", f"{start.release}\n".encode())
    put("/proc/sys/kernel/random/boot_id", f"{start.boot_id}\n".encode())
    kernel.show_images()
    kernel.show_limits()
    _show_protocol(kernel.hardware, start)
    if regions and kernel.row.stateless:
        listed = b"".join(b"%s\t\t(%s)\n" % (item.name, _size(item.size)) for item in regions)
        put(f"{kernel.hardware.debugfs}/memblock/reserve_mem_param", listed)
    if arrival is not None and kernel.handover is not None:
        _show_incoming(kernel.hardware, arrival.tree)


def show_memory(kernel: Kernel, total: int | None) -> None:
    """MemTotal lacks what is preserved and claimed by nobody."""
    path = "/proc/meminfo"
    if total is None or not kernel.hardware.files.stands(path):
        return
    waiting = kernel.incoming.unclaimed_bytes() if kernel.incoming else 0
    content = kernel.hardware.files.read(path, 1 << 20)
    left = max(total - waiting, 0) >> 10
    kernel.hardware.files.put(path, _MEM_TOTAL.sub(rb"\g<1>%d\g<3>" % left, content))


def _show_protocol(hardware: Hardware, start: Start) -> None:
    carried, put = start.carried, hardware.files.put
    if carried is None:
        return
    channel = carried.channel(hardware.page_size)
    if hardware.x86:
        words = [word for item in channel.values() for word in (item.start, item.size)]
        put(f"{_SETUP_DATA}/0/type", _SEED)
        put(f"{_SETUP_DATA}/0/data", b"")
        put(f"{_SETUP_DATA}/1/type", _KHO)
        put(f"{_SETUP_DATA}/1/data", struct.pack(f"<{len(words)}Q", *words))
        return
    for name, item in channel.items():
        word = "dt" if name == "fdt" and "mem" in channel else name
        put(f"{_CHOSEN}/linux,kho-{word}", struct.pack(">2Q", item.start, item.size))


def _show_incoming(hardware: Hardware, tree: RootTree) -> None:
    """`in/`: windows on the memory that came in, whatever becomes of it."""
    put = hardware.files.put
    put(f"{hardware.kho}/in/sub_fdts", Folder())
    if isinstance(tree.address, Unknown):
        return
    put(f"{hardware.kho}/in/fdt", Window(tree.address, tree.flat.totalsize))
    for item in tree.pointers:
        if isinstance(item.address, Unknown):
            continue
        size = item.size
        if isinstance(size, Unknown):
            # A tree of 6.16 to 7.0 carries its own size.
            size = int.from_bytes(hardware.memory.read(item.address + 4, 4), "big")
        name = item.name.decode("utf-8", "surrogateescape")
        put(f"{hardware.kho}/in/sub_fdts/{name}", Window(item.address, size))


def _size(size: int) -> bytes:
    """A size as string_get_size prints it."""
    value, unit = float(size), 0
    while value >= 1024 and unit + 1 < len(_UNITS):
        value, unit = value / 1024, unit + 1
    return f"{value:.2f} {_UNITS[unit]}".encode()
