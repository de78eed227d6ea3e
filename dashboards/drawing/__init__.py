"""Drawing without a website: typed rows in, figures for Plotly out. Runs in a process of its own, see job.py."""
