#!/bin/sh
# Build the image without a container engine, as root on Debian: `make image-check`. A minute or two, by hand only.
# A mirror or an index of your own: IMAGE_CHECK_FLAGS="--volume /etc/pip.conf:/etc/pip.conf:ro" make image-check
set -eu
cd "$(dirname "$0")/.."
for tool in buildah debootstrap; do
    command -v $tool > /dev/null || { echo "$tool is missing: apt-get install --no-install-recommends buildah debootstrap"; exit 1; }
done
work=$PWD/var/image-check
base=$work/trixie
mkdir -p "$work"
in_store() { command=$1; shift; buildah --storage-driver vfs --root "$work/storage" --runroot "$work/run" "$command" "$@"; }

# A stand-in for python:3.13-slim-trixie, made once.
if ! in_store inspect --type image docker.io/library/python:3.13-slim-trixie > /dev/null 2>&1; then
    rm -rf "$base"
    debootstrap --variant=minbase --include=python3,python3-venv,python3-pip,ca-certificates trixie "$base" \
        "${DEBIAN_MIRROR:-http://deb.debian.org/debian}"
    ln -s python3 "$base/usr/bin/python"
    cp /etc/ssl/certs/ca-certificates.crt "$base/etc/ssl/certs/ca-certificates.crt"
    container=$(in_store from scratch)
    in_store add --quiet "$container" "$base" /
    in_store commit --quiet --rm "$container" docker.io/library/python:3.13-slim-trixie
    rm -rf "$base"
fi

# shellcheck disable=SC2086 -- several flags
in_store bud --format docker --isolation chroot --pull=never ${IMAGE_CHECK_FLAGS:-} --tag kpt .

container=$(in_store from --pull=never localhost/kpt)
trap 'in_store rm "$container" > /dev/null' EXIT
in_store run --isolation chroot \
    --env SECRET_KEY="$(head -c 48 /dev/urandom | base64)" --env SITE_URL=https://kpt.example.org \
    --env EMAIL_URL=smtps://mail.example.org --env TRUSTED_PROXIES=1 \
    --env DATABASE_URL=postgres://kpt@localhost/kpt --env REDIS_URL=redis://localhost \
    "$container" -- sh -euc '
        test "$(id -u)" = 10001
        test -w /srv/media
        test ! -w /app
        test -s locale/id/LC_MESSAGES/django.mo
        test -s staticfiles/staticfiles.json
        ! python -c "import polib" 2> /dev/null
        gunicorn --config deploy/gunicorn.py --check-config kpt.wsgi
        python manage.py check --deploy --fail-level WARNING
    '
echo "The image is built and its settings are sound."
