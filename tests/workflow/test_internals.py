"""What the workflow needs of Snakemake's inside is there and means what it did."""

import importlib.metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.api import Workflow
from snakemake.settings import types

from sagan_div.workflow import snakemake_internals as internals
from support import command


def test_the_version_is_the_one_that_was_checked() -> None:
    assert importlib.metadata.version("snakemake") in (internals.__doc__ or "")


def test_the_attributes_are_there() -> None:
    settings = types.ConfigSettings(config={"seeds": [0]}, configfiles=())
    stand_in = SimpleNamespace(config_settings=settings, dag_settings=types.DAGSettings(forcerun=frozenset({"train_cell"})))
    assert internals.overlays(stand_in) == []
    assert internals.command_line(stand_in) == {"seeds": [0]}
    assert internals.is_forced(stand_in, "train_cell", set())
    assert not internals.is_forced(stand_in, "sample_cell", {"x"})
    internals.let_records_alone_decide(stand_in)
    assert stand_in.dag_settings.rerun_triggers == frozenset()
    assert isinstance(Workflow.is_main_process, property)


SNAKEFILE = """
from sagan_div.workflow import snakemake_internals as internals

assert internals.is_main(workflow)
assert not internals.is_module(workflow)


def forced(wildcards):
    internals.let_records_alone_decide(workflow)
    if "forced" in config:
        internals.force(workflow, "made.txt")
    return internals.dateless("read.txt")


rule end:
    default_target: True
    input: internals.dateless("made.txt")
    output: "end.txt"
    shell: "cp {input} {output}"


rule make:
    input: forced
    output: "made.txt"
    params: word=config.get("word", "one")
    shell: "echo {params.word} > {output}"
"""


def test_dates_params_and_code_decide_nothing_and_a_forced_file_is_made(tmp_path: Path) -> None:
    def ran(*words: str) -> list[str]:
        done = command("snakemake", "--cores", "1", *words, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return [name for name in ("make", "end") if f"(Rule: {name})" in done.stderr + done.stdout]

    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "read.txt").write_text("read")
    assert ran() == ["make", "end"]
    (tmp_path / "read.txt").write_text("newer")
    assert ran("--config", "word=two") == []
    (tmp_path / "Snakefile").write_text(SNAKEFILE.replace("echo", "printf"))
    assert ran("--config", "word=two") == []
    assert ran("--config", "forced=1") == ["make"]
    (tmp_path / "made.txt").unlink()
    assert ran() == []  # no target needs it


def test_its_locks_are_where_they_are_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen from within a job, and gone when it has ended."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Snakefile").write_text('rule end:\n    output: "seen.txt"\n    shell: "ls .snakemake/locks > {output}"\n')
    done = command("snakemake", "--cores", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "output.lock" in (tmp_path / "seen.txt").read_text()
    assert not internals.is_at_work()
    internals.LOCKS.mkdir(parents=True, exist_ok=True)
    (internals.LOCKS / "0.output.lock").touch()
    assert internals.is_at_work()
