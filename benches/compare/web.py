"""Requests to servers of this machine, whatever proxy the environment names."""

import urllib.request

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def answered(url, patience, **request):
    """The encoding of an answer, and its bytes as sent."""
    with OPENER.open(urllib.request.Request(url, **request), timeout=patience) as answer:
        return answer.headers["Content-Encoding"], answer.read()


def asked(url, patience, **request):
    return answered(url, patience, **request)[1]
