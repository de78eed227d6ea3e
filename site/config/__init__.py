"""Settings, addresses and the few helpers that every app shares."""
