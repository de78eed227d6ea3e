"""Where uploaded models run: processes without files, network or power over others.

`lock.py` takes everything away from the process that calls it. `zygote.py` imports once what models need and forks
locked children. `runner.py` is what the site talks to.
"""
