"""A training while it runs, for TensorBoard to draw: an option of the command, no setting of the study."""

from pathlib import Path
from typing import Any

from sagan_div.errors import UserError
from sagan_div.training.loop import Progress


def watched(progress: Progress, folder: Path | None) -> Progress:
    """`progress`, and every new row of the history in TensorBoard's files in `folder` as well; `progress` alone without one.

    Raises UserError where TensorBoard is not installed.
    """
    if folder is None:
        return progress
    writers: list[Any] = []
    shown = [0.0]
    make = _maker()

    def report(images: int, row: dict[str, float]) -> None:
        progress(images, row)
        if row and row["images"] != shown[0]:
            shown[0] = row["images"]
            if not writers:  # rows that an interrupted run wrote and that come again are replaced
                writers.append(make(str(folder), purge_step=int(shown[0])))
            _write(writers[0], row)

    return report


def _maker() -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise UserError("--tensorboard: TensorBoard is not installed; pip install 'sagan-div[tensorboard]'") from None
    return SummaryWriter


def _write(writer: Any, row: dict[str, float]) -> None:
    for name, value in row.items():
        if value == value and name not in ("images", "critic_updates", "generator_updates"):  # what has no value is NaN
            writer.add_scalar(name, value, int(row["images"]))
    writer.flush()
