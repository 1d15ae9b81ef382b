"""The history of a run: a row of means and measurements for every so many images, and history.csv."""

import csv
import io
import math

import torch

from sagan_div.models import checkpoints
from sagan_div.models.networks import attention_gammas
from sagan_div.models.spectral import largest_singular_value
from sagan_div.training.state import STATISTICS, Run

COLUMNS = ("images", "critic_updates", "generator_updates", *STATISTICS, "fid", "sigma_generator", "sigma_critic", "diverged")
NO_SIGMAS = {"sigma_generator": math.nan, "sigma_critic": math.nan}  # of networks that are not finite


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


def close_row(run: Run) -> None:
    """Close a row, yet unrated, with the means since the last one.

    A loss or a network that is no longer finite ends the run: `diverged` is 1 in its row, and empty in all others.
    """
    since = run.cycle - (int(run.history[-1]["generator_updates"]) if run.history else 0)
    steps = torch.full_like(run.sums, since * run.settings.recipe.n_critic)
    steps[-1] = since
    means = dict(zip(STATISTICS, (run.sums / steps).tolist(), strict=True))
    run.sums.zero_()
    counts = {"images": run.images, "critic_updates": run.cycle * run.settings.recipe.n_critic, "generator_updates": run.cycle}
    finite = math.isfinite(means["loss_critic"] + means["loss_generator"]) and _finite(run)
    run.diverged = None if finite else run.images
    measured = {"fid": math.nan, "diverged": math.nan if finite else 1} | (_sigmas(run) if finite else NO_SIGMAS)
    run.history.append(counts | means | measured | _gammas(run))


def divergence(run: Run) -> str:
    """What ended a run, and the mend."""
    row, cell = run.history[-1], run.settings
    return (
        f"training diverged by image {run.images:,} (critic loss {row['loss_critic']:g}, generator loss "
        f"{row['loss_generator']:g}, critic gradient norm {row['gradient_norm']:g}); lower the learning rates of "
        f"methods.{cell.method}.optimiser where that is no result to keep"
    )


def _finite(run: Run) -> bool:
    """Whether all numbers of the networks are; Adam's reach them with the next update."""
    numbers = checkpoints.tensors_of(generator=run.generator, critic=run.critic).values()
    return bool(torch.stack([tensor.isfinite().all() for tensor in numbers]).all())


def _sigmas(run: Run) -> dict[str, float]:
    return {"sigma_generator": largest_singular_value(run.generator), "sigma_critic": largest_singular_value(run.critic)}


def _gammas(run: Run) -> dict[str, float]:
    return {f"gamma_{block}": gamma for block, gamma in enumerate(attention_gammas(run.generator), start=1)}
