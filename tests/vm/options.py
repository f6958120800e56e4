"""How the kernels of the rig are configured: `tinyconfig` and these options."""

import hashlib

ENABLED = [
    "64BIT",
    "SMP",
    "NUMA",
    "ACPI_NUMA",
    "PCI",
    "ACPI",
    "ACPI_HOTPLUG_CPU",
    "ACPI_HOTPLUG_MEMORY",
    "HOTPLUG_CPU",
    "SPARSEMEM_VMEMMAP",
    "MEMORY_HOTPLUG",
    "MEMORY_HOTREMOVE",
    "KEXEC",
    "KEXEC_FILE",
    "CRASH_DUMP",
    "CRASH_HOTPLUG",
    "VMCORE_INFO",
    "PROC_VMCORE",
    "PROC_KCORE",
    "RELOCATABLE",
    "RANDOMIZE_BASE",
    "CMA",
    "CMA_SYSFS",
    "KEXEC_HANDOVER",
    "KEXEC_HANDOVER_DEBUG",
    "KEXEC_HANDOVER_DEBUGFS",
    "LIVEUPDATE",
    "LIVEUPDATE_MEMFD",
    "MEMFD_CREATE",
    "SHMEM",
    "TMPFS",
    "HUGETLBFS",
    "DEBUG_FS",
    "IKCONFIG",
    "IKCONFIG_PROC",
    "KALLSYMS",
    "BLK_DEV_INITRD",
    "RD_GZIP",
    "BINFMT_ELF",
    "BINFMT_SCRIPT",
    "TTY",
    "UNIX98_PTYS",
    "SERIAL_8250",
    "SERIAL_8250_CONSOLE",
    "DEVTMPFS",
    "DEVMEM",
    "STRICT_DEVMEM",
    "PROC_FS",
    "SYSFS",
    "NET",
    "UNIX",
    "INET",
    "VIRTIO_MENU",
    "VIRTIO",
    "VIRTIO_PCI",
    "VIRTIO_CONSOLE",
    "NETWORK_FILESYSTEMS",
    "NET_9P",
    "NET_9P_VIRTIO",
    "9P_FS",
    "OVERLAY_FS",
    "FUTEX",
    "EPOLL",
    "EVENTFD",
    "SIGNALFD",
    "TIMERFD",
    "FILE_LOCKING",
    "POSIX_TIMERS",
    "HIGH_RES_TIMERS",
    "MULTIUSER",
    "CGROUPS",
    "COMPACTION",
    "MIGRATION",
    "TRANSPARENT_HUGEPAGE",
    "FTRACE",
    "KERNEL_ZSTD",
    "SECURITY",
    "SECURITYFS",
    "SECURITY_LOCKDOWN_LSM",
    "SECURITY_LOCKDOWN_LSM_EARLY",
    "PRINTK",
    "ADVISE_SYSCALLS",
    "MEMBARRIER",
    "RSEQ",
    "AIO",
    "IO_URING",
    "SYSFS_SYSCALL",
    "PROC_SYSCTL",
    "SYSCTL",
    "KCMP",
]
"""Not every release knows every one; live update came with 6.19."""

# Up to 7.1 a kernel that initialises its struct pages late has no KHO.
DISABLED = ["DEFERRED_STRUCT_PAGE_INIT"]

SECURITY_MODULES = "lockdown"

NEEDED = ["KEXEC_HANDOVER", "KEXEC_FILE", "SECURITY_LOCKDOWN_LSM", "VIRTIO_CONSOLE", "OVERLAY_FS"]
"""Without these a built kernel is of no use here."""


def script_arguments() -> list[str]:
    """The options as arguments of the kernel's own `scripts/config`."""
    enabled = [word for option in ENABLED for word in ("--enable", option)]
    disabled = [word for option in DISABLED for word in ("--disable", option)]
    return [*enabled, *disabled, "--set-str", "LSM", SECURITY_MODULES]


def fingerprint() -> str:
    """A short name of this very set of options."""
    return hashlib.sha256(" ".join(script_arguments()).encode()).hexdigest()[:12]
