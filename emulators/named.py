"""Starts moto's server behind TLS, under a name that only the name server next to it knows.

For what runs where nothing but a name and a certificate leads to AWS. Its argument is a folder, in
which it writes `resolv.conf`, to be used as that, and `authority.pem`, who signed its certificate.
It writes its URL to standard output when it answers, and ends with its standard input. The name
server needs port 53, since a resolv.conf can name no other.
"""

import datetime
import os
import pathlib
import random
import socket
import struct
import sys
import threading
import time

# This file must not be found as a package.
sys.path.pop(0)

from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402
from cryptography.x509.oid import NameOID  # noqa: E402
from moto.server import main  # noqa: E402

NAME = "aws.worldbus.test"
TYPE_A = 1
NO_SUCH_NAME = 3


def sign(name, key, issuer, issuer_key, *extensions):
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(issuer)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - day).not_valid_after(now + day)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def write_certificates(folder):
    common = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])  # noqa: E731
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    constraints = x509.BasicConstraints(ca=True, path_length=0)
    names = x509.SubjectAlternativeName([x509.DNSName(NAME)])
    authority = common("An authority for tests")
    pem = serialization.Encoding.PEM
    signed = sign(authority, authority_key, authority, authority_key, constraints)
    (folder / "authority.pem").write_bytes(signed.public_bytes(pem))
    signed = sign(common(NAME), key, authority, authority_key, names)
    (folder / "server.pem").write_bytes(signed.public_bytes(pem))
    plain, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "server.key").write_bytes(key.private_bytes(pem, plain, none))


def answer(query):
    """The answer to one question of RFC 1035: 127.0.0.1 for the name, for others that there is no such name."""
    end = query.index(b"\0", 12) + 5
    question = query[12:end]
    wanted = b"".join(bytes([len(part)]) + part.encode() for part in NAME.split(".")) + b"\0"
    known = question[:-4].lower() == wanted
    (kind,) = struct.unpack("!H", question[-4:-2])
    found = known and kind == TYPE_A
    flags = 0x8580 | (0 if known else NO_SUCH_NAME)
    head = query[:2] + struct.pack("!HHHHH", flags, 1, int(found), 0, 0)
    record = struct.pack("!HHHIH", 0xC00C, TYPE_A, 1, 0, 4) + socket.inet_aton("127.0.0.1")
    return head + question + (record if found else b"")


def serve_names(server):
    while True:
        query, peer = server.recvfrom(512)
        server.sendto(answer(query), peer)


def tell_when_it_answers(port):
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.02)
    print(f"https://{NAME}:{port}", flush=True)


def end_with_input():
    sys.stdin.buffer.read()
    os._exit(0)


folder = pathlib.Path(sys.argv[1])
write_certificates(folder)
address = f"127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(1, 254)}"
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((address, 53))
(folder / "resolv.conf").write_text(f"nameserver {address}\n")
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
for task in [(serve_names, server), (tell_when_it_answers, port), (end_with_input,)]:
    threading.Thread(target=task[0], args=task[1:], daemon=True).start()
certificate, key = str(folder / "server.pem"), str(folder / "server.key")
main(["-H", "127.0.0.1", "-p", str(port), "-s", "-c", certificate, "-k", key])
