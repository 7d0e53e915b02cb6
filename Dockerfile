# Two images from one file: the application (target app) and the web server in front of it (target proxy), which carries
# the static files of the same build. Production pins only; nothing is compiled, nothing runs as root.

FROM python:3.13-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY requirements/base.txt requirements/base.txt
RUN python -m venv .venv \
    && .venv/bin/python -m pip install --require-hashes --only-binary=:all: -r requirements/base.txt \
    && .venv/bin/python -m compileall -q .venv/lib \
    && .venv/bin/python -m pip uninstall --quiet --yes pip
COPY . .
# The settings want to be complete; these keys exist only in this step and in no image.
RUN FIELD_ENCRYPTION_KEYS="$(.venv/bin/python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())')" \
    SECRET_KEY="$(.venv/bin/python -c 'import secrets; print(secrets.token_urlsafe(50))')" \
    DATABASE_URL=postgres://build@127.0.0.1/build REDIS_URL=redis://127.0.0.1 EMAIL_URL=smtp://127.0.0.1 \
    SITE_URL=https://build.invalid \
    .venv/bin/python manage.py collectstatic --noinput --verbosity=0 \
    && .venv/bin/python -m compileall -q accounts alliance events outbox registration speakers video

FROM python:3.13-slim-trixie AS app
LABEL org.opencontainers.image.title="Alliance" org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DJANGO_SETTINGS_MODULE=alliance.settings
RUN groupadd --gid 10001 alliance && useradd --uid 10001 --gid alliance --no-create-home --no-log-init alliance
WORKDIR /app
COPY --from=build /app /app
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["python", "deploy/healthcheck.py", "web"]
CMD ["gunicorn", "--config", "deploy/gunicorn.conf.py", "alliance.wsgi:application"]

FROM nginx:1.28-alpine-slim AS proxy
COPY deploy/nginx.conf /etc/nginx/nginx.conf
COPY deploy/pages /srv/pages
COPY --from=build /app/var/static /srv/static
USER 101:101
EXPOSE 8080 8443
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=15s --timeout=5s --start-period=10s --retries=3 CMD ["wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/-/alive"]
CMD ["nginx", "-g", "daemon off;"]
