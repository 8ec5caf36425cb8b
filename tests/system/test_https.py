#!/usr/bin/env python3
"""ota-server behind TLS: who is answered, who is refused, and what the log says. usage: test_https.py FOLDER-OF-PROGRAMS"""
import base64, hashlib, http.client, json, os, re, shutil, signal, socket, ssl, subprocess, sys, tempfile, unittest, urllib.parse, warnings

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools/story"))
from certificates import Authority  # noqa: E402
from system import Api, Program, until  # noqa: E402

PROGRAMS = sys.argv.pop(1)
CONFIG = """listen = "%s"
single-person = true
"""
TLS = """tls-certificate-file = "%s.crt"
tls-key-file = "%s.key"
tls-ca-file = "%s"
"""
FORM = "application/x-www-form-urlencoded"


def octets(certificate):
    with open(certificate + ".crt") as file:
        return ssl.PEM_cert_to_DER_cert(file.read())


def told(certificate):
    """Client-Cert, as a gateway says it [RFC 9440 section 2.1]."""
    return ":" + base64.b64encode(octets(certificate)).decode() + ":"


def grant(key, **more):
    return urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": key,
                                   "scope": "connectivity-management:cards:read", **more})


class Https(unittest.TestCase):
    def setUp(self):
        self.folder, self.program = tempfile.mkdtemp(), None
        self.addCleanup(shutil.rmtree, self.folder)
        self.addCleanup(self.stop)
        self.data = os.path.join(self.folder, "data")
        self.authority = Authority(self.folder)
        self.server = self.authority.issue("server")
        self.assertEqual(self.tool("init", "--data", self.data).returncode, 0)

    def tool(self, *arguments):
        return subprocess.run([os.path.join(PROGRAMS, "ota-server"), *arguments], capture_output=True, text=True)

    def config(self, text):
        path = os.path.join(self.folder, "server.conf")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        return path

    def start(self, more=""):
        config = self.config(CONFIG % "127.0.0.1:0" + TLS % (self.server, self.server, self.authority.file) + more)
        self.program = Program("ota-server", [os.path.join(PROGRAMS, "ota-server"), "--data", self.data, "--config", config],
                               self.folder)
        self.host, port = self.program.ready["http"].rsplit(":", 1)
        self.port = int(port)

    def stop(self):
        if self.program:
            code = self.program.stop()
            self.program.log.close()
            self.program.process.stdout.close()
            self.assertEqual(code, 0)

    def context(self, certificate=None):
        context = ssl.create_default_context(cafile=self.authority.file)
        if certificate:
            context.load_cert_chain(certificate + ".crt", certificate + ".key")
        return context

    def ask(self, method, path, body=None, context=None, **headers):
        connection = http.client.HTTPSConnection(self.host, self.port, timeout=20, context=context or self.context())
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer, text

    def otactl(self, lines, *arguments):
        path = os.path.join(self.folder, "credentials")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(f"url=https://{self.host}:{self.port}\nca={self.authority.file}\n" + lines)
        return subprocess.run([os.path.join(PROGRAMS, "otactl"), *arguments], capture_output=True, text=True,
                              env={**os.environ, "OTARIA_CREDENTIALS": path})

    def logged(self, pattern):
        def look():
            with open(os.path.join(self.folder, "ota-server.log")) as file:
                return re.search(pattern, file.read())
        until(pattern, 20, look, 0.02)

    def test_requests_travel_through_tls_and_nothing_else(self):
        self.start()
        answer, _ = self.ask("GET", "/healthz")
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.getheader("Strict-Transport-Security").startswith("max-age="))
        answer, text = self.ask("GET", "/.well-known/openid-configuration")
        self.assertIn(f'"issuer":"https://127.0.0.1:{self.port}"', text)
        large = b"x" * 60000  # several records
        answer, _ = self.ask("POST", "/connectivity-management/v1/batch-imports", large, **{"Content-Type": "text/plain"})
        self.assertEqual(answer.status, 401)

        old = self.context()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1
        old.set_ciphers("ALL:@SECLEVEL=0")
        with self.assertRaises((ssl.SSLError, OSError)):
            self.ask("GET", "/healthz", context=old)
        self.logged(r'http.tls_refused peer=127.0.0.1:\d+ reason="no TLS 1.2 or 1.3')
        with socket.create_connection((self.host, self.port), 20) as plain:
            plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertNotIn(b"HTTP/", plain.recv(100))

    def served(self):
        """The certificate that a new connection is shown."""
        with socket.create_connection((self.host, self.port), 20) as plain:
            with self.context().wrap_socket(plain, server_hostname=self.host) as tls:
                return tls.getpeercert(True)

    def hang_up(self):
        self.program.process.send_signal(signal.SIGHUP)

    def test_a_renewed_certificate_is_served_without_a_restart(self):
        self.start()
        first = octets(self.server)
        self.assertEqual(self.served(), first)
        connection = http.client.HTTPSConnection(self.host, self.port, timeout=20, context=self.context())
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        self.authority.issue("server")  # into the same files
        self.hang_up()
        self.logged(r"reload.done part=listen")
        renewed = self.served()
        self.assertEqual(renewed, octets(self.server))
        self.assertNotEqual(renewed, first)
        connection.request("GET", "/healthz")  # what is open goes on
        self.assertEqual(connection.getresponse().status, 200)
        connection.close()
        stranger = Authority(self.folder, "stranger").issue("foreign")
        self.assertEqual(self.ask("GET", "/healthz", context=self.context(stranger))[0].status, 401)
        with open(self.server + ".crt", "w") as file:
            file.write("no certificate\n")
        self.hang_up()
        self.logged(r"reload.refused part=listen reason=")
        self.assertEqual(self.served(), renewed)
        os.utime(os.path.join(self.folder, "server.conf"), (1, 1))
        self.hang_up()
        self.logged(r"reload.needs_restart file=")

    def test_plain_http_stands_beside_it_where_it_is_named(self):
        made = self.tool("client", "add", "--data", self.data, "--name", "test")
        client = dict(line.split("=", 1) for line in made.stdout.split())
        self.start('plain-listen = "127.0.0.1:0"\n')
        self.logged(r'http.plain reason="plain-listen')
        plain = self.program.ready["plain"]
        self.assertNotEqual(plain, f"{self.host}:{self.port}")
        connection = http.client.HTTPConnection(plain, timeout=20)
        connection.request("GET", "/.well-known/openid-configuration")
        answer = connection.getresponse()
        self.assertIn(f'"issuer":"https://127.0.0.1:{self.port}"', answer.read().decode())
        self.assertIsNone(answer.getheader("Strict-Transport-Security"))  # [RFC 6797 section 7.2]
        connection.close()
        answer, _ = self.ask("GET", "/healthz")
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.getheader("Strict-Transport-Security"))
        with socket.create_connection((self.host, self.port), 20) as tls:  # the other one takes none of it
            tls.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertNotIn(b"HTTP/", tls.recv(100))
        Api(f"{self.host}:{self.port}", [(client["appkey"], client["appsecret"])], self.context()).post(
            "/enterprises", {"name": "Example", "kind": "ENTERPRISE", "region": "DE", "timeZone": "UTC"})
        grants = grant(client["appkey"], client_secret=client["appsecret"])
        connection = http.client.HTTPConnection(plain, timeout=20)
        connection.request("POST", "/oauth2/token", grants, {"Content-Type": FORM})
        token = json.loads(connection.getresponse().read())["access_token"]
        connection.request("GET", "/connectivity-management/v1/cards", headers={"Authorization": f"Bearer {token}"})
        self.assertEqual(connection.getresponse().status, 200)  # what one of them gave serves at the other
        connection.close()
        # A password is asked for by HTTPS alone, whose own answer is that this one is wrong.
        login = json.dumps({"username": "anna", "password": "correct horse battery"})
        connection = http.client.HTTPConnection(plain, timeout=20)
        origin = f"https://127.0.0.1:{self.port}"
        connection.request("POST", "/connectivity-management/v1/session", login,
                           {"Content-Type": "application/json", "Origin": origin})
        answer = connection.getresponse()
        self.assertEqual((answer.status, json.loads(answer.read())["code"]), (403, "PERMISSION_DENIED"))
        connection.close()
        answer, _ = self.ask("POST", "/connectivity-management/v1/session", login,
                             **{"Content-Type": "application/json", "Origin": origin})
        self.assertEqual(answer.status, 401)
        answer, _ = self.ask("GET", "/connectivity-management/v1/cards", Authorization=f"Bearer {token}")
        self.assertEqual(answer.status, 200)

    def test_plain_http_beside_nothing_is_refused(self):
        config = self.config(CONFIG % "127.0.0.1:0" + 'plain-listen = "127.0.0.1:0"\n')
        run = self.tool("--data", self.data, "--config", config)
        self.assertEqual(run.returncode, 2)
        self.assertIn("plain-listen", run.stderr)

    def test_clients_are_known_by_certificates_and_others_refused(self):
        made = self.tool("client", "add", "--data", self.data, "--name", "test")
        client = dict(line.split("=", 1) for line in made.stdout.split())
        self.start()
        api = Api(f"{self.host}:{self.port}", [(client["appkey"], client["appsecret"])], self.context())
        owner = api.post("/enterprises", {"name": "Example", "kind": "ENTERPRISE", "region": "DE", "timeZone": "UTC"})
        issuer, subject = "CN=ca", "CN=billing,O=Otaria"
        added = api.post("/api-clients", {
            "name": "billing", "enterpriseId": owner["id"], "scopes": ["cards:read"],
            "mechanisms": ["tls_client_auth"], "certificate": {"issuer": issuer, "subject": subject}})
        api.post(f"/api-clients/{added['id']}/approve", {})
        billing, cards = self.authority.issue("billing"), "/connectivity-management/v1/cards"

        def status(context):
            answer, text = self.ask("GET", cards, context=context)
            return answer.status, re.search(r'"code":"(\w+)"', text).group(1) if answer.status >= 400 else None
        self.assertEqual(status(self.context(billing)), (200, None))
        self.assertEqual(self.otactl(f"certificate={billing}.crt\nkey={billing}.key\n", "card", "list").returncode, 0)
        self.assertEqual(self.otactl("appkey=" + "A" * 20 + "\nappsecret=" + "B" * 43 + "\n", "card", "list").returncode, 4)
        self.assertEqual(status(self.context()), (401, "UNAUTHENTICATED"))  # shows none
        self.assertEqual(status(self.context(self.authority.issue("other"))), (401, "UNAUTHENTICATED"))  # nobody's
        expired = self.authority.issue("expired", days=-1)
        self.assertEqual(status(self.context(expired)), (401, "UNAUTHENTICATED"))
        self.logged(r'http.certificate_refused peer=127.0.0.1 reason=".*expired')
        stranger = Authority(self.folder, "stranger-ca").issue("stranger")
        self.assertEqual(status(self.context(stranger)), (401, "UNAUTHENTICATED"))
        self.logged(r'http.certificate_refused peer=127.0.0.1 reason=".*issuer is unknown')

    def test_a_stolen_token_serves_nobody_without_the_certificate(self):
        made = self.tool("client", "add", "--data", self.data, "--name", "test")
        client = dict(line.split("=", 1) for line in made.stdout.split())
        self.start()
        api = Api(f"{self.host}:{self.port}", [(client["appkey"], client["appsecret"])], self.context())
        owner = api.post("/enterprises", {"name": "Example", "kind": "ENTERPRISE", "region": "DE", "timeZone": "UTC"})
        names, cards = os.path.join(self.folder, "names.json"), "/connectivity-management/v1/cards"
        with open(names, "w") as file:
            json.dump({"issuer": "CN=ca", "subject": "CN=billing,O=Otaria"}, file)
        done = self.otactl(f"appkey={client['appkey']}\nappsecret={client['appsecret']}\n", "client", "create", "name=billing",
                           f"enterpriseId={owner['id']}", "scopes=cards:read", "mechanisms=tls_client_auth",
                           f"certificate=@{names}", "certificateBoundTokens=true")
        self.assertEqual(done.returncode, 0, done.stderr)
        added = next(item for item in api.all("/api-clients") if item["name"] == "billing")
        self.assertIs(added["certificateBoundTokens"], True)
        api.post(f"/api-clients/{added['id']}/approve", {})
        billing, other = self.authority.issue("billing"), self.authority.issue("other")

        def post(path, form, certificate=None):
            answer, text = self.ask("POST", path, form, self.context(certificate), **{"Content-Type": FORM})
            return answer.status, json.loads(text)

        def use(token, certificate=None):
            return self.ask("GET", cards, context=self.context(certificate), Authorization="Bearer " + token)[0].status
        status, refusal = post("/oauth2/token", grant(added["appKey"]))
        self.assertEqual((status, refusal["error"]), (401, "invalid_client"))
        status, refusal = post("/oauth2/token", grant(added["appKey"]), other)
        self.assertEqual((status, refusal["error"]), (401, "invalid_client"))
        status, given = post("/oauth2/token", grant(added["appKey"]), billing)
        self.assertEqual(status, 200, given)
        token = given["access_token"]
        self.assertEqual([use(token, shown) for shown in (billing, None, other)], [200, 401, 401])
        question = urllib.parse.urlencode({"client_id": client["appkey"], "client_secret": client["appsecret"], "token": token})
        status, worth = post("/oauth2/introspect", question)
        thumbprint = base64.urlsafe_b64encode(hashlib.sha256(octets(billing)).digest()).decode().rstrip("=")
        self.assertEqual((status, worth["active"], worth["cnf"]), (200, True, {"x5t#S256": thumbprint}))

    def test_a_gateway_tells_of_certificates_where_it_is_asked_to(self):
        made = self.tool("client", "add", "--data", self.data, "--name", "test")
        client = dict(line.split("=", 1) for line in made.stdout.split())
        billing, cards = self.authority.issue("billing"), "/connectivity-management/v1/cards"
        der, right = octets(billing), told(billing)

        def ask(method, path, values, body=b"", **headers):
            connection = http.client.HTTPConnection(self.host, self.port, timeout=20)
            connection.putrequest(method, path)
            for name, value in [("Client-Cert", value) for value in values] + list(headers.items()):
                connection.putheader(name, value)
            if body:
                connection.putheader("Content-Type", FORM)
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            text = answer.read()
            connection.close()
            return answer.status, text

        def status(*values, **headers):
            return ask("GET", cards, values, **headers)[0]

        def start(text):
            config = self.config(CONFIG % "127.0.0.1:0" + text)
            self.program = Program("ota-server", [os.path.join(PROGRAMS, "ota-server"), "--data", self.data, "--config", config],
                                   self.folder)
            self.host, port = self.program.ready["http"].rsplit(":", 1)
            self.port = int(port)
        start('trusted-proxies = {"127.0.0.1"}\nproxy-certificates = true\n')
        api = Api(f"{self.host}:{self.port}", [(client["appkey"], client["appsecret"])])
        owner = api.post("/enterprises", {"name": "Example", "kind": "ENTERPRISE", "region": "DE", "timeZone": "UTC"})
        added = api.post("/api-clients", {"name": "billing", "enterpriseId": owner["id"], "scopes": ["cards:read"],
                                          "mechanisms": ["tls_client_auth"],
                                          "certificate": {"issuer": "CN=ca", "subject": "CN=billing,O=Otaria"}})
        api.post(f"/api-clients/{added['id']}/approve", {})
        self.assertEqual(status(right), 200)
        self.assertEqual(status(), 401)
        self.assertEqual(status(right, right), 401)  # which of them?
        for wrong in ("", "::", right[1:], right[:-1], ":" + base64.b64encode(der[:-1]).decode() + ":", ":!!:", ":AAAA:"):
            self.assertEqual(status(wrong), 401, wrong)
        self.logged(r'http.certificate_refused peer=127.0.0.1 reason="it is no certificate"')
        other = told(self.authority.issue("other"))
        self.assertEqual(status(other), 401)
        form = grant(added["appKey"]).encode()
        for wrong in ((), (other,), (right, right)):
            self.assertEqual(ask("POST", "/oauth2/token", wrong, form)[0], 401)
        code, text = ask("POST", "/oauth2/token", (right,), form)
        self.assertEqual(code, 200, text)
        bearer = {"Authorization": "Bearer " + json.loads(text)["access_token"]}
        self.assertEqual([status(*shown, **bearer) for shown in ((right,), (), (other,), (right, right))], [200, 401, 401, 401])
        for config in ('trusted-proxies = {"127.0.0.1"}\n', 'trusted-proxies = {"192.0.2.1"}\nproxy-certificates = true\n'):
            self.stop()
            start(config)
            self.assertEqual(status(right), 401)  # anybody can say so
            self.assertEqual(status(right, **bearer), 401)
            self.assertEqual(ask("POST", "/oauth2/token", (right,), form)[0], 401)

    def test_nobody_else_is_served_in_the_clear_unasked(self):
        done = self.tool("--data", self.data, "--config", self.config(CONFIG % "0.0.0.0:0"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("plain-http = true", done.stderr)
        stranger = self.authority.issue("stranger")
        done = self.tool("--data", self.data, "--config",
                         self.config(CONFIG % "127.0.0.1:0" + TLS % (self.server, stranger, self.authority.file)))
        self.assertEqual(done.returncode, 1)
        self.assertIn("stranger.key", done.stderr)


if __name__ == "__main__":
    unittest.main()
