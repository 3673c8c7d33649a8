"""What a script does: each tenant's token, catalogue and report, one after the
other, with Python's requests, counting accepted risks.

    requests_loop.py SECURE_SCORE_YML

Tells the CPU it took for each tenant. The configuration is what
`simulate --config-dir` writes.
"""

import pathlib
import resource
import sys

import requests
import yaml

file = pathlib.Path(sys.argv[1])
config = yaml.safe_load(file.read_text())
base = config["simulator"]["url"]
authority = str(file.parent / config["simulator"]["ca_file"])


def used():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


accepted = 0
before = used()
with requests.Session() as session:
    session.verify = authority
    session.trust_env = False
    for tenant in config["tenants"]:
        credential = tenant["credential"]
        secret = (file.parent / credential["client_secret_file"]).read_text().strip()
        form = {
            "grant_type": "client_credentials",
            "scope": f"{base}/.default",
            "client_id": credential["client_id"],
            "client_secret": secret,
        }
        token = session.post(f"{base}/{tenant['tenant_id']}/oauth2/v2.0/token", data=form)
        token.raise_for_status()
        header = {"Authorization": f"Bearer {token.json()['access_token']}"}
        url = f"{base}/v1.0/security/secureScoreControlProfiles?$top=200"
        while url:
            page = session.get(url, headers=header)
            page.raise_for_status()
            for profile in page.json()["value"]:
                states = [it["state"] for it in profile.get("controlStateUpdates") or []]
                accepted += bool(states) and states[-1] == "Ignored"
            url = page.json().get("@odata.nextLink")
        report = session.get(f"{base}/v1.0/security/secureScores?$top=1", headers=header)
        report.raise_for_status()
        assert report.json()["value"]
tenants = len(config["tenants"])
print(f"{tenants} tenants, {accepted} accepted risks, {(used() - before) / tenants * 1000:.2f} ms of CPU a tenant")
