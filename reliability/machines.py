"""Several machines, each with a Linux of its own, that count and train together in a folder that they share by NFS.

Namespaces share one kernel, and so all that it has seen of a file. Here every machine is a User Mode Linux: number 0
exports a folder by NFS, number 1 has scheduler and client, the others a worker each. `glove build-cooc --cluster` and
`glove train --cluster` write into that folder; machines with a worker lose their power now and then, and come back. It
ends with the comparison of all files, as they stand on the server, with those of one machine without NFS.

Needs Linux, root, `ip` (iproute2), `unshare`, /dev/net/tun, and Debian's packages user-mode-linux, nfs-common,
nfs-kernel-server. Everything happens in a network namespace that goes away with this program.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import resource
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from hosts import ROOT, environment, files_of, ip

NETWORK = "10.177.44"
SCHEDULER = f"tcp://{NETWORK}.2:8786"
SHARED = Path("/srv/glove")
KERNELS = Path("/usr/lib/uml/modules")
_AGENT = 7000  # the port at which a machine is told what to run
_BOOT_SECONDS = 120
_FAILURES = 30  # of one command
_IN_SHELL = """#!/bin/bash
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
mount -t proc none /proc; mount -t sysfs none /sys
for name in overlay nfsd nfsv4; do modprobe -d {work} $name; done
mount -t tmpfs -o size=50% none /mnt; mkdir /mnt/upper /mnt/other /mnt/root
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/other none /mnt/root
cd /mnt/root
mount -t proc none proc; mount -t sysfs none sys; mount -t tmpfs none run
mount -t tmpfs none dev/shm
number=$(sed 's/.*number=\\([0-9]*\\).*/\\1/' proc/cmdline)
exec chroot . {python} {script} --number $number
"""


class Machines:
    """The machines, by their numbers."""

    def __init__(self, workers: int, work: Path, arguments: argparse.Namespace) -> None:
        self.work, self.memory, self.nfs = work, arguments.memory, arguments.nfs
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        (work / "lib").mkdir()
        (work / "lib" / "modules").symlink_to(KERNELS)
        init = work / "init"
        script = {"work": work, "python": sys.executable, "script": Path(__file__).resolve()}
        init.write_text(_IN_SHELL.format(**script))
        init.chmod(0o755)
        ip("link", "add", "bridge", "type", "bridge")
        ip("link", "set", "bridge", "up")
        ip("addr", "add", f"{NETWORK}.254/24", "dev", "bridge")
        for k in range(workers + 2):
            ip("tuntap", "add", f"tap{k}", "mode", "tap")
            ip("link", "set", f"tap{k}", "master", "bridge", "up")
        for k in range(workers + 2):
            self.start(k)

    def start(self, k: int) -> None:
        """Switch a machine on, and wait until it can be told what to do."""
        command = [
            "linux.uml", f"mem={self.memory}", "root=none", "rootfstype=hostfs", "ro", f"init={self.work / 'init'}",
            f"eth0=tuntap,tap{k}", "con0=null,fd:1", "con=null", f"umid=glove-machine-{os.getpid()}-{k}",
            f"nfs={self.nfs}", f"number={k}",
        ]  # fmt: skip
        with (self.work / f"machine{k}.log").open("ab") as log:
            self._running[k] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "TMPDIR": "/dev/shm"}, preexec_fn=_many_files,
            )  # fmt: skip
        end = time.monotonic() + _BOOT_SECONDS
        while time.monotonic() < end:
            with contextlib.suppress(OSError, ValueError):
                if self.run(k, ["true"])[0] == 0:
                    return
            time.sleep(0.5)
        raise SystemExit(f"machine {k} didn't start:\n{(self.work / f'machine{k}.log').read_text()[-2000:]}")

    def stop(self, k: int) -> None:
        """Take the power from a machine."""
        name = f"umid=glove-machine-{os.getpid()}-{k} "  # each process in it is one here, too
        while subprocess.run(["pkill", "-9", "-f", name], check=False).returncode == 0:
            time.sleep(0.2)
        self._running[k].wait()

    def close(self) -> None:
        """Switch all off."""
        for k in self._running:
            self.stop(k)

    def run(self, k: int, command: list[str]) -> tuple[int, str, str]:
        """Run a command on a machine; return its exit code and what it wrote."""
        with socket.create_connection((f"{NETWORK}.{k + 1}", _AGENT), timeout=5) as connection:
            connection.settimeout(None)
            connection.sendall(json.dumps(command).encode() + b"\n")
            with connection.makefile("rb") as answer:
                code, out, err = json.loads(answer.read())
        return code, out, err


def _many_files() -> None:
    """Let a machine open as many files as may be: each that it has seen of this one's stays open."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def be_machine(number: int) -> None:
    """Get a machine ready, and run what it is told. This is its first process."""
    boot = dict(each.split("=", 1) for each in Path("/proc/cmdline").read_text().split() if "=" in each)
    for command in ("link set lo up", "link set eth0 up", f"addr add {NETWORK}.{number + 1}/24 dev eth0"):
        ip(*command.split())
    socket.sethostname(f"machine{number}")  # by which the server tells them apart
    os.makedirs(SHARED, exist_ok=True)
    if number == 0:
        export(SHARED)
    else:
        do(f"mount -t nfs -o {boot['nfs']} {NETWORK}.1:/ {SHARED}")
    here = Path("/run")
    dask = [sys.executable, "-m", "dask"]
    if number == 1:
        start([*dask, "scheduler", "--host", f"{NETWORK}.2", "--port", "8786", "--no-dashboard"], here)
    elif number > 1:
        limits = ["--nthreads", "1", "--memory-limit", "1GB", "--local-directory", "dask"]
        start([*dask, "worker", SCHEDULER, "--host", f"{NETWORK}.{number + 1}", "--no-dashboard", *limits], here)
    with socket.create_server(("", _AGENT)) as server:
        while True:
            connection, _ = server.accept()
            threading.Thread(target=serve, args=(connection,), daemon=True).start()


