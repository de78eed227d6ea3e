"""How long work is done: queue, workers, leases. What the work is stands in machines.services; what is true, in models.work."""
