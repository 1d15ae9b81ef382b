"""Networks and training states on disk: safetensors, whose header carries the settings as JSON. Nothing is unpickled."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialised
from safetensors.torch import save_file
from torch import Tensor, nn

from sagan_div import files
from sagan_div.errors import UserError

FORMAT = "sagan-div 1"  # raise the number when a file of the old layout can no longer be read


def save(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> None:
    """Write tensors and JSON-like facts about them, atomically. Equal content gives equal bytes."""
    with files.replacing(path) as temporary:
        try:
            save_file(_plain(tensors), temporary, _header(about))
        except SafetensorError as error:  # a full disk
            raise OSError(str(error)) from None


def packed(tensors: Mapping[str, Tensor], about: Mapping[str, Any]) -> bytes:
    """The bytes that `save` writes."""
    return serialised(_plain(tensors), _header(about))


def _plain(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().contiguous().cpu() for name, tensor in tensors.items()}


def _header(about: Mapping[str, Any]) -> dict[str, str]:
    return {FORMAT: json.dumps(about, sort_keys=True)}  # a single key: safetensors writes several in random order


def load(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors (on the CPU) and the facts about them. Raises UserError where the file is missing, truncated or foreign."""
    if not path.is_file():
        raise UserError(f"{path}: there is no such checkpoint")
    damaged = "is truncated or no safetensors file; delete it and make it again"
    with files.parsing(path, damaged), safe_open(path, framework="pt") as file:
        header = file.metadata() or {}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    with files.parsing(path, "was not written by this version of sagan-div; delete it and make it again"):
        return tensors, dict(json.loads(header[FORMAT]).items())


def tensors_of(**networks: nn.Module) -> dict[str, Tensor]:
    """The state of several networks under `name.parameter` keys."""
    return {f"{name}.{key}": value for name, network in networks.items() for key, value in network.state_dict().items()}


def part(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    """The tensors below a name, without it."""
    return {key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")}
