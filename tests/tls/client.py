# SPDX-License-Identifier: Apache-2.0
# A client of Debian's python3-grpcio: one channel, and one call for each line of standard input (a method's name).
# Arguments: the address, and paths of the authority, the certificate and the key; "" for none.
import sys

import grpc

address, authority, certificate, key = sys.argv[1:5]


def read(path):
    return open(path, "rb").read() if path else None


credentials = grpc.ssl_channel_credentials(read(authority), read(key), read(certificate))
channel = grpc.secure_channel(address, credentials)
for line in sys.stdin:
    call = channel.unary_unary("/tetragon.FineGuidanceSensors/" + line.strip(), lambda x: x, lambda x: x)
    try:
        call(b"", timeout=20)
        print("OK", flush=True)
    except grpc.RpcError as error:
        print(error.code().name, flush=True)
