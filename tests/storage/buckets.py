"""The project of tests/interplay, whose study lies in a bucket: nothing but the bucket joins its working folders."""

import hashlib
import itertools
import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from projects import Project, arithmetic, inside, start

from sagan_div.report.report import outputs
from sagan_div.study.load import load
from sagan_div.workflow import records
from sagan_div.workflow.jobs import jobs, report_job
from sagan_div.workflow.layout import Layout

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
FOLDER = "some/folder"  # in the bucket
MADE = (".snakemake", "scratch", ".git", "results")  # what a checkout lacks
NUMBERS = itertools.count()
PROFILE = """\
default-storage-provider: s3
default-storage-prefix: {prefix}
storage-s3-endpoint-url: {url}
storage-s3-access-key: test
storage-s3-secret-key: test
"""


@dataclass(frozen=True)
class Objects:
    """What lies in the folder of a bucket, by the names that it would have in a working folder."""

    url: str
    bucket: str

    @classmethod
    def new(cls, url: str) -> "Objects":
        objects = cls(url, f"bucket-{next(NUMBERS)}")
        objects._s3.create_bucket(Bucket=objects.bucket)
        return objects

    @property
    def prefix(self) -> str:
        return f"s3://{self.bucket}/{FOLDER}"

    @property
    def _s3(self) -> Any:
        return boto3.client("s3", endpoint_url=self.url)

    def copied(self) -> "Objects":
        """The same in another bucket."""
        copy = Objects.new(self.url)
        for name in self.names():
            copy.put(name, self.get(name))
        return copy

    def names(self, folder: str = "") -> list[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"{FOLDER}/{folder}")
        return [entry["Key"].removeprefix(f"{FOLDER}/") for page in pages for entry in page.get("Contents", [])]

    def get(self, name: str) -> bytes:
        return bytes(self._s3.get_object(Bucket=self.bucket, Key=f"{FOLDER}/{name}")["Body"].read())

    def put(self, name: str, content: bytes) -> None:
        self._s3.put_object(Bucket=self.bucket, Key=f"{FOLDER}/{name}", Body=content)

    def delete(self, name: str) -> None:
        self._s3.delete_object(Bucket=self.bucket, Key=f"{FOLDER}/{name}")

    def digests(self) -> dict[str, str]:
        """Of all artefacts: records tell when they were made."""
        kept = (name for name in self.names() if name.startswith(("data/", "results/")) and "record.json" not in name)
        return {name: hashlib.sha256(self.get(name)).hexdigest() for name in kept}


@dataclass(frozen=True)
class WorkingFolder(Project):
    """A project whose profile names a bucket."""

    objects: Objects

    @classmethod
    def first(cls, path: Path, objects: Objects) -> "WorkingFolder":
        start(path)
        return cls(path, objects)._with_profile()

    def checkout(self, to: Path, objects: Objects | None = None) -> "WorkingFolder":
        """The project's own files alone, in another place."""
        shutil.copytree(self.path, to, symlinks=True, ignore=shutil.ignore_patterns(*MADE))
        return WorkingFolder(to, objects or self.objects)._with_profile()

    def _with_profile(self) -> "WorkingFolder":
        text = PROFILE.format(prefix=self.objects.prefix, url=self.objects.url)
        folder = self.path / "workflow/profiles/bucket"
        folder.mkdir(exist_ok=True)
        (folder / "profile.yaml").write_text(text)
        return self

    def run(self, *words: object, **options: Any) -> Any:
        profile = ("--profile", "workflow/profiles/bucket") if words[0] == "snakemake" else ()
        return super().run(*words, *profile, **options)

    def metrics(self) -> dict[str, Any]:
        names = self.objects.names("results/metrics/")
        return {re.sub(r"results/metrics/|\.json", "", name): json.loads(self.objects.get(name)) for name in names}

    def idle(self) -> None:
        assert self.planned() == {}
        assert self.metrics() == self.right()

    def fill(self) -> None:
        """Do the study's jobs here, in no time, and put what they leave into the bucket."""
        with inside(self.path):
            study, texts = load(Path("params.yaml")), {}
            for job in jobs(study):
                texts |= arithmetic.contents(job, texts)
                _leave(job, arithmetic.contents(job, texts))
            report = report_job(study, outputs(study, Layout(study.study)))
            _leave(report, arithmetic.report(report))
            for folder in ("data", "results"):
                for file in (path for path in Path(folder).rglob("*") if path.is_file()):
                    self.objects.put(str(file), file.read_bytes())
                shutil.rmtree(folder)


def _leave(job: Any, texts: dict[Path, str]) -> None:
    before = records.used(job)
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    records.write(job, before, {})
