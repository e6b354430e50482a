# A small image that runs as nobody in particular. `docker build -t switchboard .`
FROM python:3.11-slim AS packages
COPY requirements/runtime.txt /tmp/runtime.txt
RUN python -m venv /opt/switchboard \
 && /opt/switchboard/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /tmp/runtime.txt

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/switchboard --create-home switchboard
COPY --from=packages /opt/switchboard /opt/switchboard
COPY LICENSE /srv/switchboard/
COPY app /srv/switchboard/app
COPY requirements/runtime.txt /srv/switchboard/requirements/runtime.txt
WORKDIR /srv/switchboard
ENV PATH=/opt/switchboard/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SWITCHBOARD_HOST=0.0.0.0 \
    SWITCHBOARD_LOG_FORMAT=json \
    SWITCHBOARD_DATABASE_URL=sqlite:////var/lib/switchboard/switchboard.db
USER 10001
VOLUME /var/lib/switchboard
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
ENTRYPOINT ["python", "-m", "app"]
CMD ["serve"]
