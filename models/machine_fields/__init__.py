"""The fields of Machine, grouped by subject into abstract models so that each group can be read alone."""
