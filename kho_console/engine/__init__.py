"""What the bytes mean for an operator: observe a source, diagnose what was observed."""
