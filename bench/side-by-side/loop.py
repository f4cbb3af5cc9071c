# The operations of loop.c in Python, with its protocol: the module socket.

import socket
import struct
import sys
import time

SETTINGS = [
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, (60, 61)),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, (10, 11)),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, (5, 6)),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, (1, 1)),
]

listener = socket.create_server(("127.0.0.1", 0))
connection = socket.create_connection(listener.getsockname())


def set_options(count):
    setsockopt = connection.setsockopt
    for i in range(count):
        odd = i & 1
        for level, option, values in SETTINGS:
            setsockopt(level, option, values[odd])
    return 0


def get_options(count):
    getsockopt = connection.getsockopt
    total = 0
    for _ in range(count):
        for level, option, _values in SETTINGS:
            total += getsockopt(level, option)
    return total


# tcpi_probes at 3, tcpi_unacked at 24, tcpi_rtt at 68.
FIELDS = struct.Struct("=3xB20xI40xI")


def tcp_info(count):
    getsockopt = connection.getsockopt
    unpack = FIELDS.unpack_from
    total = 0
    for _ in range(count):
        # Larger than the TCP_INFO of any kernel.
        probes, unacked, rtt = unpack(getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 512))
        total += probes + unacked + rtt
    return total


OPERATIONS = {"set": set_options, "get": get_options, "tcpInfo": tcp_info}

for line in sys.stdin:
    name, count = line.split()
    start = time.process_time_ns()
    result = OPERATIONS[name](int(count))
    print(time.process_time_ns() - start, result, flush=True)
