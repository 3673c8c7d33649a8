"""Reads the simulated Microsoft Graph with Microsoft's own clients.

usage: read.py PROGRAM

Starts PROGRAM simulate, signs in with azure-identity (blocking and asynchronous)
and MSAL, with a secret and a certificate, reads the scores and both pages of the
catalogue with msgraph-sdk, and compares them with what PROGRAM collect exports.
Prints each step, and fails on a difference.
"""

import asyncio
import base64
import datetime
import json
import os
import pathlib
import re
import ssl
import subprocess
import sys
import tempfile
import urllib.request

import httpx
import msal
from azure.identity import CertificateCredential, ClientSecretCredential
from azure.identity import aio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from kiota_abstractions.api_error import APIError
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_authentication_azure.azure_identity_authentication_provider import (
    AzureIdentityAuthenticationProvider,
)
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.security.secure_score_control_profiles.secure_score_control_profiles_request_builder import (
    SecureScoreControlProfilesRequestBuilder,
)
from msgraph.generated.security.secure_scores.secure_scores_request_builder import (
    SecureScoresRequestBuilder,
)
from msgraph_core import GraphClientFactory

SCOPE = "https://graph.microsoft.com/.default"
READ_ROLE = "SecurityEvents.Read.All"

# The administrator of the simulated tenant accepts this risk before the clients read.
ACCEPTED = "UserRiskPolicy"


def say(text):
    print(f"  {text}", flush=True)


