"""Whether what must survive a kexec has: a note before it, and a look behind it."""
