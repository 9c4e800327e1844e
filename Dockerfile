# Dagster with the pipeline: webserver, daemon, code location and runs are all started from this image.
#   docker build --build-arg PYTHON_IMAGE=IMAGE@DIGEST --secret id=pip,src=PIP_CONFIGURATION -t db-admin-report .
# The base is an argument: name a digest of your own registry. The package index is whatever pip's configuration says.
ARG PYTHON_IMAGE=python:3.12-slim

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
RUN python -m venv /opt/venv
COPY requirements/deployed.txt requirements/
# Wheels only, each checked against its hash: nothing is compiled, no compiler is in the image.
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    /opt/venv/bin/pip install --require-hashes --only-binary=:all: -r requirements/deployed.txt
COPY pyproject.toml README.md ./
COPY dbadmin_assets dbadmin_assets
COPY worker_lambda worker_lambda
RUN /opt/venv/bin/pip install --no-deps --no-index --no-build-isolation . \
    && /opt/venv/bin/pip uninstall --yes pip

FROM ${PYTHON_IMAGE} AS runtime
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp \
    DAGSTER_HOME=/opt/dagster \
    DBADMIN_STATE_DIR=/tmp/db-admin-report
WORKDIR /opt/dagster
COPY --from=build /opt/venv /opt/venv
COPY deployment/ecs/dagster.yaml deployment/ecs/workspace.yaml deployment/health.py ./
COPY worker_lambda/collectors/rds_roots.pem ./
# Dagster writes below DAGSTER_HOME; nothing else of the image belongs to the user that runs.
RUN mkdir history logs storage schedules && chown 10001:10001 . history logs storage schedules
USER 10001:10001
EXPOSE 3000 4000
HEALTHCHECK --interval=30s --timeout=25s --start-period=60s --retries=3 CMD ["python", "/opt/dagster/health.py"]
CMD ["db-admin-report", "--help"]
