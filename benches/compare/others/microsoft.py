"""Microsoft's hosts for programs that talk to no others: a CONNECT proxy that ends
TLS itself, and refuses every other host.

    microsoft.py FOLDER

FOLDER is what `simulate --config-dir` wrote. The proxy writes its certificate
authority there (authority.pem), for SSL_CERT_FILE. Each answer of the simulator is
asked for once and kept, so that it is the same for all and costs the simulator
nothing while they are measured. The proxy prints its port, and then a line for each
request: the time, the bytes of the answer before compression, the address. What is
sent by OTLP is read and counted in the same way.
"""

import base64
import gzip
import http.server
import json
import pathlib
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import yaml

ENTRA = ("login.microsoftonline.com", "login.microsoft.com")
GRAPH = "graph.microsoft.com"
FOLDER = pathlib.Path(sys.argv[1])
CONFIG = yaml.safe_load((FOLDER / "secure-score.yml").read_text())
SIMULATOR = CONFIG["simulator"]["url"]
TENANTS = {tenant["tenant_id"]: tenant["credential"] for tenant in CONFIG["tenants"]}


def certified():
    """A certificate for the three hosts, of an authority made for this run."""
    hosts = ",".join(f"DNS:{host}" for host in (*ENTRA, GRAPH))
    new = ["openssl", "req", "-x509", "-noenc", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-days", "2"]
    authority = ["-subj", "/CN=Authority", "-keyout", "authority.key", "-out", "authority.pem"]
    extensions = ["-addext", f"subjectAltName={hosts}", "-addext", "basicConstraints=critical,CA:false"]
    host = ["-subj", f"/CN={GRAPH}", *extensions]
    signed = ["-CA", "authority.pem", "-CAkey", "authority.key", "-keyout", "host.key", "-out", "host.pem"]
    for command in ([*new, *authority], [*new, *host, *signed]):
        subprocess.run(command, cwd=FOLDER, check=True, stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(FOLDER / "host.pem", FOLDER / "host.key")
    return context


class Answers:
    """The simulator's answers, each asked for once."""

    def __init__(self):
        trust = ssl.create_default_context(cafile=FOLDER / CONFIG["simulator"]["ca_file"])
        https = urllib.request.HTTPSHandler(context=trust)
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), https)
        self.lock = threading.Lock()
        self.tokens, self.kept = {}, {}

    def asked(self, address, **request):
        try:
            with self.opener.open(urllib.request.Request(SIMULATOR + address, **request), timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read()

    def token(self, tenant):
        credential = TENANTS[tenant]
        form = {
            "grant_type": "client_credentials",
            "scope": f"{SIMULATOR}/.default",
            "client_id": credential["client_id"],
            "client_secret": (FOLDER / credential["client_secret_file"]).read_text().strip(),
        }
        data = urllib.parse.urlencode(form).encode()
        return json.loads(self.asked(f"/{tenant}/oauth2/v2.0/token", data=data)[1])["access_token"]

    def get(self, tenant, address):
        """The status, the body and the compressed body."""
        with self.lock:
            if (tenant, address) not in self.kept:
                if tenant not in self.tokens:
                    self.tokens[tenant] = self.token(tenant)
                headers = {"Authorization": f"Bearer {self.tokens[tenant]}"}
                status, body = self.asked(address, headers=headers)
                body = body.replace(SIMULATOR.encode(), f"https://{GRAPH}".encode())
                self.kept[tenant, address] = status, body, gzip.compress(body, 6)
            return self.kept[tenant, address]


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def token(tenant, client):
    now = int(time.time())
    claims = {"aud": f"https://{GRAPH}", "tid": tenant, "appid": client, "roles": ["SecurityEvents.Read.All"]}
    claims |= {"iat": now, "nbf": now, "exp": now + 3600}
    return f"{encoded({'typ': 'JWT', 'alg': 'RS256'})}.{encoded(claims)}.c2lnbmVk"


def tenant_of(bearer):
    claims = bearer.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["tid"]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    host = None

    def log_message(self, *_):
        pass

    def do_CONNECT(self):
        host = self.path.rsplit(":", 1)[0]
        if host not in (*ENTRA, GRAPH):
            self.counted(f"refused: {host}")
            self.answer(403)
            return
        self.send_response_only(200)
        self.end_headers()
        self.connection = CONTEXT.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb")
        self.host = host

    def do_GET(self):
        if self.host == GRAPH:
            tenant = tenant_of(self.headers["Authorization"])
            status, body, packed = ANSWERS.get(tenant, self.path)
            self.counted(self.path, len(body))
            self.answer(status, body, packed)
        elif self.host in ENTRA:
            tenant = next((tenant for tenant in TENANTS if tenant in self.path), "common")
            root = f"https://{ENTRA[0]}/{tenant}"
            self.reply(
                {
                    "tenant_discovery_endpoint": f"{root}/v2.0/.well-known/openid-configuration",
                    "metadata": [{"preferred_network": ENTRA[0], "preferred_cache": ENTRA[0], "aliases": ENTRA}],
                    "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
                    "token_endpoint": f"{root}/oauth2/v2.0/token",
                    "issuer": f"{root}/v2.0",
                }
            )
        else:
            self.answer(404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.host in ENTRA:
            tenant = self.path.split("/")[1]
            self.counted("token")
            client = urllib.parse.parse_qs(body.decode())["client_id"][0]
            self.reply({"token_type": "Bearer", "expires_in": 3599, "access_token": token(tenant, client)})
        elif self.host is None and self.path in ("/v1/metrics", "/v1/logs"):
            if self.headers["Content-Encoding"] == "gzip":
                body = gzip.decompress(body)
            self.counted(f"{self.path} {'with' if b'secure_score.current' in body else 'without'} a score")
            self.answer(200)
        else:
            self.answer(404)

    def counted(self, address, size=0):
        sys.stdout.write(f"{time.monotonic():.4f}\t{size}\t{address}\n")
        sys.stdout.flush()

    def reply(self, value):
        body = json.dumps(value).encode()
        self.answer(200, body, gzip.compress(body))

    def answer(self, status, body=b"", packed=None):
        self.send_response(status)
        if packed and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = packed
            self.send_header("Content-Encoding", "gzip")
        if self.host:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


CONTEXT = certified()
ANSWERS = Answers()
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
