"""The heart: data in, machine trained, answers out."""
