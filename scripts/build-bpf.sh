#!/usr/bin/env bash
# Compiles each bpf/NAME.bpf.c into FOLDER/NAME.o, one object for all processors: the programs read no registers.
set -euo pipefail
to=${1:?usage: build-bpf.sh FOLDER}
fail() { echo "build-bpf: $*" >&2; exit 1; }
for tool in clang llvm-objcopy; do
  command -v $tool >/dev/null || fail "$tool is missing: apt-get install clang llvm libbpf-dev"
done
echo '#include <bpf/bpf_helpers.h>' | clang -include linux/types.h -I"/usr/include/$(uname -m)-linux-gnu" -target bpf -fsyntax-only -xc - 2>/dev/null \
  || fail "bpf/bpf_helpers.h is missing: apt-get install libbpf-dev linux-libc-dev"
mkdir -p "$to"
for source in bpf/*.bpf.c; do
  object=$to/$(basename "$source" .bpf.c).o
  # Version 3 of the instruction set: Linux 5.12 for its atomic operations. -g for the types of maps and constants; the
  # rest of what it writes is for debuggers.
  clang -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter \
    -I"/usr/include/$(uname -m)-linux-gnu" -ffile-prefix-map="$PWD"=. -c "$source" -o "$object.new"
  llvm-objcopy --strip-debug --remove-section=.BTF.ext --remove-section=.rel.BTF.ext --remove-section=.llvm_addrsig \
    --discard-all "$object.new"
  mv "$object.new" "$object"
  echo "built $object"
done
