"""`export --to-hub`: the hub's real client against a hub on loopback, and what arrived there."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_stub import READER, TOKEN, Files, Hub
from huggingface_hub import HfApi
from test_export import leave

from sagan_div import __version__
from sagan_div.errors import UserError
from sagan_div.report.export import Export
from sagan_div.report.hub import Repository
from support import Run, command

NAME = "owner/digits-gan"
WITHOUT_CLIENT = """\
import sys
sys.modules["huggingface_hub"] = None  # as where it is not installed
from sagan_div.cli.main import main
main()
"""


@pytest.fixture
def hub() -> Iterator[Hub]:
    started = Hub()
    yield started
    started.stop()


@pytest.fixture
def export(tmp_path: Path) -> Export:
    """A folder as export leaves one, among files of its user."""
    for name, content in (
        ("README.md", "---\nlicense: mit\n---\nIts card\n"),
        ("generator.safetensors", "w" * 2000),
        ("my", ""),
    ):
        (tmp_path / name).write_text(content)
    return Export(tmp_path, "DCGAN on digits, seed 0", "d" * 64)


def upload(hub: Hub | str, export: Export, token: str = TOKEN, replace: bool = False) -> str:
    endpoint = hub if isinstance(hub, str) else hub.url
    return Repository(NAME, HfApi(endpoint=endpoint, token=token), token).upload(export, replace)


def refused(hub: Hub | str, export: Export, token: str = TOKEN) -> str:
    """The line of a refusal, which tells no token and leaves the export where it is."""
    with pytest.raises(UserError) as caught:
        upload(hub, export, token)
    line = str(caught.value)
    assert "\n" not in line
    assert token not in line
    assert line.endswith(f"; the export is in {export.folder}")
    assert all(path.exists() for path in export.files)
    return line


def test_the_command_brings_every_byte_of_the_export_into_a_new_private_repository(hub: Hub, tmp_path: Path) -> None:
    cell = leave(tmp_path, "sagan-div-a")

    def call(*words: object, program: tuple[object, ...] = ("sagan-div",), **environment: str) -> Run:
        surroundings = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hf"), "HF_TOKEN": TOKEN} | environment
        return command(*program, "export", cell.checkpoint, "--out", "out", *words, cwd=tmp_path, **surroundings)

    for name, why, program, environment in (
        (NAME, "no token of the hub is known; log in by `hf auth login`, or set HF_TOKEN", ("sagan-div",), {"HF_TOKEN": ""}),
        ("digits-gan", "is no name of a repository; give OWNER/NAME", ("sagan-div",), {}),
        (NAME, "needs the hub's client; pip install 'sagan-div[hub]'", (sys.executable, "-c", WITHOUT_CLIENT), {}),
    ):
        done = call("--to-hub", name, program=program, **environment)
        assert (done.returncode, done.stdout) == (2, "")
        assert why in done.line
    assert not (tmp_path / "out").exists()
    assert hub.asked == []

    done = call("--to-hub", NAME)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["out/generator.safetensors", f"{hub.url}/{NAME}"]
    assert done.line == f"{hub.url}/{NAME}: made, and private; you can make it public in its settings"
    arrived = hub.repositories[NAME]
    assert arrived.private
    for path in (tmp_path / "out").iterdir():
        assert arrived.contents.pop(path.name) == path.read_bytes()
    assert set(arrived.contents) == {".gitattributes"}
    (header,) = arrived.headers
    assert header["summary"] == "Export SAGAN-div a on digits, seed 0"
    assert f"By sagan-div {__version__}, from the checkpoint with SHA-256 " in header["description"]
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert TOKEN.encode() not in written + (done.stdout + done.stderr).encode()


@pytest.mark.parametrize(
    "name", ["https://huggingface.co/owner/name", "owner/", "/name", "owner/na me", "owner/..", "a/b.git", "é/b"]
)
def test_what_can_be_no_name_is_said_before_the_hub_is_asked(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from sagan_div.report.hub import repository

    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with pytest.raises(UserError, match="is no name of a repository; give OWNER/NAME"):
        repository(name)


def test_nothing_else_of_the_folder_is_sent_and_nothing_is_committed_twice(hub: Hub, export: Export) -> None:
    assert upload(hub, export) == upload(hub, export) == f"{hub.url}/{NAME}"
    assert set(hub.repositories[NAME].contents) == {".gitattributes", "README.md", "generator.safetensors"}
    assert len(hub.repositories[NAME].headers) == 1


def test_another_export_is_replaced_when_asked_for_and_other_files_stay(hub: Hub, export: Export) -> None:
    theirs = {"README.md": b"a card that somebody wrote", "generator.onnx": b"of another checkpoint", "images.zip": b"others"}
    hub.repositories[NAME] = Files(private=False, contents=dict(theirs))
    assert "has another README.md; name another repository, or replace it by --replace" in refused(hub, export)
    assert hub.repositories[NAME].contents == theirs
    upload(hub, export, replace=True)
    ours = {path.name: path.read_bytes() for path in export.files}
    assert hub.repositories[NAME].contents == ours | {"images.zip": b"others"}
    assert not hub.repositories[NAME].private  # as its owner has it


def test_a_generator_of_another_checkpoint_is_not_left_beside_the_card(hub: Hub, export: Export) -> None:
    hub.repositories[NAME] = Files(private=True, contents={"generator.onnx": b"of another checkpoint"})
    assert "has another generator.onnx" in refused(hub, export)


def test_a_commit_of_somebody_else_in_the_meantime_is_kept(hub: Hub, export: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.repositories[NAME] = Files(private=True)
    commit = hub._commit

    def late(name: str, lines: list) -> tuple:
        hub.repositories[NAME].headers.append({"summary": "theirs"})
        return commit(name, lines)

    monkeypatch.setattr(hub, "_commit", late)
    assert "somebody has changed the repository in the meantime; run the command again (412" in refused(hub, export)
    assert hub.repositories[NAME].contents == {}


def test_refusals_of_the_hub_are_one_line_each(hub: Hub, export: Export) -> None:
    assert "the hub does not accept the token; log in anew by `hf auth login`" in refused(hub, export, "hf_unknown")
    assert "the token may not do this" in refused(hub, export, READER)
    for path, status, expected in (
        ("/api/repos/create", 409, "a repository of this name is there, and the token may not read it (409: "),
        ("/preupload/", 403, "the token may not do this; take one with the right to write"),
        ("/commit/", 400, "the hub refuses this (400: no *** here"),
        ("/objects/", 403, "the token may not do this"),
    ):
        hub.answers = {path: (status, f"no {TOKEN} here")}
        assert expected in refused(hub, export)
    assert all(not found.headers for found in hub.repositories.values())


def test_a_hub_that_is_not_there_is_one_line(export: Export) -> None:
    with socket.socket() as taken:  # bound, and listening to nobody
        taken.bind(("127.0.0.1", 0))
        line = refused(f"http://user:secret@127.0.0.1:{taken.getsockname()[1]}", export)
    assert "cannot be reached or written" in line
    assert "secret" not in line
