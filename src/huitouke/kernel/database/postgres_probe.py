"""Whether a PostgreSQL server really answers: a `select 1` over its Unix socket, spoken by hand.

A living process or an existing socket file proves nothing; only an answered query does. Written against the wire
protocol 3.0 so that it works without an event loop, inside one, and before anything else is set up.
Protocol: postgresql.org/docs/current/protocol-message-formats.html
"""

import socket
import struct
from pathlib import Path

PROTOCOL_3_0 = 196608
LONGEST_MESSAGE_BYTES = 64 * 1024


def answers(socket_file: Path, user: str = "postgres", database: str = "postgres", timeout_seconds: float = 2) -> bool:
    """True when the server behind this socket answered `select 1` with a row within the time."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout_seconds)
            connection.connect(str(socket_file))
            connection.sendall(_startup(user, database))
            if not _wait_for(connection, b"Z"):
                return False
            connection.sendall(_message(b"Q", b"select 1\0"))
            answered = _wait_for(connection, b"D")
            connection.sendall(_message(b"X", b""))
            return answered
    except (OSError, struct.error):
        return False


def _startup(user: str, database: str) -> bytes:
    settings = f"user\0{user}\0database\0{database}\0application_name\0huitouke launcher\0\0".encode()
    return struct.pack("!ii", len(settings) + 8, PROTOCOL_3_0) + settings


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _wait_for(connection: socket.socket, wanted: bytes) -> bool:
    """Reads messages up to one of the wanted kind; False at an error (E) or at the end of the connection."""
    while True:
        kind = _read(connection, 1)
        if not kind:
            return False
        (length,) = struct.unpack("!i", _read(connection, 4))
        if not 4 <= length <= LONGEST_MESSAGE_BYTES:
            return False
        _read(connection, length - 4)
        if kind == wanted:
            return True
        if kind == b"E":
            return False


def _read(connection: socket.socket, wanted_bytes: int) -> bytes:
    received = b""
    while len(received) < wanted_bytes:
        part = connection.recv(wanted_bytes - len(received))
        if not part:
            break
        received += part
    return received
