"""The use cases of machines, in the order of a journey: datasets, columns, training, predictions."""
