"""The console script: commands, and one line for an error."""

import sys

import click

from sagan_div import __version__
from sagan_div.cli import evaluate, images, phases, results, upkeep
from sagan_div.errors import Interrupted, UserError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__)
def app() -> None:
    """A reproduction of SAGAN-div: train, sample and score seven GANs, and set them beside the paper's numbers.

    `snakemake --cores 2` runs the whole study; the commands below are its phases, each usable by hand, and a few tools.
    A phase without --dataset, --method or --seed does all that is not up to date.
    """


for command in (*phases.COMMANDS, *results.COMMANDS, *images.COMMANDS, *evaluate.COMMANDS, *upkeep.COMMANDS):
    app.add_command(command)


def main() -> None:
    """Exit status 0, 1 where revalidation finds other bits, 2 for an error, 128 + the signal's number after a signal."""
    try:
        sys.exit(app(standalone_mode=False))
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "sagan-div"
        _fail(f"{error.format_message()} (see {command} --help)", 2)
    except (UserError, click.ClickException) as error:
        _fail(str(error), 2)
    except Interrupted as stop:
        _fail(str(stop), 128 + stop.signal)
    except (KeyboardInterrupt, click.Abort):
        _fail("interrupted", 130)


def _fail(text: str, status: int) -> None:
    print(f"sagan-div: {' '.join(text.split())}", file=sys.stderr)
    sys.exit(status)
