"""Several hosts in network namespaces, each with an address of its own, and what may happen to them.

A scheduler, workers and a client run as if on machines of their own: only frames that a small switch in this program
passes on come from one to another, late and with losses, as `--delay` and `--loss` say. While `glove build-cooc
--cluster` and `glove train --cluster` run, workers are killed, stopped for a while, and cut off from the network. It
ends with the comparison of all files with those of one machine.

Needs Linux, root, `ip` (iproute2) and /dev/net/tun. Traffic control's netem isn't used: many kernels lack it.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import fcntl
import hashlib
import heapq
import os
import random
import select
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PREFIX = "glovehost"
NETWORK = "10.177.41"
PORT = 8786
_NEW_NET = 0x40000000  # CLONE_NEWNET
_TUNSETIFF, _TAP, _NO_HEADER = 0x400454CA, 0x0002, 0x1000
_FRAME = 1 << 16
_SETTINGS = {  # a lost worker is to be noticed in seconds here, not in minutes
    "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": "6s",
    "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "100",
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__TCP": "15s",
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "15s",
}


class Switch(threading.Thread):
    """Passes frames between the hosts, each after a while, but those that are lost."""

    def __init__(self, names: list[str], delay: float, loss: float, seed: int) -> None:
        super().__init__(daemon=True)
        self.ports = [open_tap(name) for name in names]
        self.cut: set[int] = set()
        self.delay, self.loss = delay, loss
        self.passed = self.lost = self.bytes = 0
        self._random = random.Random(seed)
        self._due: list[tuple[float, int, int, bytes]] = []
        self._learned: dict[bytes, int] = {}

    def run(self) -> None:
        """Pass frames on for ever."""
        number = 0
        while True:
            wait = max(0.0, self._due[0][0] - time.monotonic()) if self._due else 1.0
            for port in select.select(self.ports, [], [], wait)[0]:
                frame, source = os.read(port, _FRAME), self.ports.index(port)
                self._learned[frame[6:12]] = source
                known = self._learned.get(frame[:6])
                for target in [known] if known is not None else set(range(len(self.ports))) - {source}:
                    if source in self.cut or self._random.random() < self.loss:
                        self.lost += 1
                        continue
                    number += 1
                    heapq.heappush(self._due, (time.monotonic() + self.delay, number, target, frame))
            while self._due and self._due[0][0] <= time.monotonic():
                _, _, target, frame = heapq.heappop(self._due)
                if target in self.cut:
                    self.lost += 1
                    continue
                with contextlib.suppress(OSError):
                    os.write(self.ports[target], frame)
                    self.passed += 1
                    self.bytes += len(frame)


def open_tap(name: str) -> int:
    """Make the network device of a host; return what its frames are read from and written to."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net") as here, open(f"/run/netns/{name}") as there:
        if libc.setns(there.fileno(), _NEW_NET):
            raise OSError(ctypes.get_errno(), f"{name}: can't be entered")
        try:
            tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(tap, _TUNSETIFF, struct.pack("16sH", b"eth0", _TAP | _NO_HEADER))
        finally:
            libc.setns(here.fileno(), _NEW_NET)
    return tap


