# SPDX-License-Identifier: Apache-2.0
"""A gRPC server on gRPC's C core, without generated code: c-core-server.py <socket path>

Prints "ready" once it listens. Methods of service wire.Echo, bytes in and bytes out:
  Echo    answers with the request
  Size    answers with as many bytes as the request says in decimal
  Fail    ends with the status that the request says: "<code> <message>"
  Slow    answers when the call is over, which is too late
  Linger  prints "lingering", and echoes once released
The first line on stdin begins a graceful stop, and the second releases what lingers; so does the end of stdin.
"""

import sys
import threading
from concurrent import futures

import grpc

CODES = {code.value[0]: code for code in grpc.StatusCode}
released = threading.Event()


def echo(request, _context):
    return request


def size(request, _context):
    return b"x" * int(request)


def fail(request, context):
    code, _, message = request.decode().partition(" ")
    context.abort(CODES[int(code)], message)


def slow(_request, context):
    done = threading.Event()
    if context.add_callback(done.set):
        done.wait()
    return b""


def linger(request, _context):
    print("lingering", flush=True)
    released.wait()
    return request


METHODS = {"Echo": echo, "Size": size, "Fail": fail, "Slow": slow, "Linger": linger}

server = grpc.server(
    futures.ThreadPoolExecutor(max_workers=8),
    options=[("grpc.max_receive_message_length", -1)],
)
handlers = {name: grpc.unary_unary_rpc_method_handler(method) for name, method in METHODS.items()}
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("wire.Echo", handlers),))
server.add_insecure_port("unix:" + sys.argv[1])
server.start()
print("ready", flush=True)
sys.stdin.readline()
stopped = server.stop(grace=10)
sys.stdin.readline()
released.set()
stopped.wait()
