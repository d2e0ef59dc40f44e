#!/usr/bin/env bash
# Writes the files of each image into FOLDER/ARCH/IMAGE: a program with the C library that it runs on, CA certificates and
# user names, and nothing else. ARCH is as in OCI's platforms.
set -euo pipefail
to=${1:?usage: image-roots.sh FOLDER PACKAGES}
from=${2:?usage: image-roots.sh FOLDER PACKAGES}
cd "$(dirname "$0")/.."

# Image, and its programs.
images=(
  "tetragon tetragon"
  "tetragon-operator tetragon-operator"
  "tetragon-rthooks tetragon-oci-hook-setup tetragon-oci-hook tetragon-nri-hook"
)
# Platform, folder of the programs, folder of the libraries, and the loader's path, which the programs name.
platforms=(
  "amd64 dist/x64-baseline x86_64-linux-gnu lib64/ld-linux-x86-64.so.2"
  "arm64 dist/arm64 aarch64-linux-gnu lib/ld-linux-aarch64.so.1"
)
# All that a compiled Bun program is linked to.
libraries=(libc.so.6 libm.so.6 libpthread.so.0 libdl.so.2)

write_root() {
  local root=$1 packages=$2 programs=$3 triplet=$4 loader=$5 lib name
  rm -rf "$root"
  mkdir -p "$root"/{usr/bin,usr/lib/"$triplet","${loader%/*}",etc/ssl/certs,etc/tetragon,var/lib/dpkg/status.d,tmp,run}
  chmod 1777 "$root/tmp"
  lib=usr/lib/$triplet
  for name in "${libraries[@]}" "${loader##*/}"; do install -m 0755 "$packages/root/lib/$triplet/$name" "$root/$lib/$name"; done
  ln -sr "$root/$lib/${loader##*/}" "$root/$loader"
  # As update-ca-certificates(8) does; the order of the files is that of their names.
  find "$packages/root/usr/share/ca-certificates" -name '*.crt' | LC_ALL=C sort | xargs cat >"$root/etc/ssl/certs/ca-certificates.crt"
  printf 'root:x:0:0:root:/:/\nnobody:x:65534:65534:nobody:/:/\nnonroot:x:65532:65532:nonroot:/:/\n' >"$root/etc/passwd"
  printf 'root:x:0:\nnogroup:x:65534:\nnonroot:x:65532:\n' >"$root/etc/group"
  printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
  for name in $(cd "$packages/control" && ls); do
    install -D -m 0644 "$packages/control/$name" "$root/var/lib/dpkg/status.d/$name"
    install -D -m 0644 "$packages/root/usr/share/doc/$name/copyright" "$root/usr/share/doc/$name/copyright"
  done
  install -D -m 0644 LICENSE "$root/usr/share/doc/tetragon-rthooks/LICENSE"
  for name in $programs; do install -m 0755 "$dist/$name" "$root/usr/bin/$name"; done
}

for platform in "${platforms[@]}"; do
  read -r arch dist triplet loader <<<"$platform"
  for image in "${images[@]}"; do
    read -r name programs <<<"$image"
    write_root "$to/$arch/$name" "$from/$arch" "$programs" "$triplet" "$loader"
  done
done
