"""Statistics of real images."""

from sagan_div import features, frechet, plan
from sagan_div.phases import spaces
from sagan_div.phases.machine import About, Machine
from sagan_div.plan import Job


def work(job: Job, machine: Machine) -> About:
    """Statistics of real images in a feature space; empty ones where Inception's weights are not there."""
    settings = job.settings
    assert isinstance(settings, plan.ReferenceSettings)
    extractor = spaces.extractor(settings.extractor, job, machine)
    if isinstance(extractor, str):
        frechet.save_statistics(job.outputs["statistics"], frechet.NO_MOMENTS)
        return {"why": extractor}
    images = spaces.real(job.inputs[f"{settings.reference.split}_images"], settings.image_size, settings.reference.count)
    found = features.extract(extractor, images)
    stretched = spaces.stretched(extractor, images, settings.repeat_last_batch)
    statistics = frechet.moments(found, extractor.identity)
    frechet.save_statistics(job.outputs["statistics"], statistics, features=found, stretched=stretched)
    return {"count": len(images), "split": settings.reference.split}
