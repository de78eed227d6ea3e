"""A child that does as it is told, well or badly: a line {"do": ...} in, a line out."""

import json
import os
import sys
import time

kept = []
for line in sys.stdin:
    do, more = json.loads(line)["do"], json.loads(line).get("more")
    if do == "die":
        sys.stderr.write("last words\n")
        os._exit(1)
    if do == "grow":
        kept.append(bytearray(more * 2**20))
        kept[-1][::4096] = b"x" * len(kept[-1][::4096])
        time.sleep(30)
    if do == "sleep":
        time.sleep(more)
    if do == "warn":
        sys.stderr.write("a warning\n")
        sys.stderr.flush()
        time.sleep(0.2)
    if do == "error":
        notice = {"template": "No %(what)s here.", "values": {"what": "<b>rows</b>"}, "weight": "warning"}
        print(json.dumps({"kind": "error", "error": notice}), flush=True)
    else:
        print(json.dumps({"kind": "done", "figure": {"pid": os.getpid(), "more": more}}), flush=True)
    if do == "leave":
        os._exit(0)
