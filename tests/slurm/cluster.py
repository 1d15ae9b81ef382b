"""A Slurm of one node on loopback: munged, slurmctld and slurmd as Debian packages them, without systemd or accounting."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol")

SETTINGS = """\
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
SlurmdTimeout=10
KillWait=5
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=8000 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def lacking() -> str | None:
    """Why no cluster can be started here."""
    if os.geteuid() != 0:
        return "starting a Slurm needs root"
    missing = [program for program in PROGRAMS if not shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")]
    return f"not installed: {', '.join(missing)} (Debian: slurm-wlm munge)" if missing else None


@dataclass
class Cluster:
    folder: Path
    daemons: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def node(self) -> str:
        return socket.gethostname().split(".")[0]

    @property
    def environment(self) -> dict[str, str]:
        return {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": f"{self.folder}/bin:{os.environ['PATH']}:/usr/sbin"}

    def start(self) -> None:
        for name in ("state", "spool", "bin"):
            (self.folder / name).mkdir()
        srun = self.folder / "bin/srun"  # Snakemake's job step forgets where the configuration is, unless it is in /etc
        srun.write_text(f'#!/bin/sh\nSLURM_CONF={self.folder}/slurm.conf exec {shutil.which("srun")} "$@"\n')
        srun.chmod(0o755)
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        (self.folder / "slurm.conf").write_text(SETTINGS.format(folder=self.folder, host=self.node, ports=_ports(2)))
        files = [f"--{name}-file={self.folder}/munge.{name}" for name in ("key", "pid", "log", "seed")]
        self._launch("munged", "--foreground", "--force", f"--socket={self.folder}/munge.socket", *files)
        until(lambda: (self.folder / "munge.socket").exists(), "munged")
        self._launch("slurmctld", "-D")
        self.up()

    def up(self) -> None:
        """Start the node, and wait until it takes jobs."""
        self._launch("slurmd", "-D")
        until(lambda: self("sinfo", "--noheader", "--format=%T").strip() in ("idle", "mixed", "allocated"), "the node")

    def down(self) -> None:
        """The node loses power: its daemon, and all that runs on it."""
        self.daemons["slurmd"].kill()
        self.daemons["slurmd"].wait()
        for pid in self("pgrep", "-f", "slurmstepd: \\[").split():
            subprocess.run(["pkill", "-KILL", "-P", pid], check=False)
            subprocess.run(["kill", "-KILL", pid], check=False)

    def stop(self) -> None:
        for daemon in reversed(self.daemons.values()):
            daemon.terminate()
            daemon.wait(20)

    def running(self, rule: str) -> list[str]:
        """The ids of the running jobs of a rule, which the plugin names in their comment."""
        rows = [line.split(maxsplit=1) for line in self("squeue", "--noheader", "--states=R", "--format=%i %k").splitlines()]
        return [row[0] for row in rows if len(row) == 2 and f"rule_{rule}" in row[1]]

    def __call__(self, *words: str) -> str:
        done = subprocess.run(words, env=os.environ | self.environment, capture_output=True, text=True, check=False)
        return done.stdout

    def _launch(self, name: str, *words: str) -> None:
        with (self.folder / f"{name}.out").open("ab") as out:
            self.daemons[name] = subprocess.Popen(
                [shutil.which(name, path=self.environment["PATH"]) or name, *words],
                env=os.environ | self.environment,
                stdout=out,
                stderr=out,
            )


def until(ready: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Wait for something to become true; fails the test when it does not."""
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, f"{what}: still not there after {seconds:g} s"
        time.sleep(0.2)


def _ports(count: int) -> list[int]:
    """Free ports on loopback."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
