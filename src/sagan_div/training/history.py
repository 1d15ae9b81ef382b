"""The history of a run: a row of means and measurements for every so many images, and history.csv."""

import csv
import io
import math

import torch

from sagan_div.errors import UserError
from sagan_div.models.networks import attention_gammas
from sagan_div.models.spectral import largest_singular_value
from sagan_div.training.state import STATISTICS, Run

COLUMNS = ("images", "critic_updates", "generator_updates", *STATISTICS, "fid", "sigma_generator", "sigma_critic")


def columns(run: Run) -> list[str]:
    """Of history.csv: the last ones are the weights of the attention modules."""
    return [*COLUMNS, *_gammas(run)]


def text(run: Run) -> str:
    """The history as CSV: numbers in the shortest form that reads back as the same, nothing where there is no number."""
    out = io.StringIO()
    writer = csv.DictWriter(out, columns(run), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: "" if math.isnan(value) else value for name, value in row.items()} for row in run.history)
    return out.getvalue()


def close_row(run: Run, fid: float | None) -> None:
    """Close a row with the means since the last one. Raises UserError where a loss is no longer finite."""
    since = run.cycle - (int(run.history[-1]["generator_updates"]) if run.history else 0)
    steps = torch.full_like(run.sums, since * run.settings.recipe.n_critic)
    steps[-1] = since
    means = dict(zip(STATISTICS, (run.sums / steps).tolist(), strict=True))
    run.sums.zero_()
    _check_health(run, means)
    counts = {"images": run.images, "critic_updates": run.cycle * run.settings.recipe.n_critic, "generator_updates": run.cycle}
    sigmas = {"sigma_generator": largest_singular_value(run.generator), "sigma_critic": largest_singular_value(run.critic)}
    run.history.append(counts | means | {"fid": math.nan if fid is None else fid} | sigmas | _gammas(run))


def _gammas(run: Run) -> dict[str, float]:
    return {f"gamma_{block}": gamma for block, gamma in enumerate(attention_gammas(run.generator), start=1)}


def _check_health(run: Run, means: dict[str, float]) -> None:
    if not math.isfinite(means["loss_critic"] + means["loss_generator"]):
        cell = run.settings
        raise UserError(
            f"{cell.dataset} {cell.method} seed {cell.seed}: training diverged by image {run.images:,} "
            f"(critic loss {means['loss_critic']:g}, generator loss {means['loss_generator']:g}, "
            f"critic gradient norm {means['gradient_norm']:g}); lower the learning rates of methods.{cell.method}.optimiser"
        )
