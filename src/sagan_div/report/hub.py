"""An export in a repository of a Hugging Face hub, by the hub's own client, huggingface_hub.

The client finds the hub (HF_ENDPOINT) and the token (HF_TOKEN, or what `hf auth login` keeps), which stands in no message.
Sources: the client's documentation and the hub's OpenAPI description.
"""

import hashlib
import io
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sagan_div import __version__, files
from sagan_div.errors import UserError
from sagan_div.mirror import shown
from sagan_div.report.export import FILES, Export
from sagan_div.settings import short
from sagan_div.terminal import note

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoSibling

REFUSALS = {  # what to do where the hub answers with a status
    401: "the hub does not accept the token; log in anew by `hf auth login`, or set another HF_TOKEN",
    403: "the token may not do this; take one with the right to write to repositories of this owner",
    409: "a repository of this name is there, and the token may not read it",
    412: "somebody has changed the repository in the meantime; run the command again",
}


@dataclass(frozen=True)
class Repository:
    """A repository of models, by its name on the hub that `client` speaks to with `token`."""

    name: str
    client: "HfApi"
    token: str

    @property
    def url(self) -> str:
        return f"{shown(self.client.endpoint)}/{self.name}"

    def upload(self, export: Export, replace: bool = False) -> str:
        """Bring the files of an export into the repository by one commit; returns the URL of its page.

        A repository that is not there is made, private. Files of an export that are there with other content are replaced, and
        those that this export lacks removed, with `replace` alone; all other files stay. Raises UserError where that is not
        asked for, and where the hub refuses or cannot be reached.
        """
        with _quiet(), self._refusals(export.folder):
            parent, there = self._contents()
            ours = {path.name: path for path in export.files}
            changed = [name for name, path in ours.items() if name not in there or not _same(there[name], path)]
            gone = [name for name in there if name not in ours]
            self._refuse_others([name for name in changed if name in there] + gone, replace)
            if changed or gone:
                self._commit(export, changed, gone, parent)
        return self.url

    def _contents(self) -> tuple[str | None, "dict[str, RepoSibling]"]:
        """The newest commit, and the files that an export would have; makes the repository where it is not there."""
        from huggingface_hub.errors import RepositoryNotFoundError

        try:
            found = self.client.model_info(self.name, files_metadata=True)
        except RepositoryNotFoundError:
            self.client.create_repo(self.name, private=True)
            note(f"{self.url}: made, and private; you can make it public in its settings")
            found = self.client.model_info(self.name, files_metadata=True)
        return found.sha, {each.rfilename: each for each in found.siblings or [] if each.rfilename in FILES}

    def _refuse_others(self, names: list[str], replace: bool) -> None:
        if names and not replace:
            raise UserError(f"{self.url}: has another {names[0]}; name another repository, or replace it by --replace")

    def _commit(self, export: Export, changed: list[str], gone: list[str], parent: str | None) -> None:
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        # From memory they go by LFS, over plain HTTP; files named by their paths would go by Xet.
        additions = [CommitOperationAdd(name, io.BytesIO((export.folder / name).read_bytes())) for name in changed]
        self.client.create_commit(
            self.name,
            [*additions, *(CommitOperationDelete(name) for name in gone)],
            commit_message=f"Export {export.title}",
            commit_description=f"By sagan-div {__version__}, from the checkpoint with SHA-256 {export.digest}.",
            parent_commit=parent,
        )

    @contextmanager
    def _refusals(self, folder: Path) -> Iterator[None]:
        """Whatever the client raises, as one line: besides its own errors, those of HTTP and of malformed answers."""
        from huggingface_hub.errors import HfHubHTTPError

        try:
            yield
        except UserError as error:
            raise UserError(f"{error}; the export is in {folder}") from None
        except HfHubHTTPError as error:
            status = error.response.status_code
            why = REFUSALS.get(status, "the hub refuses this")
            answer = self._words(error.server_message or error.response.reason_phrase)
            raise UserError(f"{self.url}: {why} ({status}: {answer}); the export is in {folder}") from None
        except Exception as error:
            why = self._words(error.__cause__ or error)
            raise UserError(f"{self.url}: cannot be reached or written ({why}); the export is in {folder}") from None

    def _words(self, why: object) -> str:
        text = " ".join(str(why).split()) or type(why).__name__
        return short(re.sub(r"(?<=://)[^/\s]*@", "***@", text.replace(self.token, "***")), 200)


def repository(name: str) -> Repository:
    """The repository OWNER/NAME, found neither there nor missing yet: no network is used.

    Raises UserError where the client is not installed, no token is known, or the name cannot be one.
    """
    try:
        from huggingface_hub import HfApi, get_token
        from huggingface_hub.errors import HFValidationError
        from huggingface_hub.utils import validate_repo_id
    except ImportError:
        raise UserError("--to-hub: needs the hub's client; pip install 'sagan-div[hub]'") from None
    try:
        validate_repo_id(name)
    except HFValidationError:
        raise _no_name(name) from None
    if name.count("/") != 1:
        raise _no_name(name)
    token = get_token()
    if not token:
        raise UserError("--to-hub: no token of the hub is known; log in by `hf auth login`, or set HF_TOKEN")
    return Repository(name, HfApi(token=token, library_name="sagan-div", library_version=__version__), token)


def _no_name(name: str) -> UserError:
    return UserError(
        f"--to-hub {short(name)}: is no name of a repository; give OWNER/NAME in letters, digits, '-', '_' and '.'"
    )


def _same(there: "RepoSibling", path: Path) -> bool:
    """Whether the hub has this content: large files by their SHA-256, others as git names them."""
    if there.lfs:
        return there.lfs.sha256 == files.sha256(path)
    content = path.read_bytes()
    return there.blob_id == hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@contextmanager
def _quiet() -> Iterator[None]:
    """The client without bars, retries and advice on stderr."""
    from huggingface_hub.utils import disable_progress_bars

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        disable_progress_bars()
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
        yield
