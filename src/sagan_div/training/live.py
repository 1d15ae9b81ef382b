"""A training while it runs, for TensorBoard or DVC's views to draw: options of the command, no settings of the study."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sagan_div.errors import UserError
from sagan_div.training.loop import Progress

Row = dict[str, float]
Draw = Callable[[Row], None]
Viewer = Callable[[int, ExitStack], Draw]  # draws from so many images on, and is closed with the stack
COUNTERS = ("images", "critic_updates", "generator_updates")


@contextmanager
def watched(progress: Progress, viewers: Sequence[Viewer]) -> Iterator[Progress]:
    """`progress`, and every new row of the history in each viewer's files as well."""
    draws: list[Draw] = []
    shown = [0.0]

    with ExitStack() as closing:

        def report(images: int, row: Row) -> None:
            progress(images, row)
            if row and row["images"] != shown[0]:
                shown[0] = row["images"]
                if not draws:  # rows that an interrupted run has drawn, and that come again, are replaced
                    draws.extend(viewer(int(shown[0]), closing) for viewer in viewers)
                for draw in draws:
                    draw(row)

        yield report


def tensorboard(folder: Path) -> Viewer:
    """TensorBoard's event files in `folder`. Raises UserError where TensorBoard is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise _missing("--tensorboard", "TensorBoard") from None
    make: Any = SummaryWriter  # which has no types

    def view(first: int, closing: ExitStack) -> Draw:
        writer = make(str(folder), purge_step=first)
        closing.callback(writer.close)

        def draw(row: Row) -> None:
            for name, value in _drawn(row).items():
                writer.add_scalar(name, value, int(row["images"]))
            writer.flush()

        return draw

    return view


def dvclive(folder: Path) -> Viewer:
    """DVCLive's files in `folder`: metrics.json, plots/, dvc.yaml.

    Raises UserError where DVCLive is not installed, or finds git without a commit.
    """
    try:
        from dvclive.live import Live
        from scmrepo.exceptions import SCMError
    except ImportError:
        raise _missing("--dvclive", "DVCLive") from None
    try:
        live = Live(str(folder), resume=True, save_dvc_exp=False, dvcyaml=str(folder / "dvc.yaml"))
    except SCMError as error:
        raise UserError(f"--dvclive {folder}: DVCLive cannot read git here ({error}); make a first commit") from None

    def view(first: int, closing: ExitStack) -> Draw:
        for table in folder.glob("plots/metrics/*.tsv"):
            _cut(table, first)
        closing.callback(live.end)
        return partial(_log, live)

    return view


def _log(live: Any, row: Row) -> None:
    live.step = int(row["images"])
    for name, value in _drawn(row).items():
        live.log_metric(name, value)
    live.next_step()


def _cut(table: Path, first: int) -> None:
    """Remove the rows of DVCLive from a step on; the first column is the step."""
    head, *rows = table.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [row for row in rows if int(row.partition("\t")[0]) < first]
    table.write_text("".join([head, *kept]), encoding="utf-8")


def _drawn(row: Row) -> Row:
    """The values of a row by name; NaN stands for one that was not measured."""
    return {name: value for name, value in row.items() if value == value and name not in COUNTERS}


def _missing(option: str, package: str) -> UserError:
    return UserError(f"{option}: {package} is not installed; pip install 'sagan-div[tensorboard]'")
