"""Where the files of a study live. Paths hold `{dataset}` etc. in braces until a job fills them: rules need the patterns."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

SPLITS = ("train", "test")
OF_THE_REPORT = ("metrics", "tables", "figures", "plots", "models")  # folders of results/, beside those of the phases
RECORD_STUDY = "main"  # the study of record, whose results lie in results/ itself


@dataclass(frozen=True)
class Layout:
    """The places of one study: `results/` and `data/` for the study of record, `results/<name>/` for another.

    Both lie in `root`: the working folder, or the folder in which Snakemake keeps copies of what is in a bucket.
    """

    study: str = RECORD_STUDY
    root: Path = Path()

    @cached_property
    def results(self) -> Path:
        return self.root / "results" if self.study == RECORD_STUDY else self.root / "results" / self.study

    @cached_property
    def data(self) -> Path:
        return self.root / "data" if self.study == RECORD_STUDY else self.results / "data"

    def holds(self, path: Path) -> bool:
        """Whether a path is the study's own: what lies elsewhere is the user's."""
        return any(path.parts[: len(own.parts)] == own.parts for own in (self.results, self.data))

    def name(self, path: Path) -> Path:
        """A path of the study from `root` on, which is the same everywhere."""
        return path.relative_to(self.root) if self.root.parts else path

    @property
    def scratch(self) -> Path:
        """What jobs need until they are done, and their locks: always in the working folder."""
        return Path("scratch", self.study)

    @property
    def logs(self) -> Path:
        return Path("logs", self.study)

    @property
    def folders(self) -> tuple[Path, ...]:
        """All that a study leaves behind lies in these."""
        return (self.results, self.logs, *(() if self.data.is_relative_to(self.results) else (self.data,)))

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
        """Inception's; a file that the user has put beside them is taken for them."""
        return self.results / "reference" / "_inception" / "weights.pth"

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
