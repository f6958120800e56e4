"""Where the kernel shows its handover."""

OUT = "out"
IN = "in"
"""What the kernel and the command line call the two sides."""

DEBUGFS = "/sys/kernel/debug"
"""Where debugfs is mounted on any usual system."""

RFC_2024 = "/sys/kernel/kho"
"""The 2024 series and the v5 series of 2025: sysfs instead of debugfs."""

RFC_2024_IN = "/sys/firmware/kho"
KEXEC = "/sys/kernel/kexec"
"""Present from 6.19 on."""

SETUP_DATA = "/sys/kernel/boot_params/setup_data"
CHOSEN = "/sys/firmware/devicetree/base/chosen"
NODES = "/sys/devices/system/node"
CPUS = "/sys/devices/system/cpu"
MEMORY = "/sys/devices/system/memory"
LIVEUPDATE = "/dev/liveupdate"
KEXEC_LOADED = "/sys/kernel/kexec_loaded"
CRASH_LOADED = "/sys/kernel/kexec_crash_loaded"
CRASH_SIZE = "/sys/kernel/kexec_crash_size"
"""Reading it takes the kexec lock: only full looks do."""

CMDLINE = "/proc/cmdline"
SYSCTL = "/proc/sys/kernel"
LOCKDOWN = "/sys/kernel/security/lockdown"
SYSTEMD = "/run/systemd/system"
"""There while systemd is the first process (sd_booted)."""


class Handover:
    """The debugfs tree below one mount of debugfs.

    Attributes:
        root: The `kho` directory.
        outgoing: Its `out` directory.
        incoming: Its `in` directory, there after a handover only.
    """

    def __init__(self, debugfs: str) -> None:
        self.root = f"{debugfs}/kho"
        self.outgoing = f"{self.root}/out"
        self.incoming = f"{self.root}/in"

    @property
    def finalize(self) -> str:
        """`out/finalize`, 6.16 to 7.0."""
        return f"{self.outgoing}/finalize"

    def tree(self, side: str) -> str:
        """The root tree of a side."""
        return f"{side}/fdt"

    def blobs(self, side: str) -> str:
        """The directory of blobs of a side."""
        return f"{side}/sub_fdts"


class Handover2024(Handover):
    """The series of 2024: one tree a side in sysfs, with the state of all producers in it."""

    def __init__(self) -> None:
        self.root = RFC_2024
        self.outgoing = RFC_2024
        self.incoming = RFC_2024_IN

    def tree(self, side: str) -> str:
        """The tree of a side."""
        return f"{side}/dt"

    def blobs(self, side: str) -> str:
        """Where the nodes of a side stand: in its tree."""
        return f"{side}/dt:"
