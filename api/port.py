"""The port that the service listens on: opened, named, and closed to newcomers."""

import ctypes
import socket
import struct
import sys

from classifier import ClassifierError

_SO_ATTACH_FILTER = 26  # of Linux; Python does not name it


def listen(host: str, port: int) -> socket.socket:
    """Open a port.

    Parameters
    ----------
    host, port
        Where; port 0 takes any free one.

    Raises
    ------
    ClassifierError
        If it cannot be listened on.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        opened = socket.create_server((host, port), family=family, backlog=1_024)
    except OSError as error:
        raise ClassifierError(f"{host}:{port}: cannot listen there ({error.strerror})") from error
    opened.setblocking(False)
    return opened


def address_of(opened: socket.socket) -> str:
    """Return the address of an open port."""
    host, port = opened.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def refuse_new(opened: socket.socket) -> None:
    """Let an open port make no new connections, while those that are made can still be taken.

    To close it at once would take back connections that were made and wait, and their requests.
    """
    if not sys.platform.startswith("linux"):
        opened.listen(0)
        return
    # a filter of packets: those with the flag SYN, which ask for a connection, are dropped
    program = ((0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0x40000))
    packed = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    how = struct.pack("HL", len(program), ctypes.addressof(packed))
    opened.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, how)
