"""What each executor is asked for with our profile of it, by the installed plugin: memory, time, GPUs, image and bucket."""

import base64
import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sagan_div.workflow.kinds import KINDS
from support import TINY, command, copy_project

RENDERED = Path(__file__).with_name("rendered.py")
COMPUTING = {kind.rule for kind in KINDS.values() if "device" in kind.options}
LOCAL = {"fetch_data", "fetch_weights", "report"}
STUDY = ("--configfile", "tiny.yaml", "--config", "score={extractors: [inception, classifier]}")
PLUGINS = {"slurm": "slurm", "kubernetes": "kubernetes", "aws-batch": "aws_batch", "google-batch": "googlebatch"}
IMAGE, BUCKET = "your-registry/sagan-div:0.2.0", "s3://your-bucket/sagan-div"
SBATCH = """\
#!/bin/sh
[ "${0##*/}" = sbatch ] || exit 0
for word in "$@"; do printf '%s\\0' "$word"; done >> "$RENDERED.sbatch"
printf '\\0' >> "$RENDERED.sbatch"
echo 1
"""
Jobs = list[dict[str, Any]]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """In a git repository, whose files travel to the nodes."""
    folder = copy_project(tmp_path_factory.mktemp("requests") / "project")
    (folder / "tiny.yaml").write_text(TINY)
    (folder / "bin").mkdir()
    for name in ("sbatch", "sinfo", "scontrol", "sacct", "sacctmgr", "squeue"):
        (folder / "bin" / name).write_text(SBATCH)
        (folder / "bin" / name).chmod(0o755)
    command("git", "init", "-q", cwd=folder)
    command("git", "add", "-A", cwd=folder)
    return folder


