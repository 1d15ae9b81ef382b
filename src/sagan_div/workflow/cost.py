"""What jobs will take, by what such jobs took: the report's record, which is in git, keeps that for a clone without others."""

from collections import defaultdict
from collections.abc import Mapping

from sagan_div.study.schema import Study
from sagan_div.workflow.jobs import jobs
from sagan_div.workflow.layout import Layout
from sagan_div.workflow.progress import roughly
from sagan_div.workflow.records import read_all, recorded
from sagan_div.workflow.store import HERE, Store

TOOK = "seconds_per_job"  # in the report's record: seconds by kind of job


def took(study: Study, store: Store = HERE) -> dict[str, float]:
    """The mean seconds of the study's jobs of each kind, by their records."""
    found = defaultdict(list)
    for job, record in read_all(jobs(study, root=store.root), store):
        seconds = record.about.get("seconds") if record else None
        if isinstance(seconds, int | float):
            found[job.kind.name].append(seconds)
    return {kind: round(sum(seconds) / len(seconds), 1) for kind, seconds in found.items()}


def expected(layout: Layout, counts: Mapping[str, int], store: Store = HERE) -> str:
    """How long so many jobs of each kind take one after the other, in words; empty where the report's record does not say."""
    seconds = (recorded(layout.report_record, store) or {}).get(TOOK)
    if not isinstance(seconds, dict) or not counts.keys() <= seconds.keys():
        return ""
    whole = sum(count * seconds[kind] for kind, count in counts.items())
    return f"about {roughly(whole)} one after the other, as when the report was made"
