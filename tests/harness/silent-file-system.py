# SPDX-License-Identifier: Apache-2.0
# Mounts a FUSE file system that never answers, as an NFS server that is gone. It ends with its standard input.
import ctypes
import os
import sys

fd = os.open("/dev/fuse", os.O_RDWR)
libc = ctypes.CDLL(None, use_errno=True)
options = f"fd={fd},rootmode=40000,user_id=0,group_id=0"
if libc.mount(b"none", sys.argv[1].encode(), b"fuse", 0, options.encode()) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
print("mounted", flush=True)
sys.stdin.read()
