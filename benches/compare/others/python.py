"""The series of an exposition in Python's prometheus_client, and its server.

    python.py FILE PORT
"""

import re
import sys
import time

from prometheus_client import CollectorRegistry, Gauge, start_http_server

SAMPLE = re.compile(r"([a-zA-Z_:]+)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'([a-zA-Z_]+)="((?:[^"\\]|\\.)*)"')

registry = CollectorRegistry()
families = {}
with open(sys.argv[1], encoding="utf-8") as lines:
    for line in lines:
        if line.startswith("#"):
            continue
        name, labels, value = SAMPLE.match(line.rstrip("\n")).groups()
        pairs = LABEL.findall(labels or "")
        names = tuple(key for key, _ in pairs)
        if name not in families:
            families[name] = (names, Gauge(name, name, names, registry=registry))
        known, family = families[name]
        assert known == names, line
        series = family.labels(*(value for _, value in pairs)) if pairs else family
        series.set(float(value))
start_http_server(int(sys.argv[2]), addr="127.0.0.1", registry=registry)
print("ready", flush=True)
while True:
    time.sleep(3600)
