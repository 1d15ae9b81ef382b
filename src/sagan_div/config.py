"""A study from Python, e.g. in a notebook: `from sagan_div import config; study = config.load(Path("params.yaml"))`."""

from sagan_div.study.load import load

__all__ = ["load"]
