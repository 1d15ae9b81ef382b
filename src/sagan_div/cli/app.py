"""The commands, in the groups of `sagan-div --help`, and the line for each error."""

import io
import os
import re
import sys
from collections.abc import Sequence

import click

from sagan_div import __version__, terminal
from sagan_div.cli import evaluate, images, phases, results, upkeep
from sagan_div.errors import Interrupted, UserError

GROUPS: dict[str, Sequence[click.Command]] = {
    "Phases of a study, in their order": phases.COMMANDS,
    "What a study is, and what it found": results.COMMANDS,
    "Trained generators": images.COMMANDS,
    "Images and samples of any origin": evaluate.COMMANDS,
    "Upkeep": upkeep.COMMANDS,
}
WIDEST = max(len(str(command.name)) for commands in GROUPS.values() for command in commands)
COMPLETION = "_SAGAN_DIV_COMPLETE"  # in the environment where a shell asks
TOO_LARGE = re.compile(r"out of memory|can't allocate memory|not enough memory|overflow")  # PyTorch's words


class Groups(click.Group):
    """Commands under headings, and the help where no command is named."""

    def parse_args(self, context: click.Context, words: list[str]) -> list[str]:
        return super().parse_args(context, words or ["--help"])

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        for title, commands in GROUPS.items():
            named = {str(command.name): command.get_short_help_str(limit=1000) for command in commands if not command.hidden}
            with formatter.section(title):
                formatter.write_dl([(name.ljust(WIDEST), about) for name, about in named.items()])


@click.group(cls=Groups, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__)
def app() -> None:
    """A reproduction of SAGAN-div: train, sample and score seven GANs, and set them beside the paper's numbers.

    `snakemake --cores 2` runs the whole study; the commands below are its phases, each usable by hand, and a few tools.
    A phase without --dataset, --method or --seed does all that is not up to date.
    """


for each in GROUPS.values():
    for command in each:
        app.add_command(command)


def run() -> tuple[str, int]:
    """Do what the command line says; returns the line for stderr, or nothing, and the exit status.

    Raises OSError where a file of its own or stdout cannot be written.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=terminal.LEGIBLE)
    try:
        if COMPLETION in os.environ:
            app(prog_name="sagan-div")
        with app.make_context("sagan-div", sys.argv[1:]) as context:
            app.invoke(context)
        return "", 0
    except click.exceptions.Exit as end:
        return "", end.exit_code
    except click.UsageError as error:
        named = error.ctx.command_path if error.ctx else "sagan-div"
        return f"{error.format_message()} (see {named} --help)", 2
    except (UserError, click.ClickException) as error:
        return str(error), 2
    except Interrupted as stop:
        return f"interrupted: {stop}", 128 + stop.signal
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not TOO_LARGE.search(str(error)):
            raise
        return "the memory of this machine is too small for this; choose a smaller width, image_size or number of images", 2
