"""A console for Kexec HandOver: what a Linux kernel hands to its successor, seen and explained."""

__version__ = "0.1.0"
