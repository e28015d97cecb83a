# docker build -t jobtitle .
# docker run --read-only --tmpfs /tmp --cap-drop ALL -v jobtitle:/data -p 8000:8000 jobtitle
# Corrections are in the volume; -e JOBTITLE_DATABASE_URL=postgresql://... names another place.

FROM python:3.12-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN python -m venv /opt/jobtitle \
    && /opt/jobtitle/bin/python -m pip install --no-cache-dir ".[postgresql]" \
    && /opt/jobtitle/bin/python -m classifier train --output /opt/model

FROM python:3.12-slim-bookworm
LABEL org.opencontainers.image.title="jobtitle" \
      org.opencontainers.image.description="Labels job titles with department and office category"
COPY --from=build /opt/jobtitle /opt/jobtitle
COPY --from=build /opt/model /opt/model
ENV PATH=/opt/jobtitle/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    JOBTITLE_DATABASE_URL=sqlite:////data/corrections.sqlite3 \
    JOBTITLE_HOST=0.0.0.0 \
    JOBTITLE_MODEL=/opt/model \
    JOBTITLE_WORKERS=2
RUN mkdir /data && chown 10001:10001 /data
VOLUME /data
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/v2/health/ready', timeout=4)"]
CMD ["jobtitle", "serve"]