def export(folder: Path) -> None:
    """Offer a folder in memory by NFS."""
    do(f"mount -t tmpfs -o size=90% none {folder}")
    Path("/etc/exports").write_text(f"{folder} {NETWORK}.0/24(rw,no_root_squash,fsid=0,no_subtree_check,insecure)\n")
    os.makedirs("/var/lib/nfs/rpc_pipefs", exist_ok=True)
    do("mount -t rpc_pipefs none /var/lib/nfs/rpc_pipefs")
    do("mount -t nfsd none /proc/fs/nfsd")
    for command in ("exportfs -ra", "rpc.nfsd --no-udp -N 3 -V 4.2 8", "rpc.mountd -N 3"):
        do(command)
    Path("/proc/fs/nfsd/v4_end_grace").write_text("Y")


def do(command: str) -> None:
    """Run a command of the system's."""
    subprocess.run(shlex.split(command), check=True)


def start(command: list[str], folder: Path) -> None:
    """Start a process that goes on."""
    with (folder / "log").open("wb") as log:
        subprocess.Popen(command, stdout=log, stderr=log, env=environment(), cwd=folder)


def serve(connection: socket.socket) -> None:
    """Run a command for the other side, and say what came of it."""
    with connection, connection.makefile("rb") as asked:
        command = json.loads(asked.readline())
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=environment(), cwd=SHARED, errors="replace"
        )
        connection.sendall(json.dumps([done.returncode, done.stdout, done.stderr]).encode())


def disturb(machines: Machines, workers: int, calm: float, seed: int, over: threading.Event, said: list[str]) -> None:
    """Take the power from machines with a worker now and then, one at a time, until all is over."""
    rng = random.Random(seed)
    while not over.wait(2 * calm * rng.random()):
        k = rng.randrange(2, 2 + workers)
        said.append(f"machine {k} lost its power")
        machines.stop(k)
        over.wait(3)
        machines.start(k)


