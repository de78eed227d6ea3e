"""What all REST calls share: keys, limits, errors, JSON. The calls themselves stay with their app (machines/api.py)."""
