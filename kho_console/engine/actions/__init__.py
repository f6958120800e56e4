"""Everything that changes a machine: `perform` does it, the others say what and why."""
