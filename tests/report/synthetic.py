"""A synthetic study on disk: tiny images and seeded numbers whose order is known, in the files that the phases leave."""

import contextlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sagan_div.data.pictures import grid, save_picture
from sagan_div.models import checkpoints, networks
from sagan_div.report import gather, prose, report
from sagan_div.settings import plain
from sagan_div.study import schema as config
from sagan_div.study.load import load
from sagan_div.workflow.jobs import cells, planned
from sagan_div.workflow.kinds import KINDS, REAL_VS_REAL, TRAIN
from sagan_div.workflow.layout import Layout

ROOT = Path(__file__).resolve().parents[2]
SMALL = (
    "datasets=[mnist, fashion-mnist]",
    "methods=[dcgan, sngan, sagan-div-b, sagan-div-d]",
    "seeds=[0, 1]",
    "image_size=16",
    "width=4",
    "train.images=32000000",
    "score.extractors=[inception, classifier]",
)
LEVELS = {  # FIDs in the paper's order, at a level of our own
    "sngan": 6.0,
    "dcgan": 9.0,
    "sagan-div-d": 12.0,
    "sagan-div-b": 13.0,
    "wgan-div": 17.0,
    "sagan-div-a": 21.0,
    "sagan-div-c": 30.0,
}
FLOOR, MEASURED, GREY = 1.1, 1.2, 300.0
RATINGS = 20  # of a run
GAPS = {("fashion-mnist", "sngan"): "not run", ("fashion-mnist", "sagan-div-b"): "trained"}
ABOUT = {
    "versions": {"torch": "2.11"},
    "hardware": {"device": "cpu", "processor": "Synthetic CPU", "threads": 2},
    "seconds": 1234.5,
    "commit": "0123abc",
}


def study(*sets: str, **changes: Any) -> config.Study:
    """A small study of four of params.yaml's methods, whatever else that file says."""
    return load(ROOT / "params.yaml", sets=[*SMALL, *sets]).model_copy(update=changes)


def rings(seed: int, count: int, size: int, channels: int = 1) -> np.ndarray:
    """Rings in place of digits and clothes, uint8 [count, channels, size, size]."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] / size
    centres, radii = generator.uniform(0.4, 0.6, (count, 2, 1, 1)), generator.uniform(0.18, 0.32, (count, 1, 1))
    distance = np.hypot(x - centres[:, 0], y - centres[:, 1]) - radii
    return (255 * np.exp(-((distance * 20) ** 2))).astype(np.uint8)[:, None].repeat(channels, axis=1)


def samples(seed: int, count: int, noise: float, size: int, channels: int = 1) -> np.ndarray:
    """Rings with noise on them."""
    clean = rings(seed + 1, count, size, channels)
    noisy = clean + np.random.default_rng(seed).normal(0, noise, (count, channels, size, size))
    return noisy.clip(0, 255).astype(np.uint8)


def level(dataset: str, method: str, seed: int) -> float:
    """The FID of a cell: its method's level and a little of its own."""
    return LEVELS[method] + float(np.random.default_rng([seed, len(method), ord(method[-1]), len(dataset)]).normal(0, 0.4))


