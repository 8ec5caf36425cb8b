#!/usr/bin/env python3
"""Event sinks of ota-server as a program, over TLS, with a name server of our own. usage: test_sinks.py FOLDER-OF-PROGRAMS"""
import base64, hashlib, hmac, http.client, http.server, json, os, pwd, signal, socket, ssl, subprocess, sys, threading, time, unittest, urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from certificates import Authority  # noqa: E402
from test_events import Api, Served, until  # noqa: E402

TYPE = "ota.connectivity-management.v1."
NAMES = ("sink.test", "rebind.test", "mixed.test")


class NameServer:
    """Answers A questions from a table; each answer of a list once, the last one for ever."""

    def __init__(self):
        self.table = {"sink.test": [["127.0.0.1"]], "mixed.test": [["127.0.0.1", "10.0.0.1"]], "inner.test": [["169.254.169.254"]],
                      "rebind.test": [["127.0.0.1"], ["10.0.0.1"]]}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        while True:
            question, client = self.socket.recvfrom(512)
            if question == b"end":
                return
            labels, at = [], 12
            while question[at]:
                labels.append(question[at + 1:at + 1 + question[at]].decode().lower())
                at += question[at] + 1
            name, kind = ".".join(labels), int.from_bytes(question[at + 1:at + 3], "big")
            answers = self.table.get(name)
            found = []
            if answers and kind == 1:
                found = answers[0] if len(answers) == 1 else answers.pop(0)
            self.socket.sendto(question[:2] + (b"\x81\x80" if answers else b"\x81\x83") + b"\0\1" + len(found).to_bytes(2, "big") +
                               b"\0\0\0\0" + question[12:at + 5] +
                               b"".join(b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + socket.inet_aton(one) for one in found), client)

    def close(self):
        self.socket.sendto(b"end", self.socket.getsockname())
        self.thread.join()
        self.socket.close()


class Receiver:
    """A customer's server, which does to each path what its name says."""

    def __init__(self, certificate):
        receiver = self
        self.got, self.changed, self.ends = [], threading.Condition(), threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver.changed:
                    earlier = sum(1 for path, _, _, _ in receiver.got if path == self.path)
                    is_event = self.headers["Content-Type"].startswith("application/cloudevents")
                    receiver.got.append((self.path, json.loads(body) if is_event else None, dict(self.headers), body))
                    receiver.changed.notify_all()
                getattr(self, "on_" + self.path.strip("/").split("/")[0], self.on_ok)(earlier)

            def do_GET(self):
                with receiver.changed:
                    receiver.got.append((self.path, None, dict(self.headers), b""))
                    receiver.changed.notify_all()
                self.send_response(200)
                self.send_header("Content-Length", "11")
                self.end_headers()
                self.wfile.write(b'{"keys":[]}')

            def on_ok(self, earlier, status=204, *headers):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", "0")
                self.end_headers()

            def on_once(self, earlier):
                self.on_ok(earlier, 500 if earlier == 0 else 204)

            def on_held(self, earlier):
                if earlier == 0:
                    self.rfile.read(1)  # until who asked has gone
                    self.close_connection = True
                else:
                    self.on_ok(earlier)

            def on_token(self, earlier):
                token = json.dumps({"access_token": "token-%d" % earlier, "token_type": "Bearer", "expires_in": 3600}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(token)))
                self.end_headers()
                self.wfile.write(token)

            def on_gone(self, earlier):
                self.on_ok(earlier, 410)

            def on_redirect(self, earlier):
                self.on_ok(earlier, 302, ("Location", "https://sink.test:%d/ok/redirected" % receiver.port))

            def on_endless(self, earlier):
                self.send_response(200)
                self.end_headers()
                self.close_connection = True
                try:
                    while not receiver.ends.is_set():
                        self.wfile.write(b"x" * 65536)
                except OSError:
                    pass

            def on_drip(self, earlier):
                self.close_connection = True
                try:
                    for octet in b"HTTP/1.1 204 No Content\r\n" + b"x: y\r\n" * 1000:
                        self.wfile.write(bytes([octet]))
                        if receiver.ends.wait(0.5):
                            return
                except OSError:
                    pass

            def log_message(self, *unused):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def finish_request(self, request, address):
                request.settimeout(20)
                try:
                    request.do_handshake()
                    super().finish_request(request, address)
                except OSError:  # who does not trust us leaves
                    pass

            def handle_error(self, *unused):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate + ".crt", certificate + ".key")
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def close(self):
        self.ends.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def of(self, path):
        return [(event, headers, body) for at, event, headers, body in self.got if at == path]

    def wait(self, path, count, seconds=20):
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.of(path)) >= count, seconds):
                raise AssertionError(f"{path} got {len(self.of(path))} of {count}")
            return self.of(path)


