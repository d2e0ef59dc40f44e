#!/usr/bin/env bash
# Builds the images of install/images/Dockerfile with buildah from prepared files, and writes an OCI archive for each image
# and platform: FOLDER/IMAGE-ARCH.tar. The same files make the same bytes: all times are SOURCE_DATE_EPOCH, or that of the last
# commit, which is REVISION.
set -euo pipefail
to=${1:?usage: build-images.sh FOLDER ROOTS}
roots=${2:?usage: build-images.sh FOLDER ROOTS}
repository=${IMAGE_REPOSITORY:-localhost}
cd "$(dirname "$0")/.."
version=$(sed -nE 's/^  "version": "(.*)",$/\1/p' package.json)
revision=${REVISION:-$(git rev-parse HEAD 2>/dev/null || echo unknown)}
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}

work=$(mktemp -d)
# Its own storage, so that nothing of the machine's is used or left behind.
store=(--root "$work/storage" --runroot "$work/run" --storage-driver vfs)
trap 'rm -rf "$work"' EXIT
mkdir -p "$to" "$work/empty"
to=$(cd "$to" && pwd)

declare -A descriptions=(
  [tetragon]="Node agent: runtime hooks and policies that are enforced in the kernel"
  [tetragon-operator]="Operator: custom resource definitions and PodInfo objects"
  [tetragon-rthooks]="Installs the runtime hook on a node, and the NRI plugin"
)

build() {
  local name=$1 arch=$2 label=org.opencontainers.image tag=$repository/$1:$version
  buildah "${store[@]}" build --quiet --isolation chroot --format oci --identity-label=false --omit-history \
    --timestamp "$epoch" --platform "linux/$arch" --build-context "roots=$roots" --target "$name" \
    --label "$label.title=$name" --label "$label.description=${descriptions[$name]}" \
    --label "$label.version=$version" --label "$label.revision=$revision" --label "$label.licenses=Apache-2.0" \
    --label "$label.base.name=scratch" \
    -f install/images/Dockerfile -t "$tag" "$work/empty" >/dev/null 2>"$work/log" || { cat "$work/log" >&2; return 1; }
  rm -rf "$work/layout"
  buildah "${store[@]}" push --quiet "$tag" "oci:$work/layout:$tag" 2>"$work/log" || { cat "$work/log" >&2; return 1; }
  # containerd takes the image's name from this annotation.
  sed -i "s#\"org.opencontainers.image.ref.name\"#\"io.containerd.image.name\":\"$tag\",&#" "$work/layout/index.json"
  tar -cf "$to/$name-$arch.tar" -C "$work/layout" --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner \
    --mode=u=rwX,go=rX blobs index.json oci-layout
  buildah "${store[@]}" rmi --all --force >/dev/null
  echo "built ${to##*/}/$name-$arch.tar"
}

# IMAGES and ARCHES: these alone.
for arch in ${ARCHES:-amd64 arm64}; do
  for name in ${IMAGES:-tetragon tetragon-operator tetragon-rthooks}; do build "$name" "$arch"; done
done
