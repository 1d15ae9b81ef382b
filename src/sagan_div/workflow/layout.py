"""Where the files of a study live. Paths hold `{dataset}` etc. in braces until a job fills them: rules need the patterns."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

SPLITS = ("train", "test")
OF_THE_REPORT = ("metrics", "tables", "figures", "plots", "models")  # folders of results/, beside those of the phases
RECORD_STUDY = "main"  # the study of record, whose results lie in results/ itself


@dataclass(frozen=True)
class Layout:
    """The places of one study: `results/` and `data/` for the study of record, `results/<name>/` for another."""

    study: str = RECORD_STUDY

    @cached_property
    def results(self) -> Path:
        return Path("results") if self.study == RECORD_STUDY else Path("results", self.study)

    @cached_property
    def data(self) -> Path:
        return Path("data") if self.study == RECORD_STUDY else self.results / "data"

    @property
    def scratch(self) -> Path:
        """What jobs need until they are done, and their locks."""
        return Path("scratch", self.study)

    @property
    def logs(self) -> Path:
        return Path("logs", self.study)

    def folder(self, phase: str) -> Path:
        """The root of a phase's artefacts; the report's are spread over `results`."""
        return self.data if phase == "data" else self.results if phase == "report" else self.results / phase

    def images(self, split: str) -> Path:
        return self.data / "{dataset}" / split / "images.npy"

    def labels(self, split: str) -> Path:
        return self.data / "{dataset}" / split / "labels.npy"

    def splits(self) -> dict[str, Path]:
        """Images and labels of both splits by name: train_images, train_labels, test_images, test_labels."""
        kinds = {"images": self.images, "labels": self.labels}
        return {f"{split}_{name}": place(split) for split in SPLITS for name, place in kinds.items()}

    @property
    def weights(self) -> Path:
        return self.results / "reference" / "_inception" / "weights.json"

    @property
    def classifier(self) -> Path:
        return self.reference("domain-classifier.safetensors")

    def reference(self, name: str) -> Path:
        return self.results / "reference" / "{dataset}" / name

    def cell(self, phase: str, name: str) -> Path:
        return self.results.joinpath(phase, "{dataset}", "{method}", "seed{seed}", name)

    @property
    def statistics(self) -> Path:
        return self.reference("{extractor}.npz")

    @property
    def real_vs_real(self) -> Path:
        return self.reference("{extractor}.real-vs-real.json")

    @property
    def report_record(self) -> Path:
        return self.results / "report.record.json"


def filled(path: Path, **wildcards: object) -> Path:
    """A path of a layout with its braces filled."""
    return Path(str(path).format(**wildcards))
