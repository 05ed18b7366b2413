"""Becomes the command in its arguments, in a fresh network namespace, which begins with its loopback interface down."""

import fcntl
import os
import socket
import struct
import sys

GET_FLAGS, SET_FLAGS, UP = 0x8913, 0x8914, 1

# As `ip link set lo up` does.
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
    flags = struct.unpack("16sh14x", fcntl.ioctl(control, GET_FLAGS, struct.pack("16sh14x", b"lo", 0)))[1]
    fcntl.ioctl(control, SET_FLAGS, struct.pack("16sh14x", b"lo", flags | UP))
os.environ["INTEROP_ALONE"] = "yes"
os.execvp(sys.argv[1], sys.argv[1:])
