"""Real images against real ones."""

import json

from sagan_div import files
from sagan_div.evaluation import features
from sagan_div.evaluation import real_vs_real as floors
from sagan_div.phases import spaces
from sagan_div.phases.machine import About, Machine
from sagan_div.study.job_settings import RealVsRealSettings
from sagan_div.workflow.plan import Job


def work(job: Job, machine: Machine) -> About:
    """Real images against real ones, by either sampler: what a score near it can say of a model is nothing."""
    settings = job.settings
    assert isinstance(settings, RealVsRealSettings)
    extractor, found = spaces.extractor(settings.extractor, job, machine), []
    if not isinstance(extractor, str):
        largest = max(settings.real_vs_real.counts)
        train = spaces.real(job.inputs["train_images"], settings.image_size, 2 * largest)
        test = spaces.real(job.inputs["test_images"], settings.image_size, largest)
        for sampler, drawn in floors.SAMPLERS.items():
            ours, others = (features.extract(extractor, drawn(images)) for images in (train, test))
            found += floors.floors(ours, others, settings.real_vs_real.counts, settings.real_vs_real.draws, sampler)
    files.write_text(job.outputs["real_vs_real"], json.dumps([each._asdict() for each in found], indent=1) + "\n")
    return {"why": extractor} if isinstance(extractor, str) else {}
