# syntax=docker/dockerfile:1
FROM python:3.13-slim-trixie AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app

COPY requirements/ requirements/
RUN python -m venv /venv \
    && /venv/bin/pip install --require-hashes -r requirements/production.txt \
    # Message catalogues are compiled here and need polib no more afterwards.
    && sed -n '/^polib==/,/[^\\]$/p' requirements/local.txt > /tmp/polib.txt \
    && pip install --require-hashes --target /tmp/polib -r /tmp/polib.txt

COPY manage.py ./
COPY kpt/ kpt/
COPY conference/ conference/
COPY registration/ registration/
COPY templates/ templates/
COPY static/ static/
COPY locale/ locale/
# The settings want to know where everything is; these names serve this one command and are in no image.
RUN PYTHONPATH=/tmp/polib /venv/bin/python -m kpt.messages \
    && SECRET_KEY=build SITE_URL=https://build.invalid EMAIL_URL=smtps://build.invalid \
       DATABASE_URL=postgres://build.invalid/build REDIS_URL=redis://build.invalid \
       /venv/bin/python manage.py collectstatic --no-input \
    && /venv/bin/python -m compileall -q /app


FROM python:3.13-slim-trixie

RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin kpt \
    && install -d -o kpt -g kpt /srv/media
COPY --from=build /venv /venv
COPY --from=build /app /app
COPY deploy/gunicorn.py /app/deploy/gunicorn.py

ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 MEDIA_ROOT=/srv/media
WORKDIR /app
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import os; from urllib.parse import urlsplit; from urllib.request import Request, urlopen; urlopen(Request('http://127.0.0.1:8000/healthz/live', headers={'Host': urlsplit(os.environ['SITE_URL']).netloc}), timeout=4)"]
CMD ["gunicorn", "--config", "deploy/gunicorn.py", "kpt.wsgi"]
