"""Real images against real ones."""

import json

from sagan_div import files
from sagan_div.evaluation.real_vs_real import SAMPLERS, real_vs_real
from sagan_div.evaluation.spaces.extractor import extract
from sagan_div.phases import spaces
from sagan_div.phases.machine import About, Machine
from sagan_div.study.job_settings import RealVsRealSettings
from sagan_div.workflow.jobs import Job


def work(job: Job, machine: Machine) -> About:
    """FIDs of real images against real ones, by either sampler: a score near them says nothing against a generator."""
    settings = job.settings
    assert isinstance(settings, RealVsRealSettings)
    extractor, found = spaces.extractor(settings.extractor, job, machine), []
    if not isinstance(extractor, str):
        wanted = settings.real_vs_real
        largest = max(wanted.counts)
        train = spaces.training(job, settings).images[: 2 * largest]
        test = spaces.real(job.inputs["test_images"], settings.image_size, largest)
        for sampler, drawn in SAMPLERS.items():
            ours, others = (extract(extractor, drawn(images)) for images in (train, test))
            found += real_vs_real(ours, others, wanted.counts, wanted.draws, sampler)
    files.write_text(job.outputs["real_vs_real"], json.dumps([each._asdict() for each in found], indent=1) + "\n")
    return {"why": extractor} if isinstance(extractor, str) else {}