class Hosts:
    """The hosts: number 0 has the scheduler and the client, the others a worker each."""

    def __init__(self, number: int, work: Path, arguments: argparse.Namespace) -> None:
        self.names = [f"{PREFIX}{k}" for k in range(number + 1)]
        self.work = work
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self.remove()
        for name in self.names:
            ip("netns", "add", name)
        self.switch = Switch(self.names, arguments.delay / 1000, arguments.loss / 100, arguments.seed)
        for k, name in enumerate(self.names):
            ip("-n", name, "addr", "add", f"{NETWORK}.{k + 1}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "mtu", "9000", "up")
            ip("-n", name, "link", "set", "lo", "up")
        self.switch.start()
        self.start(0)
        time.sleep(2)
        for k in range(1, number + 1):
            self.start(k)

    def start(self, k: int) -> None:
        """Start what runs on a host."""
        address = f"tcp://{NETWORK}.1:{PORT}"
        what = ["scheduler", "--host", f"{NETWORK}.1", "--port", str(PORT), "--no-dashboard"]
        if k:
            folder = self.work / f"local{k}"
            what = ["worker", address, "--host", f"{NETWORK}.{k + 1}", "--nthreads", "1", "--no-dashboard",
                    "--local-directory", str(folder), "--name", f"host{k}"]  # fmt: skip
        with (self.work / f"{self.names[k]}.log").open("ab") as log:
            self._processes[k] = subprocess.Popen(
                self.command(k, "-m", f"distributed.cli.dask_{what[0]}", *what[1:]),
                stdout=log, stderr=log, start_new_session=True, env=environment(),
            )  # fmt: skip

    def command(self, k: int, *arguments: str) -> list[str]:
        """Return what runs Python on a host."""
        return ["ip", "netns", "exec", self.names[k], sys.executable, *arguments]

    def signal(self, k: int, number: int) -> None:
        """Send a signal to all processes of a worker."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._processes[k].pid, number)

    def remove(self) -> None:
        """End all, and remove the namespaces."""
        for process in self._processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def environment() -> dict[str, str]:
    """Return the environment of all processes."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, **_SETTINGS, "PYTHONPATH": path}


def ip(*arguments: str) -> None:
    """Run `ip`."""
    subprocess.run(["ip", *arguments], check=True)


def disturb(hosts: Hosts, seed: int, calm: float, over: threading.Event) -> Iterator[str]:
    """Do something to a worker now and then; yield what."""
    rng = random.Random(seed)
    while not over.wait(2 * calm * rng.random()):
        k = rng.randrange(1, len(hosts.names))
        what = rng.choice(["killed", "stopped", "cut off"])
        yield f"host {k} {what}"
        if what == "killed":
            hosts.signal(k, signal.SIGKILL)
            over.wait(2)
            hosts.start(k)
        elif what == "stopped":
            hosts.signal(k, signal.SIGSTOP)
            over.wait(3 + 8 * rng.random())
            hosts.signal(k, signal.SIGCONT)
        else:
            hosts.switch.cut.add(k)
            over.wait(3 + 8 * rng.random())
            hosts.switch.cut.discard(k)


def run(hosts: Hosts, arguments: list[str], seed: int, calm: float, *, disturbed: bool) -> list[str]:
    """Run a command on host 0, again with --resume while it fails as a cluster may; return what was done meanwhile."""
    happened: list[str] = []
    over = threading.Event()

    def work() -> None:
        happened.extend(disturb(hosts, seed, calm, over))

    thread = threading.Thread(target=work, daemon=True)
    if disturbed:
        thread.start()
    try:
        for attempt in range(20):
            more = ["--resume"] if attempt else []
            command = hosts.command(0, "-m", "glove_cli", *arguments, *more)
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
            lines = done.stderr.strip().splitlines() or [""]
            last = lines[-1]
            happened.extend(line for line in lines if "lost" in line or "checkpoint" in line)
            if done.returncode == 0:
                return happened
            happened.append(f"the command ended with {done.returncode}: {last}")
            if not last.startswith("Error: --cluster") or "Traceback" in done.stderr:
                raise SystemExit(done.stderr)
        raise SystemExit("the command failed again and again")
    finally:
        over.set()
        if disturbed:
            thread.join(30)


def files_of(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of the files of a result that hold no times."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.name not in ("meta.json", "history.jsonl")
    }


def main() -> None:
    """Count and train on several hosts, disturbed, and compare."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("corpus", type=Path)
    options.add_argument("--hosts", type=int, default=3, help="hosts with a worker (default 3)")
    options.add_argument("--delay", type=float, default=5.0, help="of each frame, in milliseconds (default 5)")
    options.add_argument("--loss", type=float, default=0.5, help="of frames, in percent (default 0.5)")
    options.add_argument("--times", type=int, default=3, help="runs that are disturbed (default 3)")
    options.add_argument("--calm", type=float, default=6.0, help="seconds between two disturbances (default 6)")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--train", default="--dim 50 --epochs 5 --x-max 10 --checkpoint-every 3s")
    options.add_argument("--skip-training", action="store_true")
    arguments = options.parse_args()
    corpus = str(arguments.corpus.resolve())
    cluster = ["--cluster", f"tcp://{NETWORK}.1:{PORT}"]
    train = ["train", *arguments.train.split()]
    with tempfile.TemporaryDirectory(prefix="glove-hosts-") as folder:
        work = Path(folder)
        alone = [sys.executable, "-m", "glove_cli"]
        one = str(work / "one")
        subprocess.run([*alone, "build-cooc", corpus, "--run", one], check=True, capture_output=True, env=environment())
        if not arguments.skip_training:
            subprocess.run([*alone, *train, "--run", one], check=True, capture_output=True, env=environment())
        good = True
        hosts = Hosts(arguments.hosts, work, arguments)
        try:
            for time_ in range(arguments.times + 1):
                where = work / f"many{time_}"
                jobs: list[tuple[str, list[str], Callable[[Path], Path]]] = [
                    ("cooc", ["build-cooc", corpus, "--run", str(where), *cluster], lambda run: run / "cooc")
                ]
                if not arguments.skip_training:
                    made = ["--run", str(where), "--tiles", str(where / "tiles")]
                    jobs.append(("model", [*train, *made, *cluster], lambda run: run / "model"))
                for name, command, place in jobs:
                    begin = time.perf_counter()
                    happened = run(hosts, command, arguments.seed + time_, arguments.calm, disturbed=time_ > 0)
                    same = files_of(place(where)) == files_of(place(work / "one"))
                    good &= same
                    seconds = time.perf_counter() - begin
                    print(f"{name} {time_}: {'same bytes' if same else 'OTHER BYTES'}, {seconds:.0f} s", flush=True)
                    for each in happened:
                        print(f"    {each}", flush=True)
            switch = hosts.switch
            print(f"{switch.passed:,} frames passed ({switch.bytes / 1e6:,.0f} MB), {switch.lost:,} lost")
        finally:
            hosts.remove()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