def worker_of(program):
    """The process that makes the requests: the server's only child."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as file:
                parent = file.read().rsplit(")", 1)[1].split()[1]
        except OSError:
            continue
        if int(parent) == program.process.pid:
            return int(pid)
    return None


def status_of(pid):
    with open(f"/proc/{pid}/status") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def has_ended(pid):
    try:
        return status_of(pid)["State"].startswith("Z")
    except OSError:
        return True


class Sinks(Served):
    def setUp(self):
        self.places, self.authorities = [], []
        try:
            super().setUp()
        except Exception:
            self.close_places()
            raise

    def more_config(self):
        authority, other = Authority(self.folder), Authority(self.folder, "other")
        self.names = NameServer()
        self.places.append(self.names)
        self.good = Receiver(authority.issue("good", ",".join("DNS:" + name for name in NAMES) + ",IP:127.0.0.1"))
        self.places.append(self.good)
        self.untrusted = Receiver(other.issue("untrusted", "DNS:sink.test"))
        self.places.append(self.untrusted)
        self.wrong = Receiver(authority.issue("wrong", "DNS:elsewhere.test"))
        self.places.append(self.wrong)
        ports = ", ".join(str(one.port) for one in (self.good, self.untrusted, self.wrong))
        return ('events { sink-ports = {%s} sink-allow-cidrs = {"127.0.0.0/8"} sink-ca-file = "%s" name-server = "%s" }\n'
                % (ports, authority.file, self.names.address))

    def tearDown(self):
        try:
            super().tearDown()
        finally:
            self.close_places()

    def close_places(self):
        for place in self.places:
            place.close()

    def add(self, path, *types, at=None, host="sink.test", **more):
        url = f"https://{host}:{(at or self.good).port}{path}"
        return self.api.post("/event-sinks", {"sink": url, "types": [TYPE + one for one in types or ("card-dirty",)], **more})["id"]

    def deliveries(self, sink, state):
        return self.api.get("/event-deliveries", f"sinkId={sink}&state={state}")["items"]

    def dead(self, sink):
        return until("a dead letter", 20, lambda: self.deliveries(sink, "DEAD"), 0.05)[0]

    def test_each_event_comes_once_in_the_order_of_its_card_and_signed(self):
        sink = self.add("/ok", "card-dirty", "card-clean", sinkCredential={
            "credentialType": "ACCESSTOKEN", "accessToken": "opaque", "accessTokenExpiresUtc": "2099-01-01T00:00:00Z",
            "accessTokenType": "bearer"})
        secret = self.api.post(f"/event-sinks/{sink}/secrets", {})["secret"]
        for _ in range(3):
            for card in self.cards:
                self.dirty(card)
            for card in self.cards:
                self.clean(card)
        got = self.good.wait("/ok", 6 * len(self.cards))
        until("all are noted", 20, lambda: self.api.get("/event-sinks/" + sink)["waiting"] == 0, 0.05)
        self.assertEqual(len({event["id"] for event, _, _ in self.good.of("/ok")}), 6 * len(self.cards))
        self.assertEqual(len(self.good.of("/ok")), 6 * len(self.cards))
        for card in self.cards:
            kinds = [event["type"][len(TYPE):] for event, _, _ in got if event["data"]["cardId"] == card]
            self.assertEqual(kinds, ["card-dirty", "card-clean"] * 3)
        for event, headers, body in got:
            self.assertEqual((event["specversion"], headers["Content-Type"]), ("1.0", "application/cloudevents+json"))
            self.assertEqual((headers["Authorization"], headers["x-correlator"]), ("Bearer opaque", event["id"]))
            stamp, signature = [part.split("=")[1] for part in headers["x-ota-signature"].split(",")]
            made = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
            self.assertEqual(signature, made)
            self.assertLess(abs(int(stamp) - time.time()), 300)

    def test_a_worker_that_is_killed_loses_no_event_and_no_order(self):
        sink = self.add("/held", "card-dirty", "card-clean")
        killed = [None]
        for round in range(3):
            for card in self.cards:
                self.dirty(card)
            if round == 0:
                self.good.wait("/held", 1)  # and is not answered
            killed.append(until("another worker", 20, lambda: (lambda one: one if one not in killed else None)(worker_of(self.program)), 0.05))
            os.kill(killed[-1], signal.SIGKILL)
            for card in self.cards:
                self.clean(card)
            until("all are noted", 30, lambda: self.api.get("/event-sinks/" + sink)["waiting"] == 0, 0.05)
        self.assertEqual(self.deliveries(sink, "DEAD"), [])
        events = list({event["id"]: event for event, _, _ in self.good.of("/held")}.values())
        self.assertEqual(len(events), 6 * len(self.cards))
        for card in self.cards:
            kinds = [event["type"][len(TYPE):] for event in events if event["data"]["cardId"] == card]
            self.assertEqual(kinds, ["card-dirty", "card-clean"] * 3)
        self.assertIn("otaria_egress_losses_total 3\n", self.api.get("/metrics"))
        with open(self.program.log.name) as log:
            self.assertEqual(log.read().count("egress.lost"), 3)

    def test_the_worker_holds_nothing_of_the_server_and_ends_with_it(self):
        pid = worker_of(self.program)
        status = status_of(pid)
        self.assertEqual([int(status[name], 16) for name in ("CapPrm", "CapEff", "CapInh", "CapAmb")], [0] * 4)
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
        held = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        self.assertEqual([one for one in held if one.startswith("/")], ["/dev/null", "/dev/null", self.program.log.name])
        with open(f"/proc/{pid}/maps") as file:
            self.assertNotIn(self.folder, file.read())
        with open(f"/proc/{self.program.process.pid}/environ", "rb") as file:
            self.assertIn(b"PATH=", file.read())
        with open(f"/proc/{pid}/environ", "rb") as file:
            self.assertEqual(file.read(), b"")
        self.crash()
        until("its end", 20, lambda: has_ended(pid), 0.05)

    def test_a_token_is_asked_for_and_sent_along(self):
        owner = self.api.get("/session")["enterpriseId"]

        def add(path, endpoint):
            ends = {"tokenUri": f"https://sink.test:{self.good.port}{endpoint}", "clientId": "otaria"}
            client = self.api.post("/api-clients", {"name": "tokens", "enterpriseId": owner, "mechanisms": ["hmac"],
                                                    "scopes": ["events:read", "events:write"], "sinkTokenEndpoint": ends})
            self.api.post(f"/api-clients/{client['id']}/approve", {})
            secret = self.api.post(f"/api-clients/{client['id']}/secrets", {})
            theirs = Api(self.api.authority, [(secret["appKey"], secret["appSecret"])])
            sink = theirs.post("/event-sinks", {"sink": f"https://sink.test:{self.good.port}{path}", "types": [TYPE + "card-dirty"],
                                                "sinkCredential": {"credentialType": "PRIVATE_KEY_JWT"}})["id"]
            theirs.post(f"/event-sinks/{sink}/test", {})
            return sink
        add("/ok/token", "/token")
        ((_, headers, _),) = self.good.wait("/ok/token", 1)
        self.assertEqual(headers["Authorization"], "Bearer token-0")
        ((_, headers, body),) = self.good.of("/token")
        self.assertIn(b"client_assertion=ey", body)
        self.assertNotIn("Authorization", headers)
        sink = add("/ok/none", "/endless")  # an answer that does not end is no token
        waiting = until("no token", 20, lambda: [one for one in self.deliveries(sink, "WAITING") if one["attempts"]], 0.05)
        self.assertEqual(waiting[0]["lastProblem"], "NO_TOKEN")
        self.assertEqual(self.good.of("/ok/none"), [])

    def test_keys_are_read_where_a_client_publishes_them(self):
        owner = self.api.get("/session")["enterpriseId"]
        client = self.api.post("/api-clients", {"name": "keys", "enterpriseId": owner, "mechanisms": ["private_key_jwt"],
                                                "scopes": ["cards:read"], "jwksUri": f"https://sink.test:{self.good.port}/keys"})
        self.api.post(f"/api-clients/{client['id']}/approve", {})

        def part(**members):
            return base64.urlsafe_b64encode(json.dumps(members).encode()).decode().rstrip("=")
        form = urllib.parse.urlencode({
            "grant_type": "client_credentials", "scope": "connectivity-management:cards:read",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": ".".join((part(alg="ES256"), part(sub=client["appKey"]), "AA"))})

        def status():
            connection = http.client.HTTPConnection(self.address, timeout=20)
            connection.request("POST", "/oauth2/token", form, {"Content-Type": "application/x-www-form-urlencoded"})
            answer = connection.getresponse()
            answer.read()
            connection.close()
            return answer.status
        self.assertEqual(status(), 503)
        ((_, headers, _),) = self.good.wait("/keys", 1)
        self.assertEqual((headers["Accept"], headers.get("Authorization")), ("application/json", None))
        until("the keys", 20, lambda: status() == 401, 0.05)  # none of them fits
        self.assertEqual(len(self.good.of("/keys")), 1)

    def test_a_failed_event_comes_again_with_its_id_also_after_a_crash(self):
        sink = self.add("/once")
        self.dirty(self.cards[0])
        first, second = self.good.wait("/once", 2)
        self.assertEqual(first[2], second[2])
        later = self.add("/drip/crash")
        self.dirty(self.cards[1])
        before = self.good.wait("/drip/crash", 1)[0]
        self.crash()
        again = self.good.wait("/drip/crash", 2)[1][0]  # its source is the new address
        self.assertEqual({**again, "source": ""}, {**before[0], "source": ""})
        self.api.ask("DELETE", "/event-sinks/" + later)
        until("it was taken", 20, lambda: len(self.deliveries(sink, "DELIVERED")) == 2, 0.05)

    def test_what_a_sink_does_hurts_itself_alone(self):
        gone, endless, redirect = self.add("/gone"), self.add("/endless"), self.add("/redirect")
        self.add("/drip")
        self.add("/ok", "card-dirty", "card-clean")
        self.dirty(self.cards[0])
        self.good.wait("/drip", 1)
        for _ in range(10):  # while one octet after the other comes
            self.clean(self.cards[0])
            self.dirty(self.cards[0])
        self.good.wait("/ok", 21, 8)
        self.assertEqual(len(self.good.of("/drip")), 1)
        shown = until("it is suspended", 20, lambda: (lambda one: one if one["status"] != "OK" else None)(
            self.api.get("/event-sinks/" + gone)), 0.05)
        self.assertEqual((shown["status"], shown["statusReason"]), ("SUSPENDED", "GONE"))
        self.assertEqual(len(self.good.of("/gone")), 1)
        until("the endless answer counts", 20, lambda: self.deliveries(endless, "DELIVERED"), 0.05)
        self.assertEqual(self.dead(redirect)["lastStatus"], 302)
        self.assertEqual(self.good.of("/ok/redirected"), [])
        keys = [alarm["key"] for alarm in self.api.get("/alarms", "state=OPEN")["items"]]
        self.assertEqual(keys.count("webhook.dead"), 2)

    def test_only_addresses_that_are_allowed_are_met_and_only_by_their_certificates(self):
        sinks = {"mixed": self.add("/ok/mixed", host="mixed.test"), "inner": self.add("/ok/inner", host="inner.test"),
                 "nobody": self.add("/ok/nobody", host="nobody.test"), "untrusted": self.add("/ok", at=self.untrusted),
                 "wrong": self.add("/ok", at=self.wrong), "rebind": self.add("/ok/rebind", host="rebind.test"),
                 "literal": self.add("/ok/literal", host="127.0.0.1")}
        self.dirty(self.cards[0])
        self.good.wait("/ok/literal", 1)
        self.good.wait("/ok/rebind", 1)
        self.dirty(self.cards[1])
        for name in ("mixed", "inner", "rebind"):
            self.assertEqual(self.dead(sinks[name])["lastProblem"], "ADDRESS_REFUSED")
        self.assertEqual([len(self.good.of("/ok/" + name)) for name in ("mixed", "inner", "rebind")], [0, 0, 1])
        for name, problem in (("nobody", "NAME_NOT_FOUND"), ("untrusted", "TLS_FAILED"), ("wrong", "TLS_FAILED")):
            tried = lambda: [one for one in self.deliveries(sinks[name], "WAITING") if one["attempts"] > 0]
            self.assertEqual(until("an attempt", 20, tried, 0.05)[0]["lastProblem"], problem)
        self.assertEqual(self.untrusted.got + self.wrong.got, [])
        for url in ("https://10.0.0.1/", "https://[::1]/", "https://sink.test:%d/" % (self.good.port + 1), "https://8.8.8.8/"):
            status, answer = self.api.ask("POST", "/event-sinks", {"sink": url, "types": [TYPE + "card-dirty"]})
            self.assertEqual((status, answer["code"]), (400, "INVALID_SINK"), url)


@unittest.skipUnless(os.geteuid() == 0, "only who may change users")
class OtherUser(Served):
    def more_config(self):
        return 'events { egress-user = "nobody" }\n'

    def test_the_worker_is_the_user_that_it_is_to_be(self):
        user, pid = pwd.getpwnam("nobody"), worker_of(self.program)
        status = status_of(pid)
        self.assertEqual((status["Uid"].split(), status["Gid"].split()), ([str(user.pw_uid)] * 4, [str(user.pw_gid)] * 4))
        self.assertEqual(status["Groups"].strip(), "")
        os.kill(pid, signal.SIGTERM)  # systemd says it to both
        self.assertEqual(self.program.stop(), 0)
        self.assertTrue(has_ended(pid))
        with open(os.path.join(self.folder, "server.conf"), "a") as file:
            file.write('events { egress-user = "nobody-at-all" }\n')
        ended = subprocess.run(self.program.arguments, capture_output=True, text=True, timeout=60)
        self.assertEqual((ended.returncode, "events: there is no such egress-user" in ended.stderr), (1, True), ended.stderr)


if __name__ == "__main__":
    unittest.main()
