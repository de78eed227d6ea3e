"""A child process that misbehaves as it is told: `python -m tests.machines.odd_child`."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    request = json.loads(sys.stdin.readline())
    globals()[request["do"]](request)


def answer(request: dict[str, str]) -> None:
    print(json.dumps({"said": request["word"]}))


def sleep(request: dict[str, str]) -> None:
    print(json.dumps({"pid": os.getpid()}), flush=True)
    time.sleep(60)


def sleep_with_a_child(request: dict[str, str]) -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print(json.dumps({"pid": child.pid}), flush=True)
    time.sleep(60)


def allocate(request: dict[str, str]) -> None:
    kept = []
    while True:
        kept.append(b"x" * 20_000_000)
        time.sleep(0.02)


def chatter(request: dict[str, str]) -> None:
    sys.stdout.buffer.write(b"Loading...\n\xff\xfe\x00 not text\n[1, 2]\n17\nnull\n{broken\n\n")
    sys.stderr.buffer.write(b"\xff\xfe a warning\n" * 5000)
    answer(request)


def tell_environment(request: dict[str, str]) -> None:
    print(json.dumps({"environment": dict(os.environ), "arguments": sys.argv}))


def leave_files(request: dict[str, str]) -> None:
    folder = Path(tempfile.mkdtemp(prefix="reading-"))
    (folder / "rows.csv").write_text("secret")
    print(json.dumps({"folder": str(folder)}), flush=True)
    time.sleep(float(request["word"]))


def tell_limits(request: dict[str, str]) -> None:
    names = ("RLIMIT_CORE", "RLIMIT_FSIZE", "RLIMIT_CPU", "RLIMIT_AS")
    print(json.dumps({name: resource.getrlimit(getattr(resource, name))[0] for name in names}))


def take_addresses(request: dict[str, str]) -> None:
    try:
        bytearray(int(request["word"]) * 2**20)
    except MemoryError:
        print(json.dumps({"refused": True}))
    else:
        print(json.dumps({"refused": False}))


def endless_line(request: dict[str, str]) -> None:
    while True:
        sys.stdout.write("x" * 2**20)


def endless_lines(request: dict[str, str]) -> None:
    while True:
        sys.stdout.write('{"a": 1}\n' * 10_000)


def endless_error(request: dict[str, str]) -> None:
    for _ in range(100):
        sys.stderr.write("x" * 2**20)
    answer(request)


def strange_numbers(request: dict[str, str]) -> None:
    print("1" * 5000)
    print("[" * 100_000)
    answer(request)


def fill_the_disk(request: dict[str, str]) -> None:
    folder = Path(tempfile.gettempdir())
    for number in range(100):
        (folder / str(number)).write_bytes(bytes(2**26))
        time.sleep(0.02)
    time.sleep(60)


def deep_folders(request: dict[str, str]) -> None:
    print(json.dumps({"folder": tempfile.gettempdir()}), flush=True)
    os.chdir(tempfile.gettempdir())
    for _ in range(3000):
        Path("a").mkdir()
        os.chdir("a")
    Path("closed").mkdir(0o300)
    Path("closed/b").write_text("secret")


def echo(request: dict[str, str]) -> None:
    print(json.dumps({"ready": True}), flush=True)
    print(json.dumps({"heard": sys.stdin.readline().strip()}))


def nothing(request: dict[str, str]) -> None:
    pass


def traceback(request: dict[str, str]) -> None:
    print(json.dumps({"kind": "progress"}), flush=True)
    raise ValueError("the cellar is on fire")


def close_and_hang(request: dict[str, str]) -> None:
    answer(request)
    sys.stdout.close()
    os.close(1)
    time.sleep(60)


if __name__ == "__main__":
    main()