def rendered(project: Path, *words: str, **environment: str) -> Jobs:
    """What the jobs of a plan ask for, in a first and in a fourth try."""
    file = project / "rendered.json"
    file.unlink(missing_ok=True)
    variables = {
        "RENDERED": str(file),
        "PATH": os.pathsep.join([str(project / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "MOTO_S3_CUSTOM_ENDPOINTS": "https://storage.googleapis.com",
        **{"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"},
    }
    done = command(sys.executable, RENDERED, "--nolock", *words, *STUDY, cwd=project, **variables | environment)
    assert file.is_file(), done.stdout + done.stderr
    return list(json.loads(file.read_text()))


@pytest.fixture(scope="module")
def asked(project: Path) -> Callable[..., Jobs]:
    """The jobs of a profile on a device, each with its one request to the executor as `request`."""
    known: dict[tuple[str, str], Jobs] = {}

    def ask(profile: str, device: str = "cuda") -> Jobs:
        if (profile, device) not in known:
            plugin = PLUGINS[profile]
            pytest.importorskip(f"snakemake_executor_plugin_{plugin}")
            words = ("--profile", f"workflow/profiles/{profile}")
            jobs = rendered(project, *words, EXECUTOR=plugin.replace("_", "-"), SAGAN_DIV_DEVICE=device)
            submitted = _submitted(project / "rendered.json.sbatch")
            for job in jobs:
                if not job["local"]:
                    job["request"] = submitted.pop(0) if profile == "slurm" else job["sent"][0]
            known[profile, device] = jobs
        return known[profile, device]

    return ask


def _submitted(file: Path) -> list[list[str]]:
    """The words of each call of sbatch, which the stand-in on PATH wrote down."""
    text = file.read_text() if file.is_file() else ""
    file.unlink(missing_ok=True)
    return [call.split("\0") for call in text.split("\0\0")[:-1]]


def remote(jobs: Jobs, attempt: int) -> Jobs:
    return [job for job in jobs if not job["local"] and job["attempt"] == attempt]


def handed_over(text: str) -> dict[str, str]:
    """The default resources in a command line of Snakemake's for a node."""
    words = [base64.b64decode(word).decode() for word in re.findall(r"base64//(\S+)", text)]
    return dict(word.split("=", 1) for word in words if "=" in word)


@pytest.mark.parametrize("profile", PLUGINS)
@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_fetching_and_reporting_stay_here_and_all_else_computes_on_the_device(
    asked: Callable[..., Jobs], profile: str, device: str
) -> None:
    jobs = asked(profile, device)
    assert {job["rule"] for job in jobs if not job["local"]} == COMPUTING
    assert {job["rule"] for job in jobs if job["local"]} == LOCAL
    for job in jobs:
        gpus = {name: job["resources"].get(name) for name in ("gpu", "_gpus", "nvidia_gpu")}
        assert (f" --device {device} " in job["command"]) == (job["rule"] in COMPUTING)
        assert any(gpus.values()) == (job["rule"] in COMPUTING and device == "cuda"), job["rule"]
        if "request" in job:
            assert handed_over(json.dumps(job["request"]))["device"] == device


def test_slurm_is_asked_for_memory_time_and_a_gpu(asked: Callable[..., Jobs]) -> None:
    def sbatch(words: list[str]) -> str:
        return " ".join(words[: [word.startswith("--wrap") for word in words].index(True)])

    for attempt, minutes, memory in ((1, 240, 8192), (4, 1440, 65536)):
        for job in remote(asked("slurm"), attempt):
            line = sbatch(job["request"])
            for words in (f"-t {minutes}", f"--mem {memory}", "--gpus=1", "--signal=TERM@120", "--requeue"):
                assert f" {words} " in f"{line} ", line
    for job in remote(asked("slurm", "cpu"), 1):
        assert "--gpus" not in sbatch(job["request"])
        assert "--mem 8192" in sbatch(job["request"])


def test_kubernetes_is_asked_for_memory_and_a_gpu_with_limits(asked: Callable[..., Jobs]) -> None:
    for attempt, memory in ((1, "8192M"), (4, "65536M")):
        for job in remote(asked("kubernetes"), attempt):
            pod = job["request"]["spec"]["template"]["spec"]
            container = pod["containers"][0]
            for amounts in (container["resources"]["limits"], container["resources"]["requests"]):
                assert (amounts["nvidia.com/gpu"], amounts["memory"], amounts["ephemeral-storage"]) == ("1", memory, "20000M")
            assert [each["key"] for each in pod["tolerations"]] == ["nvidia.com/gpu"]
            _runs_with_the_bucket(container["image"], container["args"][-1])
    for job in remote(asked("kubernetes", "cpu"), 1):
        pod = job["request"]["spec"]["template"]["spec"]
        assert "gpu" not in json.dumps(pod["containers"][0]["resources"])
        assert "tolerations" not in pod


def test_aws_batch_is_asked_for_memory_that_it_takes_and_a_gpu(asked: Callable[..., Jobs]) -> None:
    """The plugin replaces memory that is not in its table by the least that is."""
    for attempt in (1, 4):
        for job in remote(asked("aws-batch"), attempt):
            container = job["request"]["containerProperties"]
            amounts = {each["type"]: each["value"] for each in container["resourceRequirements"]}
            assert amounts == {"VCPU": "1", "MEMORY": "8192", "GPU": "1"}
            assert job["request"]["timeout"] == {"attemptDurationSeconds": 86400}
            _runs_with_the_bucket(container["image"], container["command"][-1])
    for job in remote(asked("aws-batch", "cpu"), 1):
        amounts = {each["type"] for each in job["request"]["containerProperties"]["resourceRequirements"]}
        assert amounts == {"VCPU", "MEMORY"}


def test_google_batch_is_asked_for_memory_time_and_a_gpu(asked: Callable[..., Jobs], project: Path) -> None:
    for attempt, memory, time in ((1, "8192", "14400s"), (4, "13312", "86400s")):
        for job in remote(asked("google-batch"), attempt):
            (group,) = job["request"]["job"]["task_groups"]
            task, (instance,) = group["task_spec"], job["request"]["job"]["allocation_policy"]["instances"]
            assert (task["compute_resource"]["memory_mib"], task["max_run_duration"]) == (memory, time)
            assert task["max_retry_count"] == 0
            (gpu,) = instance["policy"]["accelerators"]
            assert (gpu["type_"], gpu["count"]) == ("nvidia-tesla-t4", "1")
            assert instance["install_gpu_drivers"]
            setup, snakefile, _, run = task["runnables"]
            _runs_with_the_bucket(run["container"]["image_uri"], setup["script"]["text"])
            assert (project / "Snakefile").read_text() in snakefile["script"]["text"]
    for job in remote(asked("google-batch", "cpu"), 1):
        (instance,) = job["request"]["job"]["allocation_policy"]["instances"]
        assert instance["policy"]["accelerators"] == []


def _runs_with_the_bucket(image: str, text: str) -> None:
    assert image == IMAGE
    assert f"--default-storage-prefix '{BUCKET}' --default-storage-provider 's3'" in text


def test_the_snakefile_survives_google_batchs_shell(project: Path) -> None:
    """Which writes it by an unquoted here-document."""
    assert not re.search(r"[`$\\]", (project / "Snakefile").read_text())


@pytest.mark.parametrize(
    ("words", "device", "gpus"),
    [
        ("", "auto", 1),
        ("--profile workflow/profiles/gpu", "cuda", 1),
        ("--default-resources device=cuda:1 gpu=2", "cuda:1", 2),
        ("--default-resources device=cpu gpu=2", "cpu", None),
        (
            f"--default-resources device=cuda --set-resources {' '.join(f'{rule}:device=cpu' for rule in COMPUTING)}",
            "cpu",
            None,
        ),
    ],
)
def test_here_rules_that_compute_take_the_device_that_is_named(
    project: Path, words: str, device: str, gpus: int | None
) -> None:
    for job in rendered(project, "-n", *words.split()):
        computes = job["rule"] in COMPUTING
        assert job["resources"].get("gpu") == (gpus if computes else None), job["rule"]
        assert (f" --device {device} " in job["command"]) == computes


def test_amounts_that_a_user_names_are_left_alone(project: Path) -> None:
    for job in rendered(project, "-n", "--default-resources", "mem_mb=500", "runtime=5 * attempt"):
        assert (job["resources"]["mem_mb"], job["resources"]["runtime"]) == (500, 5 * job["attempt"])