def equal(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: {found!r} instead of {expected!r}")


class Simulator:
    """A running `simulate`, which a `with` statement stops."""

    def __init__(self, program, directory):
        self.directory = pathlib.Path(directory)
        any_port = "127.0.0.1:0"
        arguments = ["--tenants=1", "--quiet", "--log.level=error"]
        arguments += [f"--listen-address={any_port}"]
        arguments += [f"--control.listen-address={any_port}", f"--config-dir={directory}"]
        self.process = subprocess.Popen(
            [program, "simulate", *arguments], stdout=subprocess.PIPE, text=True
        )
        self.url = self._address()
        self.control = self._address()
        # The configuration is written before the addresses are printed.
        self.config = self.directory / "secure-score.yml"
        self.ca = self.directory / "simulator-ca.pem"

    def _address(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit("simulate did not start")
        return line.split()[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def request(self, path, body=None):
        """A request of the control API."""
        with urllib.request.urlopen(self.control + path, body) as response:
            return json.load(response)


def certificate(path):
    """Writes a key and its certificate; returns the certificate as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "watcher")])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(hours=1))
    builder = builder.not_valid_after(now + datetime.timedelta(days=2))
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + pem)
    return pem


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def check_token(client, token, tenant):
    found = claims(token)
    equal(f"{client}: tenant", found["tid"], tenant["entra_id"])
    equal(f"{client}: application", found["appid"], tenant["client_id"])
    equal(f"{client}: roles", found["roles"], [READ_ROLE])
    say(f"{client}: signed in")


def credentials(kinds, simulator, tenant, pem):
    """The credentials of azure-identity, by what they prove."""
    secret, by_certificate = kinds
    settings = {
        "authority": simulator.url,
        "connection_verify": str(simulator.ca),
        "disable_instance_discovery": True,
    }
    who = (tenant["entra_id"], tenant["client_id"])
    return {
        "secret": secret(*who, tenant["client_secret"], **settings),
        "certificate": by_certificate(*who, str(pem), **settings),
    }


def sign_in_blocking(simulator, tenant, pem):
    kinds = (ClientSecretCredential, CertificateCredential)
    for proof, credential in credentials(kinds, simulator, tenant, pem).items():
        token = credential.get_token(SCOPE).token
        check_token(f"azure-identity, blocking, {proof}", token, tenant)


def sign_in_with_msal(simulator, tenant, pem):
    text = pem.read_text()
    sha1 = x509.load_pem_x509_certificate(pem.read_bytes()).fingerprint(hashes.SHA1())
    proofs = {
        "secret": tenant["client_secret"],
        "certificate, SHA-1 and RS256": {"private_key": text, "thumbprint": sha1.hex()},
        "certificate, SHA-256 and PS256": {"private_key": text, "public_certificate": text},
    }
    for proof, value in proofs.items():
        application = msal.ConfidentialClientApplication(
            tenant["client_id"],
            client_credential=value,
            authority=f"{simulator.url}/{tenant['domain']}",
            instance_discovery=False,
            verify=str(simulator.ca),
        )
        answer = application.acquire_token_for_client([SCOPE])
        if "access_token" not in answer:
            sys.exit(f"MSAL, {proof}: {answer}")
        check_token(f"MSAL, {proof}", answer["access_token"], tenant)
    wrong = msal.ConfidentialClientApplication(
        tenant["client_id"],
        client_credential="wrong",
        authority=f"{simulator.url}/{tenant['entra_id']}",
        instance_discovery=False,
        verify=str(simulator.ca),
    )
    answer = wrong.acquire_token_for_client([SCOPE])
    equal("MSAL, wrong secret", answer["error_codes"], [7000215])
    say("MSAL, wrong secret: AADSTS7000215")


def graph_client(simulator, credential):
    trusted = ssl.create_default_context(cafile=str(simulator.ca))
    http = GraphClientFactory.create_with_default_middleware(
        client=httpx.AsyncClient(verify=trusted, http2=True)
    )
    provider = AzureIdentityAuthenticationProvider(
        credential, scopes=[SCOPE], allowed_hosts=["127.0.0.1"]
    )
    adapter = GraphRequestAdapter(provider, http)
    # With the slash, the client requests /v1.0//security/secureScores.
    adapter.base_url = f"{simulator.url}/v1.0/"
    return GraphServiceClient(request_adapter=adapter)


def query(builder, **options):
    """The configuration of a request with these options of OData."""
    parameters = getattr(builder, f"{builder.__name__}GetQueryParameters")(**options)
    return RequestConfiguration(query_parameters=parameters)


async def read_catalogue(security):
    """All pages of the catalogue."""
    profiles = security.secure_score_control_profiles
    page = await profiles.get(query(SecureScoreControlProfilesRequestBuilder, count=True))
    count, pages, found = page.odata_count, 0, []
    while page:
        pages += 1
        found += page.value
        link = page.odata_next_link
        page = await profiles.with_url(link).get() if link else None
    equal("pages of the catalogue", pages, 2)
    equal("@odata.count", count, len(found))
    say(f"read {len(found)} controls on {pages} pages")
    return found


async def read_parts(security, catalogue, newest):
    """The documented filters, and single elements."""
    profiles = security.secure_score_control_profiles

    async def ids(text):
        page = await profiles.get(query(SecureScoreControlProfilesRequestBuilder, filter=text))
        return [profile.id for profile in page.value]

    identity = [it.id for it in catalogue if it.control_category == "Identity"]
    equal("controls of Identity", await ids("controlCategory eq 'Identity'"), identity)
    equal("the filter of an id", await ids(f"id eq '{ACCEPTED}'"), [ACCEPTED])
    single = await profiles.by_secure_score_control_profile_id(ACCEPTED).get()
    equal("the control by its id", single.control_state_updates[-1].state, "Ignored")
    report = await security.secure_scores.by_secure_score_id(newest.id).get()
    equal("the report by its id", report.current_score, newest.current_score)
    say(f"filtered {len(identity)} controls of Identity, and read single elements")
    for what, request in {
        "an unsupported filter": ids("rank gt 3"),
        "an unknown control": profiles.by_secure_score_control_profile_id("Nonsense").get(),
    }.items():
        try:
            await request
            sys.exit(f"{what}: no error")
        except APIError as error:
            code = error.error.code
            say(f"{what}: {error.response_status_code} {code}")


async def read(security):
    """The newest report and the catalogue."""
    page = await security.secure_scores.get(query(SecureScoresRequestBuilder, top=1))
    equal("reports of $top=1", len(page.value), 1)
    newest = page.value[0]
    everything = await security.secure_scores.get()
    equal("the first of all reports", everything.value[0].id, newest.id)
    say(f"read {len(everything.value)} reports, the newest with {newest.current_score} points")
    catalogue = await read_catalogue(security)
    await read_parts(security, catalogue, newest)
    return newest, catalogue


def state(profile):
    dated = [it for it in profile.control_state_updates if it.updated_date_time]
    return max(dated, key=lambda it: it.updated_date_time).state if dated else "Default"


def expected_samples(newest, catalogue):
    """The samples that follow from what msgraph-sdk read."""
    samples = {
        "secure_score_tenant_score": newest.current_score,
        "secure_score_tenant_max_score": newest.max_score,
        "secure_score_report_timestamp_seconds": newest.created_date_time.timestamp(),
    }
    for score in newest.control_scores:
        samples["secure_score_control_score", score.control_name] = score.score
    for profile in catalogue:
        accepted = float(state(profile) == "Ignored")
        samples["secure_score_control_risk_accepted", profile.id] = accepted
    return samples


def exported_samples(program, simulator, families):
    """The samples of the same families that the exporter exports."""
    command = [program, "collect", "--config.file", simulator.config]
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    samples = {}
    for line in text.splitlines():
        name, labels, value = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)|#.*", line).groups()
        if name in families:
            control = re.search(r'control="([^"]*)"', labels)
            samples[(name, control[1]) if control else name] = float(value)
    return samples


async def read_asynchronously(program, simulator, tenant, pem):
    kinds = (aio.ClientSecretCredential, aio.CertificateCredential)
    for proof, credential in credentials(kinds, simulator, tenant, pem).items():
        async with credential:
            token = await credential.get_token(SCOPE)
            check_token(f"azure-identity, asynchronous, {proof}", token.token, tenant)
            newest, catalogue = await read(graph_client(simulator, credential).security)
        expected = expected_samples(newest, catalogue)
        families = {it if isinstance(it, str) else it[0] for it in expected}
        exported = exported_samples(program, simulator, families)
        different = {
            it: (exported.get(it), expected.get(it))
            for it in exported.keys() | expected.keys()
            if exported.get(it) != expected.get(it)
        }
        equal("samples, exported and expected", different, {})
        accepted = sum(1 for it, value in expected.items() if "risk_accepted" in it[0] and value)
        equal("accepted risks, at least", accepted > 0, True)
        say(f"the exporter exports the same {len(expected)} samples, {accepted} accepted risks")


def forget_environment():
    """The clients shall use no proxy, and no authorities but the given one."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.endswith("_CA_BUNDLE"):
            del os.environ[name]


def main():
    program = sys.argv[1]
    forget_environment()
    with tempfile.TemporaryDirectory() as directory, Simulator(program, directory) as simulator:
        [tenant] = simulator.request("/tenants")
        pem = simulator.directory / "watcher.pem"
        simulator.request("/certificates", certificate(pem))
        body = json.dumps({"by": "ann", "comment": "pilot"}).encode()
        simulator.request(f"/tenants/{tenant['name']}/controls/{ACCEPTED}/accept", body)
        sign_in_blocking(simulator, tenant, pem)
        sign_in_with_msal(simulator, tenant, pem)
        asyncio.run(read_asynchronously(program, simulator, tenant, pem))


main()
