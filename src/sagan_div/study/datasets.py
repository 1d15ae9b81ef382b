"""Datasets as params.yaml names them: built in, or images in a folder with what becomes of those that do not fit."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from sagan_div.settings import Settings, short, shown

BUILT_IN_DATASETS = ("mnist", "fashion-mnist", "digits")
NAME = r"[a-z0-9][a-z0-9-]{0,63}"  # names become folders and wildcards


def _name(value: object) -> str:
    if not (isinstance(value, str) and re.fullmatch(NAME, value)):
        long = ", 64 at most" if isinstance(value, str) and len(value) > 64 else ""
        raise ValueError(f"{shown(value)} cannot be a name; use lower-case letters, digits and hyphens{long}")
    return value


Name = Annotated[str, BeforeValidator(_name), WithJsonSchema({"type": "string", "pattern": f"^{NAME}$"})]


def _path(value: str) -> str:
    """A path that a file system can have, whose `~` stands for somebody's home."""
    try:
        if "\0" in str(Path(value).expanduser()) or not value:
            raise ValueError(f"{shown(value)} is no path of a folder")
    except RuntimeError:
        raise ValueError(f"{shown(value)}: nobody here has that home folder; write the path in full") from None
    return value


class FolderConfig(Settings):
    """Images in a folder, and what becomes of those that cannot be used as they are."""

    path: Annotated[str, AfterValidator(_path)]
    labels: Literal["folders", "none"] = Field(default="folders", description="folders: those below a split are classes")
    unfit: Literal["refuse", "skip"] = Field(
        default="refuse", description="images that are damaged, too small, too large, of several frames or of more than 8 bits"
    )
    minimum_side: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="pixels of the shorter side below which an image is too small; none: half of the median's"
    )
    background: Literal["white", "black"] = Field(default="white", description="behind what is transparent")

    @property
    def place(self) -> Path:
        """The folder, `~` expanded."""
        return Path(self.path).expanduser()


class DatasetConfig(Settings):
    """A built-in dataset, written as its name, or images in a folder: `name: path/to/folder` or `name: {path: …}`."""

    name: Name
    folder: FolderConfig | None = None

    @model_validator(mode="before")
    @classmethod
    def _written(cls, value: object) -> object:
        if isinstance(value, cls):
            return value
        if isinstance(value, Mapping) and "name" in value and set(value) <= {"name", "folder"}:  # the form of our own records
            value = {value["name"]: value["folder"]} if value.get("folder") is not None else value["name"]
        if isinstance(value, str):
            return {"name": _built_in(value)}
        if not (isinstance(value, Mapping) and len(value) == 1):
            raise ValueError(f"expected a dataset's name or 'name: path/to/folder', found {shown(value)}")
        ((name, folder),) = value.items()
        if name in BUILT_IN_DATASETS:
            raise ValueError(f"'{name}' is a built-in dataset; give the folder a name of its own")
        if isinstance(folder, Mapping | FolderConfig):
            return {"name": _name(name), "folder": folder}
        if not (isinstance(folder, str) and folder):
            raise ValueError(f"expected '{_name(name)}: path/to/folder', found {shown(folder)} as the folder")
        return {"name": _name(name), "folder": {"path": folder}}


def _built_in(name: str) -> str:
    if name not in BUILT_IN_DATASETS:
        raise ValueError(
            f"unknown dataset '{short(name)}'; built in are {', '.join(BUILT_IN_DATASETS)}, "
            f"and a folder of images is written as '{short(name)}: path/to/folder'"
        )
    return name
