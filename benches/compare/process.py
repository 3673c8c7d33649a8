"""The processes that are measured."""

import contextlib
import ctypes
import json
import os
import pathlib
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DIST = ["--profile", "dist", "--features", "jemalloc"]
# Of a process whose log is read.
LOGGED = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
LIBC = ctypes.CDLL(None)

# With it a program takes a backtrace for each error; an installed one runs without.
os.environ.pop("RUST_BACKTRACE", None)


def built(*arguments):
    """The programs that cargo builds with these arguments, by the names of their targets."""
    command = ["cargo", *arguments, "--message-format=json"]
    lines = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    messages = [json.loads(line) for line in lines.splitlines()]
    return {it["target"]["name"]: it["executable"] for it in messages if it.get("executable")}


def built_exporter():
    name = "secure-score-exporter"
    return built("build", *DIST, "--bin", name)[name]


def started(*command, **options):
    return subprocess.Popen(list(map(str, command)), text=True, **options)


def stopped(process):
    process.terminate()
    process.wait()


@contextlib.contextmanager
def running(*command, **options):
    """A process that is stopped at the end of the block."""
    process = started(*command, **options)
    try:
        yield process
    finally:
        stopped(process)


def said(process, marker):
    """The word after a marker in the log of a process."""
    for line in process.stdout:
        if marker in line:
            return line.split(marker, 1)[1].split()[0]
    raise SystemExit(f"it ended without {marker!r}")


def until(what, test, patience, pause):
    """Tests until it is true, for so many seconds at most."""
    deadline = time.monotonic() + patience
    while not test():
        if time.monotonic() > deadline:
            raise SystemExit(f"never: {what}")
        time.sleep(pause)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def cpu(pid):
    """Seconds of user and system time of a process, more precise than the ticks of
    /proc."""
    clock = ctypes.c_int()
    if LIBC.clock_getcpuclockid(pid, ctypes.byref(clock)) != 0:
        raise SystemExit(f"process {pid} has ended")
    return time.clock_gettime(clock.value)


def resident(pid):
    """Bytes of memory of a process."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024
