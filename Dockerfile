# Steward as a container, for where the app is not deployed as a package: Container Apps, Premium, Kubernetes.
# `docker build --platform linux/amd64 --tag steward .`; what it does not read is in .dockerignore.
# Microsoft publishes this image anew each month: build again to have what it mends.
ARG BASE=mcr.microsoft.com/azure-functions/python:4-python3.13

FROM ${BASE} AS app
COPY . /home/site/wwwroot
RUN python -m compileall -q --invalidation-mode unchecked-hash /home/site/wwwroot

FROM ${BASE}
COPY requirements.txt /tmp/requirements.txt
RUN pip install --no-cache-dir --require-hashes --no-deps --only-binary=:all: --root-user-action ignore --requirement /tmp/requirements.txt \
    && rm /tmp/requirements.txt
COPY --from=app /home/site/wwwroot /home/site/wwwroot

# The image starts as root, on port 80. What the host writes is below these folders, and nothing below the app's.
# https://github.com/Azure/azure-functions-docker/issues/1210
RUN useradd --uid 10001 --no-create-home --home-dir /home steward \
    && install --directory --owner=steward --group=steward \
        /azure-functions-host/Secrets /home/ASP.NET /home/LogFiles /home/data
USER 10001
EXPOSE 8080
ENV ASPNETCORE_URLS=http://+:8080 \
    AzureFunctionsJobHost__FileWatchingEnabled=false \
    AzureFunctionsJobHost__Logging__Console__IsEnabled=true \
    AzureFunctionsJobHost__Logging__FileLoggingMode=never \
    AzureWebJobsScriptRoot=/home/site/wwwroot
