"""The stand-in for the report: the real one's files, with the metrics in them and nothing to look at."""

import json
from collections.abc import Callable
from pathlib import Path

from sagan_div import arithmetic, files
from sagan_div.study.schema import Study
from sagan_div.workflow import plan

TABLE = "dataset,method,seed,extractor,fid,images,loss_critic\ndigits,dcgan,0,classifier,1,64,1\n"


def write(study: Study, layout: plan.Layout, outputs: dict[str, Path], note: Callable[[str], None]) -> Path:
    texts = {path: path.read_text() for job in plan.jobs(study, "score") for path in job.outputs.values()}
    for path in outputs.values():
        parts = path.relative_to(layout.results).with_suffix("").parts
        made = arithmetic.mean(study, *parts[1:], texts) if parts[0] == "metrics" else {}
        files.write_text(path, json.dumps(made) if made else TABLE)
    return outputs["page"]
