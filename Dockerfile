# syntax=docker/dockerfile:1
# The image that jobs run in where nodes share no file system: Python, the locked packages and Snakemake; the code of a study
# travels with each job. Not built where it was written, for want of a builder; linted with hadolint.
#   docker build --tag your-registry/sagan-div:0.2.0 .
#   docker build --tag your-registry/sagan-div:0.2.0-cpu --build-arg TORCH=cpu .
FROM python:3.11-slim

# cuda: PyTorch with CUDA's libraries, for nodes with an NVIDIA driver; cpu: without, 4.1 GB less
ARG TORCH=cuda
ARG CPU_WHEELS=https://download.pytorch.org/whl/cpu

SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /opt/sagan-div
COPY requirements.lock requirements-dev.lock pyproject.toml README.md LICENSE ./

# the versions of both locks, also for what Snakemake installs on a node: the bucket's plugin, once more
RUN grep -hv '^-r' requirements.lock requirements-dev.lock > constraints.txt \
    && grep -E '^(s3fs|snakemake-storage-plugin-s3)==' constraints.txt > s3.txt
ENV PIP_CONSTRAINT=/opt/sagan-div/constraints.txt \
    PIP_NO_CACHE_DIR=1 \
    PYTHONUNBUFFERED=1

RUN if [ "$TORCH" = cpu ]; then \
      sed -nE 's/^torch(vision)?==.*/&+cpu/p' requirements.lock | pip install --no-deps --index-url "$CPU_WHEELS" -r /dev/stdin \
      && grep -v 'sys_platform == "linux"' requirements.lock | pip install --no-deps -r /dev/stdin; \
    else \
      pip install -r requirements.lock; \
    fi
RUN pip install -r s3.txt

COPY src src
RUN pip install --no-deps . && sagan-div --version

# where executors mount nothing of their own
WORKDIR /workdir
