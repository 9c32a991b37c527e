"""A server on loopback with scripted responses, with or without TLS."""

import datetime as dt
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Reply = Callable[[socket.socket], None]
"""Acts on the connection that a request arrived on."""


class HangUp(Exception):
    """Raised to close the connection."""


def answer(status=200, body=b"{}", *headers):
    lines = [f"HTTP/1.1 {status} Whatever", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def replies(status=200, body=b"{}", *headers):
    return lambda connection: connection.sendall(answer(status, body, *headers))


def hangs_up(connection):
    raise HangUp


def breaks_off(connection):
    connection.sendall(answer(200, b'{"Item": {}}')[:-4])
    raise HangUp


def babbles(connection):
    connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
    raise HangUp


def is_slow(seconds):
    def reply(connection):
        time.sleep(seconds)
        with suppress(OSError):
            connection.sendall(answer())

    return reply


def trickles(connection):
    """Send a byte at a time: each arrives within the timeout, but the response never ends."""
    with suppress(OSError):
        for byte in answer() * 10:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)
    raise HangUp


class Stub:
    """The server.

    Attributes:
        plan: the replies to the next requests; the usual one follows.
        requests: the requests received, head and body.
        connections: the number of connections accepted.
        most_at_once: the highest number of concurrent requests.
    """

    def __init__(self, certificate=None, usual=None, address=("127.0.0.1", 0)):
        self.plan = deque()
        self.requests = []
        self.connections = 0
        self.most_at_once = 0
        self.usual = usual or replies()
        self._under_way = 0
        self._open = set()
        self._mute = set()
        self._lock = threading.Lock()
        self._tls = None
        if certificate:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate)
        self._listener = socket.create_server(address, backlog=256)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # If it were only closed, it would still accept the next connection.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.end_connections()

    def end_connections(self):
        """Close all connections, as a server closes idle connections, or connections of a frozen
        Lambda function."""
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        time.sleep(0.05)

    def fall_silent(self):
        """Send no more responses on the open connections."""
        with self._lock:
            self._mute |= self._open

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with suppress(OSError, HangUp):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with self._lock:
                self.connections += 1
                self._open.add(connection)
            reader = connection.makefile("rb")
            while request := _request(reader):
                if connection in self._mute:
                    continue
                with self._lock:
                    self.requests.append(request)
                    self._under_way += 1
                    self.most_at_once = max(self.most_at_once, self._under_way)
                    reply = self.plan.popleft() if self.plan else self.usual
                try:
                    reply(connection)
                finally:
                    with self._lock:
                        self._under_way -= 1
        with self._lock:
            self._open.discard(connection)
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()


def _request(reader):
    head = b""
    while line := reader.readline():
        head += line
        if line == b"\r\n":
            lengths = [
                int(one.partition(b":")[2])
                for one in head.splitlines()
                if one.lower().startswith(b"content-length:")
            ]
            return head + reader.read(sum(lengths))
    return b""


class Authority:
    """A certificate authority for tests."""

    def __init__(self, folder):
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "The tests' authority")])
        self.path = folder / "authority.pem"
        own = self._signed(self._name, self._key.public_key(), [(_IS_AUTHORITY, True)])
        self.path.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def context(self, host=""):
        """Return an SSL context that trusts this authority."""
        return ssl.create_default_context(cafile=self.path)

    def certificate(self, *names):
        """Issue a certificate for hostnames and addresses; return the file with the key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subjects = [
            x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
            for name in names
        ]
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        issued = self._signed(
            name, key.public_key(), [(x509.SubjectAlternativeName(subjects), False)]
        )
        path = self._folder / f"{names[0]}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + issued.public_bytes(serialization.Encoding.PEM)
        )
        return path

    def _signed(self, subject, key, extensions):
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(self._key, hashes.SHA256())


_IS_AUTHORITY = x509.BasicConstraints(ca=True, path_length=None)
