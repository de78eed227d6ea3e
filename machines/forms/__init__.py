"""The forms of machines: ordinary ones (data) and the generated one (prediction)."""
