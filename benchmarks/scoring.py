"""How long a score takes beside the public tools, on the same images and weights, each in a process of its own.

python benchmarks/scoring.py [--images 10000] [--weights FILE] [--threads 2] [--without TOOL ...] [--out scoring.json]

Prints a table and writes JSON with the hardware and the versions. Without --weights a seeded random Inception is used, in
the layout of the real one: it takes the same time, and its numbers mean nothing.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import nn

from sagan_div import files
from sagan_div.evaluation import arithmetic
from sagan_div.evaluation.comparison import Comparison
from sagan_div.evaluation.fid_between import fid
from sagan_div.evaluation.frechet import frechet_distance, moments
from sagan_div.evaluation.score import score
from sagan_div.evaluation.spaces.extractor import extract
from sagan_div.evaluation.spaces.inception import inception_extractor
from sagan_div.evaluation.spaces.weights import WEIGHTS
from sagan_div.evaluation.statistics import load_beside, load_statistics, save_statistics
from sagan_div.phases import provenance
from sagan_div.study.metrics import METRICS

MEASURED = [METRICS[name] for name in ("fid", "fid-infinity", "kid", "is", "prdc")]


class Row(NamedTuple):
    what: str
    seconds: float | None
    gigabytes: float | None
    result: str


class Task(NamedTuple):
    """What lies in the working folder: samples.npz, png/, reference.npz, and the weights where pytorch-fid looks for them."""

    folder: Path
    weights: Path
    threads: int


def random_inception(path: Path, images: torch.Tensor) -> None:
    """Write a seeded random Inception in the layout of the real weights; its BatchNorms know uint8 images [B, 1, S, S]."""
    from pytorch_fid import inception as published

    fetch, load = published.load_state_dict_from_url, published.torchvision.models.Inception3.load_state_dict
    kept: list[nn.Module] = []  # the whole network: pytorch-fid's wrapper leaves out the last layer
    published.load_state_dict_from_url = lambda url, progress: {}
    published.torchvision.models.Inception3.load_state_dict = lambda self, state: kept.append(self)
    try:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            network = published.InceptionV3([3])
            for module in network.modules():
                if isinstance(module, nn.Conv2d):
                    nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if isinstance(module, nn.BatchNorm2d):
                    module.momentum = None  # the running statistics become those of this one batch
            network.train()(images.float().div(255).expand(-1, 3, -1, -1))
    finally:
        published.load_state_dict_from_url, published.torchvision.models.Inception3.load_state_dict = fetch, load
    torch.save(kept[0].state_dict(), path)


def clouds(count: int, seed: int) -> np.ndarray:
    """Smooth random pictures, uint8 [count, 1, 64, 64]."""
    coarse = torch.randn(count, 1, 8, 8, generator=torch.Generator().manual_seed(seed))
    smooth = nn.functional.interpolate(coarse, size=(64, 64), mode="bilinear", align_corners=False)
    result: np.ndarray = (smooth * 60 + 128).clamp(0, 255).round().to(torch.uint8).numpy()
    return result


# The contenders


def pytorch_fid(task: Task) -> str:
    words = [task.folder / "png", task.folder / "reference.npz", "--device", "cpu"]
    environment = os.environ | {"TORCH_HOME": str(task.weights.parents[2])}
    line = [sys.executable, "-m", "pytorch_fid", *map(str, words)]
    return subprocess.run(line, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()[-1]


def ours_exact(task: Task) -> str:
    return f"FID: {fid(task.folder / 'samples.npz', task.folder / 'reference.npz', task.weights, 'cpu', 'exact')}"


def ours(task: Task) -> str:
    return f"FID: {fid(task.folder / 'samples.npz', task.folder / 'reference.npz', task.weights, 'cpu')}"


def ours_whole(task: Task) -> str:
    extractor = inception_extractor(task.weights, "cpu")
    fake = extract(extractor, np.load(task.folder / "samples.npz")["images"])
    reference = load_statistics(task.folder / "reference.npz")
    real = load_beside(task.folder / "reference.npz", "features")
    found = score(Comparison(fake, extractor.probabilities(fake), real, reference), MEASURED)
    np.save(task.folder / "fake.npy", fake)
    return ", ".join(f"{name} {value:.6g}" for name, value in found.items() if isinstance(value, float))


def torch_fidelity(task: Task) -> str:
    from torch_fidelity import calculate_metrics

    found = calculate_metrics(
        input1=str(task.folder / "png"),
        input2=str(task.folder / "real-png"),
        feature_extractor_weights_path=str(task.weights),
        fid=True,
        cuda=False,
        verbose=False,
        cache=False,
    )
    return f"FID: {found['frechet_inception_distance']} (it also reads the real images)"


def clean_fid(task: Task) -> str:
    from cleanfid import fid as published

    os.environ["TORCH_HOME"] = str(task.weights.parents[2])
    places = (str(task.folder / name) for name in ("png", "real-png"))
    cpu = {"device": torch.device("cpu"), "num_workers": 0, "use_dataparallel": False}
    found = published.compute_fid(*places, mode="legacy_pytorch", **cpu)  # the mode that takes pytorch-fid's weights
    return f"FID: {found} (it also reads the real images)"


def of_features(count: int, task: Task) -> str:
    """The whole score of so many features, without the network, whose time is proportional anyway."""
    known, random = np.load(task.folder / "fake.npy"), np.random.default_rng(0)
    fake = known[random.integers(len(known), size=count)]
    fake += 0.01 * random.standard_normal(fake.shape, np.float32)
    reference = load_statistics(task.folder / "reference.npz")
    real = load_beside(task.folder / "reference.npz", "features")
    score(Comparison(fake, np.full((count, 10), 0.1), real, reference), MEASURED)
    return ""


# Measuring


def measured(what: str, contender: Callable[[Task], str], task: Task) -> Row:
    """One run in a fresh process, imports included, with the largest memory of it or its children."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(contender, task, there))
    started = time.perf_counter()
    process.start()
    gigabytes, result = here.recv()
    seconds = time.perf_counter() - started
    process.join()
    return _shown(Row(what, None if gigabytes is None else seconds, gigabytes, result))


