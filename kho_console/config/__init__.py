"""What an operator has set: by file, by environment, by option."""
