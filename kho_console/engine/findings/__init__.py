"""What may be worth an operator's attention, one module for each subject."""
