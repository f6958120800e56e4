"""Where bytes come from: a live machine or a fixture folder. What they mean is not said here."""
