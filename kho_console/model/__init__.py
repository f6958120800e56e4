"""What a handover is: frozen values, without I/O and without formatting."""