def history(method: str, seed: int, images: int) -> str:
    """A falling rating with noise, in every fifth row."""
    generator = np.random.default_rng([seed, len(method), ord(method[-1])])
    lines = ["images,critic_updates,generator_updates,loss_critic,loss_generator,score_real,score_fake,gradient_norm,fid"]
    for row in range(1, 101):
        rating = LEVELS[method] * (1 + 8 * np.exp(-row / 15)) * np.exp(generator.normal(0, 0.04))
        losses = f"{generator.normal(1 + 3 / row, 0.1):.4f},{generator.normal(2, 0.2):.4f}"
        lines.append(f"{images * row // 100},{row * 50},{row * 10},{losses},0.5,-0.5,1.0,{rating if row % 5 == 0 else ''}")
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Tree:
    """A study's results below `root`; images are grey where `channels` does not say otherwise of their dataset."""

    root: Path
    study: config.Study
    channels: dict[str, int] = field(default_factory=dict)

    @property
    def layout(self) -> Layout:
        return Layout(self.study.study)

    @property
    def results(self) -> Path:
        return self.root / self.layout.results

    def at(self, phase: str, name: str, dataset: str, method: str, seed: int) -> Path:
        path = self.root / str(self.layout.cell(phase, name)).format(dataset=dataset, method=method, seed=seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write(self) -> list[str]:
        """Write the report; returns what was noted."""
        notes: list[str] = []
        with contextlib.chdir(self.root):
            report.write(self.study, self.layout, notes.append)
        return notes

    def read(self) -> gather.Results:
        with contextlib.chdir(self.root):
            return gather.read(self.study, self.layout)

    def data(self, dataset: str) -> None:
        path = self.root / str(self.layout.images("train")).format(dataset=dataset)
        path.parent.mkdir(parents=True, exist_ok=True)
        images = rings(0, 80, 28, self.channels.get(dataset, 1))
        np.save(path, images)
        record = {"settings": {}, "code": {}, "inputs": {}, "outputs": {}, "images": {"train": images.shape}}
        path.parents[1].joinpath("record.json").write_text(json.dumps(record | ABOUT))

    def about(self, dataset: str, **about: Any) -> None:
        """Have the record of a dataset's images say more."""
        path = (self.root / str(self.layout.images("train")).format(dataset=dataset)).parents[1] / "record.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | about))

    def compare(self, dataset: str) -> None:
        """What the comparison of real images with real ones leaves, in the last feature space."""
        job = planned(self.study, REAL_VS_REAL, {"dataset": dataset, "extractor": self.study.score.spaces[-1]})
        pairs = [
            {"pair": pair, "sampler": sampler, "images": images, "fids": [800 / images, 900 / images]}
            for pair, sampler in prose.REAL_VS_REAL
            for images in (32, 608)
        ]
        (self.root / job.record).parent.mkdir(parents=True, exist_ok=True)
        (self.root / job.outputs["real_vs_real"]).write_text(json.dumps(pairs))
        content = {"job": job.name, "settings": plain(job.settings), "code": {}, "inputs": {}, "outputs": {}}
        (self.root / job.record).write_text(json.dumps(content | ABOUT))

    def train(self, dataset: str, method: str, seed: int) -> None:
        """What training leaves: the history, the best and the last generator (untrained here, and apart), the record."""
        settings = planned(self.study, TRAIN, {"dataset": dataset, "method": method, "seed": seed}).settings
        shape = networks.Shape(self.study.image_size, self.channels.get(dataset, 1), self.study.width, self.study.latent)
        about = {"settings": plain(settings), "channels": shape.channels}
        for name, drawn in (("best", seed), ("last", seed + 1000)):
            tensors = checkpoints.tensors_of(generator=networks.build(self.study.methods[method], shape, drawn)[0])
            checkpoints.save(self.at("train", f"{name}.safetensors", dataset, method, seed), tensors, about)
        images, size = self.study.train.images, self.study.image_size
        grown = [torch.from_numpy(samples(seed, 32, 200 - 9 * rating, size, shape.channels)) for rating in range(RATINGS)]
        save_picture(self.at("train", "growth.png", dataset, method, seed), grid(torch.cat(grown), 32))
        self.at("train", "history.csv", dataset, method, seed).write_text(history(method, seed, images))
        fid = level(dataset, method, seed)
        again = {"best": [fid + 0.3, fid + 0.5, fid + 0.7], "last": [fid + 0.9, fid + 1.0, fid + 1.1]}
        best = {"images": images, "fid": fid}
        self.record("train", dataset, method, seed, best=best, images_per_second=900.0 + seed, rated_again=again)

    def sample(self, dataset: str, method: str, seed: int) -> None:
        drawn = samples(seed, 80, LEVELS[method] * 3, self.study.image_size, self.channels.get(dataset, 1))
        np.savez_compressed(self.at("sample", "samples.npz", dataset, method, seed), images=drawn)
        self.record("sample", dataset, method, seed)

    def score(self, dataset: str, method: str, seed: int) -> None:
        """A classifier's FID with its floor, and an Inception that is not at hand."""
        fid = level(dataset, method, seed)
        further = {"fid_infinity": fid - 0.5, "kid": fid / 1000, "kid_error": 0.001, "is": 9 - fid / 10, "is_std": 0.1}
        further |= {
            "precision": 0.95 - fid / 80,
            "recall": 0.8 - fid / 60,
            "density": 1.1 - fid / 60,
            "coverage": 0.95 - fid / 70,
        }
        further |= {"fid_repeated_608": 300.0 + 20 * seed, "fid_repeated_608_std": 1.0}
        further |= {"contrast": 0.9, "variety": 0.85, "grain": 1.0, "fid_grey": GREY}
        further |= {"memorised": 0.01 + fid / 1000, "memorised_honest": 0.01, "nearer": 0.5, "nearer_z": 0.0}
        further |= {"neighbours": list(range(8)), "classes": [10 + seed] * 10, "reference_classes": list(range(10, 20))}
        reference = {"reference_count": 10000, "reference_split": "train", "fid_floor": FLOOR, "fid_floor_measured": MEASURED}
        entries = {
            "classifier": {"fid": fid, "count": 10000} | reference | further,
            "inception": {"fid": None, "why": "Inception's weights are not at hand"},
        }
        found = {"dataset": dataset, "method": method, "seed": seed, "extractors": entries}
        self.at("score", "metrics.json", dataset, method, seed).write_text(json.dumps(found))
        self.record("score", dataset, method, seed)

    def rescore(self, dataset: str, method: str, seed: int, **found: Any) -> None:
        """Change what was found of a cell in the classifier's features."""
        path = self.at("score", "metrics.json", dataset, method, seed)
        content = json.loads(path.read_text())
        content["extractors"]["classifier"] |= found
        path.write_text(json.dumps(content))

    def diverge(self, dataset: str, method: str, seed: int) -> None:
        """What training leaves that diverged before it had rated a generator."""
        why = "training diverged at image 1,000 and had rated no generator"
        path = self.at("score", "metrics.json", dataset, method, seed)
        content = json.loads(path.read_text())
        entries = {name: {"fid": None, "why": why} for name in content["extractors"]}
        path.write_text(json.dumps(content | {"extractors": entries}))
        self.at("sample", "samples.npz", dataset, method, seed).unlink()
        self.record("train", dataset, method, seed, best={}, images_per_second=900.0, rated_again={}, diverged=1000)

    def record(self, phase: str, dataset: str, method: str, seed: int, **about: Any) -> None:
        settings = plain(planned(self.study, KINDS[phase], {"dataset": dataset, "method": method, "seed": seed}).settings)
        content = {"job": f"{phase} {dataset} {method} {seed}", "settings": settings, "code": {}, "inputs": {}, "outputs": {}}
        self.at(phase, "record.json", dataset, method, seed).write_text(json.dumps(content | ABOUT | about))


def grow(
    root: Path, settings: config.Study, gaps: dict[tuple[str, str], str] | None = None, channels: dict[str, int] | None = None
) -> Tree:
    """A study's results below `root`, less what `gaps` names: (dataset, method) -> not run, or trained and no more."""
    tree = Tree(root, settings, channels or {})
    for dataset in settings.datasets:
        tree.data(dataset.name)
        tree.compare(dataset.name)
    for cell in cells(settings):
        left_off = (gaps or {}).get((cell["dataset"], cell["method"]))
        if left_off != "not run":
            tree.train(**cell)
        if left_off is None:
            tree.sample(**cell)
            tree.score(**cell)
    return tree
