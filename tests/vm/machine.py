"""The QEMU command line, and whether KVM really works."""

import functools
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.vm import initramfs

QEMU = "qemu-system-x86_64"

MIB = 1 << 20
NODE = 1024 * MIB
"""Bytes of each of the two NUMA nodes."""

DIMM = 512 * MIB

SCRATCH = {"lowmem": 128 * MIB, "global": 16 * MIB, "node": 64 * MIB}
"""Explicit sizes: with the default the reservation may fail in 2 GiB, wherever KASLR put things."""

RESERVED = {"oops": 4 * MIB, "trace": 1 * MIB}
CRASH = 256 * MIB

ARGUMENTS = " ".join(
    (
        "console=ttyS0 panic=-1 kho=on liveupdate=on",
        "kho_scratch=" + ",".join(f"{size // MIB}M" for size in SCRATCH.values()),
        *(f"reserve_mem={size // MIB}M:4096:{name}" for name, size in RESERVED.items()),
        f"crashkernel={CRASH // MIB}M",
    )
)
"""The guest's kernel command line."""

_KVM_SECONDS = 15


def lacking() -> list[str]:
    """Debian packages that a guest needs and this system has not."""
    missing = [] if shutil.which(QEMU) else ["qemu-system-x86"]
    return missing if initramfs.busybox() else [*missing, "busybox-static"]


def command(kernel: Path, arguments: str, folder: Path, accelerator: str) -> list[str]:
    """QEMU with sockets, serial log, initial RAM disk and share below `folder`."""
    virtfs = "local,security_model=none,multidevs=remap"
    return [
        QEMU,
        *("-machine", "q35", "-accel", accelerator, "-cpu", "max", "-nographic", "-no-reboot"),
        *("-m", f"{2 * NODE // MIB}M,slots=4,maxmem=6G", "-smp", "2,maxcpus=4"),
        *(word for node in (0, 1) for word in _node(node)),
        *("-nic", "none", "-kernel", str(kernel), "-initrd", str(folder / "share/initrd")),
        *("-append", arguments),
        *("-serial", f"file:{folder}/serial.log", "-monitor", "none"),
        *("-qmp", f"unix:{folder}/qmp,server=on,wait=off"),
        *("-chardev", f"socket,id=agent,path={folder}/agent,server=on,wait=off"),
        *("-device", "virtio-serial", "-device", "virtserialport,chardev=agent,name=agent"),
        *("-virtfs", f"{virtfs},path=/,mount_tag=host,readonly=on"),
        *("-virtfs", f"{virtfs},path={folder}/share,mount_tag=share"),
    ]


@functools.cache
def accelerator(kernel: Path) -> str:
    """KVM where a guest gets to user space with it, else emulation.

    On some machines KVM is there, and QEMU aborts or the guest stops for good early in boot.
    """
    emulated = "tcg,thread=multi"
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return emulated
    with tempfile.TemporaryDirectory(prefix="kho-vm-") as name:
        folder = Path(name)
        (folder / "share").mkdir()
        initramfs.write(folder / "share/initrd")
        words = command(kernel, "console=ttyS0 panic=-1", folder, "kvm")
        trial = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return "kvm" if _reaches_init(trial, folder / "serial.log") else emulated
        finally:
            trial.kill()
            trial.wait()


def _reaches_init(trial: subprocess.Popen[bytes], serial: Path) -> bool:
    until = time.monotonic() + _KVM_SECONDS
    while time.monotonic() < until and trial.poll() is None:
        if serial.exists() and b"Run /init" in serial.read_bytes():
            return True
        time.sleep(0.1)
    return False


def _node(node: int) -> list[str]:
    return [
        *("-object", f"memory-backend-ram,id=node{node},size={NODE}"),
        *("-numa", f"node,nodeid={node},memdev=node{node},cpus={2 * node}-{2 * node + 1}"),
    ]
