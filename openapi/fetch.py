"""Prints the description of the REST interface of a server, once the server is ready: fetch.py URL."""

import sys
import time
import urllib.error
import urllib.request

DEADLINE_S = 60


def read(url):
    with urllib.request.urlopen(url, timeout=DEADLINE_S) as response:
        return response.read()


def wait_until_ready(server):
    deadline = time.monotonic() + DEADLINE_S
    while True:
        try:
            return read(f"{server}/readyz")
        except urllib.error.HTTPError as error:
            if time.monotonic() > deadline:
                sys.exit(f"not ready in {DEADLINE_S} s: {error.read().decode()}")
        time.sleep(0.1)


wait_until_ready(sys.argv[1])
sys.stdout.buffer.write(read(f"{sys.argv[1]}/openapi.json"))
