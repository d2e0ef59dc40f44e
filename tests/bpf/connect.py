# SPDX-License-Identifier: Apache-2.0
# connect.py (HOW ADDRESS PORT)...: for each one line, "passed" if the call got as far as the network, else its error.
import errno
import socket
import sys

kinds = {"tcp": (socket.SOCK_STREAM, 0), "fastopen": (socket.SOCK_STREAM, 0), "mptcp": (socket.SOCK_STREAM, 262)}
MSG_FASTOPEN = 0x20000000


def attempt(how, address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family, *kinds.get(how, (socket.SOCK_DGRAM, 0)))
    try:
        if how == "sendto":
            s.sendto(b"x", (address, port))
        elif how == "fastopen":
            s.sendto(b"x", MSG_FASTOPEN, (address, port))
        else:
            s.connect((address, port))
    except OSError as error:
        return "passed" if error.errno == errno.ECONNREFUSED else errno.errorcode[error.errno]
    return "passed"


words = sys.argv[1:]
for at in range(0, len(words), 3):
    print(attempt(words[at], words[at + 1], int(words[at + 2])))