def work_through(machines: Machines, command: list[str], said: list[str]) -> None:
    """Run a command on machine 1, again with --resume while it fails as a cluster may."""
    for attempt in range(_FAILURES):
        more = ["--resume"] if attempt else []
        code, _, err = machines.run(1, [sys.executable, "-m", "glove_cli", *command, *more])
        lines = err.strip().splitlines() or [""]
        said.extend(line for line in lines if "lost" in line or "checkpoint" in line)
        if code == 0:
            return
        said.append(f"the command ended with {code}: {lines[-1]}")
        if not lines[-1].startswith("Error: --cluster") or "Traceback" in err:
            raise SystemExit("\n".join([*said, err]))
    raise SystemExit("the command failed again and again")


def sums_on(machines: Machines, k: int, folder: Path) -> dict[str, str]:
    """Return the SHA-256 of a result's files, as a machine sees them."""
    program = "import json, sys; sys.path.insert(0, sys.argv[1]); from hosts import files_of, Path; "
    program += "print(json.dumps(files_of(Path(sys.argv[2]))))"
    code, out, err = machines.run(k, [sys.executable, "-c", program, str(ROOT / "reliability"), str(folder)])
    if code:
        raise SystemExit(err)
    found: dict[str, str] = json.loads(out)
    return found


def main() -> None:
    """Count and train on several machines, and compare."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("corpus", type=Path, nargs="?")
    options.add_argument("--workers", type=int, default=2, help="machines with a worker (default 2)")
    options.add_argument("--times", type=int, default=4, help="countings and trainings (default 4)")
    options.add_argument("--calm", type=float, default=0.0, help="seconds between two losses of power (default: none)")
    options.add_argument("--nfs", default="vers=4.2", help="options of the mount (default vers=4.2)")
    options.add_argument("--memory", default="2500M", help="of a machine (default 2500M)")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--train", default="--dim 50 --epochs 4 --checkpoint-every 2s")
    options.add_argument("--number", type=int, help=argparse.SUPPRESS)
    arguments = options.parse_args()
    if arguments.number is not None:
        be_machine(arguments.number)
        return
    if arguments.corpus is None:
        options.error("a corpus is needed")
    if "GLOVE_MACHINES" not in os.environ:  # again, in a network of its own
        os.environ["GLOVE_MACHINES"] = "1"
        os.execvp("unshare", ["unshare", "--net", sys.executable, *sys.argv])
    signal.signal(signal.SIGTERM, lambda *given: sys.exit(1))  # with all machines
    corpus = str(arguments.corpus.resolve())
    train = ["train", *arguments.train.split()]
    with tempfile.TemporaryDirectory(prefix="glove-machines-") as folder, contextlib.ExitStack() as stack:
        work = Path(folder)
        one = work / "one"
        for command in (["build-cooc", corpus], train):
            alone: list[Any] = [sys.executable, "-m", "glove_cli", *command, "--run", one]
            subprocess.run(alone, check=True, capture_output=True, env=environment())
        wanted = {name: files_of(one / name) for name in ("cooc", "model")}
        machines = Machines(arguments.workers, work, arguments)
        stack.callback(machines.close)
        good = True
        for number in range(arguments.times):
            where = SHARED / f"many{number}"
            said: list[str] = []
            over = threading.Event()
            losses = (machines, arguments.workers, arguments.calm, arguments.seed + number, over, said)
            thread = threading.Thread(target=disturb, args=losses, daemon=True)
            if arguments.calm:
                thread.start()
            try:
                for name, command in (("cooc", ["build-cooc", corpus]), ("model", train)):
                    begin = time.perf_counter()
                    work_through(machines, [*command, "--run", str(where), "--cluster", SCHEDULER], said)
                    seconds = time.perf_counter() - begin
                    seen = [sums_on(machines, k, where / name) for k in (0, 1)]
                    same = all(each == wanted[name] for each in seen)
                    good &= same
                    print(f"{name} {number}: {'same bytes' if same else 'OTHER BYTES'}, {seconds:.0f} s", flush=True)
            finally:
                over.set()
                if arguments.calm:
                    thread.join(_BOOT_SECONDS)
            left = machines.run(0, ["find", str(where), "-name", ".*", "-not", "-name", ".nfs*"])[1].split()
            good &= not left
            for each in [*said, *(f"left: {name}" for name in left)]:
                print(f"    {each}", flush=True)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
