"""Snakemake's command line with another end: the plan is made and no job handed out; what each asks for is written as JSON.

With an executor of a cluster, its plugin makes the request of each job in full, and what it would send is kept: no cloud is
called. $RENDERED names the file, $EXECUTOR the plugin.
"""

import json
import os
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from snakemake import cli
from snakemake.scheduling.job_scheduler import JobScheduler
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

Sent = list[Any]


def kubernetes(sent: Sent) -> list[Any]:
    """The bodies of POST .../jobs, as the client writes them in JSON."""
    from kubernetes.client import ApiClient, BatchV1Api, CoreV1Api

    def create(api: Any, namespace: str, body: Any) -> None:
        sent.append(ApiClient().sanitize_for_serialization(body) | {"namespace": namespace})

    return [
        patch("kubernetes.config.load_kube_config"),
        patch.object(CoreV1Api, "create_namespaced_secret"),
        patch.object(BatchV1Api, "create_namespaced_job", create),
    ]


def aws_batch(sent: Sent) -> list[Any]:
    """The bodies of RegisterJobDefinition and SubmitJob, which boto3 has checked against AWS's own model."""
    import boto3

    def answer(model: Any, params: Any, **_: Any) -> Any:
        body = json.loads(params["body"])
        sent.append(body)
        found = {
            "jobDefinitionName": body.get("jobDefinitionName"),
            "revision": 1,
            "jobName": body.get("jobName"),
            "jobId": "1",
        }
        return SimpleNamespace(status_code=200), found

    boto3.setup_default_session()
    boto3.DEFAULT_SESSION.events.register("before-call.batch", answer)
    return []


def googlebatch(sent: Sent) -> list[Any]:
    """CreateJob's message, as plain data."""
    from google.cloud import batch_v1

    def create(request: Any) -> Any:
        sent.append(batch_v1.CreateJobRequest.to_dict(request))
        return SimpleNamespace(name="1", uid="1")

    return [patch("google.cloud.batch_v1.BatchServiceClient", lambda: SimpleNamespace(create_job=create))]


CLOUDS: dict[str, Callable[[Sent], list[Any]]] = {
    "kubernetes": kubernetes,
    "aws-batch": aws_batch,
    "googlebatch": googlebatch,
    "slurm": lambda sent: [],  # asks by the program sbatch: tests put their own on PATH
}


def schedule(scheduler: JobScheduler) -> bool:
    """Instead of handing jobs out: have the requests of two tries made of each that is not local, and write all down."""
    told = []
    for job, attempt in product(scheduler.workflow.dag.jobs, (1, 4)):
        if job.is_norun:
            continue
        job.attempt, job._resources, job._params = attempt, None, None
        sent.clear()
        if not scheduler.workflow.dryrun and not job.is_local:
            scheduler._executor.run_job(job)
        asked = {name: value for name, value in job.resources.items() if isinstance(value, int | str)}
        told.append(
            {
                "rule": job.rule.name,
                "resources": asked,
                "command": job.shellcmd,
                "attempt": attempt,
                "local": job.is_local,
                "sent": [*sent],
            }
        )
    Path(os.environ["RENDERED"]).write_text(json.dumps(told))
    os._exit(0)


sent: Sent = []

if __name__ == "__main__":
    from moto import mock_aws

    with mock_aws():  # the bucket
        import boto3

        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="your-bucket")
        for each in CLOUDS.get(os.getenv("EXECUTOR", ""), lambda sent: [])(sent):
            each.start()
        JobScheduler.schedule = schedule
        RemoteExecutor._wait_thread = lambda executor: None  # nobody asks how jobs are getting on
        cli.main(sys.argv[1:])
