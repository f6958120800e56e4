"""Crash images on a twin: loading, hotplug under two designs, and panic."""