def _run(contender: Callable[[Task], str], task: Task, answer: Connection) -> None:
    torch.set_num_threads(task.threads)
    try:
        with _quiet():
            result = contender(task)
    except Exception as error:  # a tool that is not here, or wants its own weights: said in its row
        lines = str(error).strip().splitlines() or [""]
        answer.send((None, f"did not run: {type(error).__name__}: {lines[0][:100]}"))
        return
    usage = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    answer.send((max(usage) / 2**20, result))


def distances(task: Task) -> Iterator[Row]:
    """The Fréchet distance alone, of the same statistics: the fastest of three runs each."""
    fake, reference = np.load(task.folder / "fake.npy"), load_statistics(task.folder / "reference.npz")
    known = arithmetic.exact_moments(fake)
    for what, distance in (("sqrtm", arithmetic.exact_distance), ("singular values", frechet_distance)):
        seconds = []
        for _ in range(3):
            pair = replace(known), replace(reference)  # without the roots that the last run has found
            started = time.perf_counter()
            result = distance(*pair)
            seconds.append(time.perf_counter() - started)
        yield _shown(Row(f"Fréchet distance by {what}", min(seconds), None, str(result)))


def _shown(row: Row) -> Row:
    print(f"{row.what:<34}{_number(row.seconds, 's')}{_number(row.gigabytes, 'GiB')}  {row.result}", flush=True)
    return row


def _number(value: float | None, unit: str) -> str:
    return f"{'-' if value is None else f'{value:.2f}':>10} {unit:<3}"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with Path(os.devnull).open("w") as null, contextlib.redirect_stdout(null), contextlib.redirect_stderr(null):
        yield


def prepare(task: Task, count: int, weights: Path | None) -> None:
    """Lay out samples, folders of PNGs, the weights, and statistics of as many other images as the reference."""
    samples, real = clouds(count, 1), clouds(count, 2)
    task.weights.parent.mkdir(parents=True)
    if weights:
        task.weights.symlink_to(weights.resolve())
    else:
        random_inception(task.weights, torch.from_numpy(samples[:16]))
    np.savez(task.folder / "samples.npz", images=samples)
    for name, images in (("png", samples), ("real-png", real)):
        (task.folder / name).mkdir()
        for i, image in enumerate(images):
            Image.fromarray(image[0]).save(task.folder / name / f"{i:05}.png")
    extractor = inception_extractor(task.weights, "cpu")
    found = extract(extractor, real)
    save_statistics(task.folder / "reference.npz", moments(found, extractor.identity), features=found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    others = [each.__name__ for each in CONTENDERS.values() if each is not ours_whole]
    parser.add_argument("--without", nargs="+", choices=others, default=[], help="each takes minutes to hours at 10,000 images")
    parser.add_argument("--out", type=Path, default=Path("scoring.json"))
    words = parser.parse_args()
    torch.set_num_threads(words.threads)
    os.environ |= {name: str(words.threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    with tempfile.TemporaryDirectory() as name:
        task = Task(Path(name), Path(name, "torch", "hub", "checkpoints", WEIGHTS.name), words.threads)
        prepare(task, words.images, words.weights)
        chosen = {what: each for what, each in CONTENDERS.items() if each.__name__ not in words.without}
        rows = [measured(what, contender, task) for what, contender in chosen.items()]
        rows += distances(task)
        rows += [measured(f"metrics of {n:,} features", partial(of_features, n), task) for n in (10_000, 20_000, 50_000)]
    about = {"images": words.images, "hardware": provenance.hardware(torch.device("cpu")), "versions": provenance.versions()}
    table: dict[str, Any] = about | {"rows": [row._asdict() for row in rows]}
    files.write_text(words.out, json.dumps(table, indent=1) + "\n")


CONTENDERS = {
    "pytorch-fid, FID": pytorch_fid,
    "sagan-div fid --mode exact": ours_exact,
    "sagan-div fid": ours,
    "sagan-div, whole score": ours_whole,
    "torch-fidelity, FID": torch_fidelity,
    "clean-fid, FID": clean_fid,
}

if __name__ == "__main__":
    main()
