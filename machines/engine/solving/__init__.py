"""Rows of a file, or stored ones, answered by a machine: in chunks that a crash does not lose."""
