"""Every mechanism that carries memory over a kexec, merged or not, side by side."""
