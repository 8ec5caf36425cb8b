#!/usr/bin/env python3
"""The real programs with two SMSCs, one of which is reached through TLS and fails. usage: test_links.py FOLDER-OF-PROGRAMS"""
import json, os, re, shutil, signal, subprocess, sys, tempfile, time, unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools/story"))
from certificates import Authority  # noqa: E402
from system import Api, Control, Program, until  # noqa: E402

PROGRAMS = sys.argv.pop(1)
TRANSPORT = "07 auc 00112233445566778899AABBCCDDEEFF\n12 ota 0F1E2D3C4B5A69788796A5B4C3D2E1F0\n"
SMSC = """account "server" { password = "secret1" }
account "radio" { password = "secret2" }
route "12345" { account = "server" }
"""
SMSC_TLS = """tls-certificate-file = "%s.crt"
tls-key-file = "%s.key"
tls-ca-file = "%s"
"""
SERVER = """smsc "near" { address = "%s" system-id = "server" password-file = "%s" rate = 1000 weight = 1 %s }
smsc "far"  { address = "%s" system-id = "server" password-file = "%s" rate = 1000 weight = 0 }
policy { submit-s = 1 }
single-person = true
clear-identifiers = true
"""
ONE_LINK = """smsc "far" { address = "%s" system-id = "server" password-file = "%s" rate = 1000 }
single-person = true
clear-identifiers = true
"""
SWALLOWING = """smsc "near" { address = "%s" system-id = "server" password-file = "%s" rate = 1000 weight = 1 }
smsc "far"  { address = "%s" system-id = "server" password-file = "%s" rate = 1000 weight = 1 }
single-person = true
clear-identifiers = true
"""
SLOW_NETWORK = """smsc "near" { address = "%s" system-id = "server" password-file = "%s" rate = 1000 }
smsc "far"  { address = "%s" system-id = "server" password-file = "%s" rate = 1000 }
plmn "00101" { rate = 5 }
single-person = true
clear-identifiers = true
"""
ONE_SMSC = """smsc "sends" { address = "%s" system-id = "server" password-file = "%s" bind = "transmitter" %s }
smsc "hears" { address = "%s" system-id = "server" password-file = "%s" bind = "receiver" %s }
single-person = true
clear-identifiers = true
"""


class Links(unittest.TestCase):
    CARDS = 2

    def setUp(self):
        self.folder, self.running = tempfile.mkdtemp(), []
        self.addCleanup(shutil.rmtree, self.folder)
        self.addCleanup(self.stop)
        self.batch, self.data = os.path.join(self.folder, "batch"), os.path.join(self.folder, "data")
        self.tool("vendor-make", "-n", str(self.CARDS), "-b", "LINKS01", "-o", self.batch)
        self.authority = Authority(self.folder)
        server, self.client = self.authority.issue("smsc"), self.authority.issue("otaria")
        config = self.write("smsc.conf", SMSC + SMSC_TLS % (server, server, self.authority.file))
        self.smscs = [self.program("smsc-sim", "--config", config, "--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0",
                                   "--control", "127.0.0.1:0") for _ in range(2)]

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        return path

    def tool(self, name, *arguments):
        done = subprocess.run([os.path.join(PROGRAMS, name), *arguments], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def program(self, name, *arguments):
        self.running.append(Program(name, [os.path.join(PROGRAMS, name), *arguments], self.folder))
        return self.running[-1]

    def stop(self):
        codes = {program.name: program.stop() for program in reversed(self.running) if program.process.poll() is None}
        for program in self.running:
            program.log.close()
            program.process.stdout.close()
        self.assertEqual(set(codes.values()), {0}, codes)

    def start_server(self, settings, *options):
        self.tool("ota-server", "init", "--data", self.data)
        made = self.tool("ota-server", "client", "add", "--data", self.data, "--name", "test")
        client = dict(line.split("=", 1) for line in made.split())
        self.client_key = client["appkey"], client["appsecret"]
        self.serve(settings, *options)

    def serve(self, settings, *options):
        server = self.program("ota-server", "--data", self.data, "--listen", "127.0.0.1:0", "--config",
                              self.write("server.conf", settings), *options)
        self.url = "http://" + server.ready["http"]
        self.api = Api(server.ready["http"], [self.client_key])

    def start_cards(self):
        with open(os.path.join(ROOT, "profiles/vendor/samples/alder.json"), "rb") as file:
            self.api.post("/vendor-profiles", file.read())
        for line in TRANSPORT.splitlines():
            index, _, key = line.split()
            self.api.post("/transport-keys", {"index": int(index), "algorithm": "AES128-CBC", "components": [key, "0" * 32]})
        with open(self.batch, "rb") as file:
            job = self.api.post("/batch-imports", file.read(), content_type="text/plain", query="vendorProfile=alder")
        until("the import", 20, lambda: self.api.get("/batch-imports/" + job["id"])["status"] == "ENDED", 0.02)
        fleet = self.program(
            "sim-emulator", "fleet", "--cards", self.batch, "--vendor-profile",
            os.path.join(ROOT, "profiles/vendor/samples/alder.json"), "--transport-keys", self.write("keys", TRANSPORT), "--smsc",
            ",".join(smsc.ready["smpp"] for smsc in self.smscs), "--system-id", "radio", "--password-file",
            self.write("radio", "secret2\n"), "--address-range", "999", "--spread", "0", "--control", "127.0.0.1:0")
        self.cards_control = Control(fleet.ready["control"])
        self.cards = until("clean cards", 20, lambda: (lambda cards: cards if len(cards) == self.CARDS else None)(
            list(self.api.all("/cards", "state=OPERATIONAL")) + list(self.api.all("/cards", "state=SEEN"))), 0.05)

    def link(self, name):
        return next(link for link in self.api.get("/system")["links"] if link["name"] == name)

    def ended(self, operation):
        return until("the end of " + operation["type"], 20, lambda: (lambda o: o if o["status"] == "ENDED" else None)(
            self.api.get("/operations/" + operation["id"])), 0.05)

    def order(self, card, kind, **more):
        return self.api.post(f"/cards/{card['id']}/operations", {"type": kind, "ifDirty": "WAIT", **more})

    def metric(self, name, smsc):
        return int(re.search(r'^otaria_%s\{link="%s"\} (\d+)$' % (name, smsc), self.api.ask("GET", "/metrics")[1], re.M).group(1))

class TwoSmscs(Links):
    def start(self, authority, certificate):
        password = self.write("password", "secret1\n")
        near, far = self.smscs[0].ready["smpps"], self.smscs[1].ready["smpp"]
        tls = f'tls = true tls-ca-file = "{authority.file}"'
        if certificate:
            tls += f' tls-certificate-file = "{certificate}.crt" tls-key-file = "{certificate}.key"'
        self.start_server(SERVER % (near, password, tls, far, password))

    def test_another_smsc_takes_over_and_nothing_runs_twice(self):
        self.start(self.authority, self.client)
        self.start_cards()
        first, second = self.cards
        until("two links", 20, lambda: self.link("near")["state"] == "bound" and self.link("far")["state"] == "bound", 0.05)
        self.assertEqual(self.ended(self.order(first, "audit"))["outcome"], "done")
        self.assertEqual(self.ended(self.order(second, "audit"))["outcome"], "done")
        self.assertEqual(self.link("far")["sent"], 0)  # a reserve

        # The near one delivers and says nothing: the same packet goes over the far one.
        Control(self.smscs[0].ready["control"]).post("/rules", {"fault": "drop-response", "destination": "999"})
        slots = self.api.get(f"/cards/{first['id']}/subscriptions")["serverView"]["slots"]
        target = next(slot for slot in slots if slot["state"] == "DISABLED")
        before = len(self.cards_control.get("/cards/" + first["iccid"])["outcomes"])
        operation = self.ended(self.order(first, "delete", subscriptionId=target["subscriptionId"]))
        self.assertEqual(operation["outcome"], "done", operation)
        until("the second packet", 20, lambda: self.link("far")["accepted"] > 0, 0.05)
        outcomes = self.cards_control.get("/cards/" + first["iccid"])["outcomes"]
        self.assertEqual(len(outcomes), before + 1, outcomes)
        packets = [m for m in self.api.all(f"/cards/{first['id']}/messages")
                   if m["direction"] == "MT" and m.get("operationId") == operation["id"] and m["command"] == "DELETE"]
        self.assertEqual(len(packets), 1, packets)
        self.assertGreater(self.metric("link_unanswered_total", "near"), 0)

        # Then the near one is gone.
        self.smscs[0].kill()
        until("the near link is down", 20, lambda: self.link("near")["state"] == "down", 0.05)
        self.assertEqual(self.metric("link_bound", "near"), 0)
        self.assertEqual(self.metric("link_bound", "far"), 1)
        self.assertEqual(self.api.ask("GET", "/readyz")[0], 200)
        self.assertEqual(self.ended(self.order(second, "audit"))["outcome"], "done")
        told = self.told_until("near", "down")
        self.assertEqual((told["near"][0], told["near"][-1], told["far"]), ("bound", "down", ["bound"]))

    def told_until(self, name, state):
        """What the stream of events told of each link, from the first one on."""
        access = {"OTARIA_URL": self.url, "OTARIA_APPKEY": self.client_key[0], "OTARIA_APPSECRET": self.client_key[1]}
        follow = subprocess.Popen(["timeout", "60", os.path.join(PROGRAMS, "otactl"), "event", "follow", "--topics", "links", "--after",
                                   "0", "--json"], stdout=subprocess.PIPE, text=True, env={**os.environ, **access})
        states = {}
        for line in follow.stdout:
            link = json.loads(line)["data"]["link"]
            states.setdefault(link["name"], []).append(link["state"])
            if (link["name"], link["state"]) == (name, state):
                break
        follow.terminate()
        follow.stdout.close()
        follow.wait()
        return states

    def logged(self, name, pattern):
        def look():
            with open(os.path.join(self.folder, name + ".log")) as file:
                return re.search(pattern, file.read())
        until(f"{name} logs {pattern}", 20, look, 0.02)

    def test_an_smsc_that_is_not_believed_gets_nothing(self):
        self.start(Authority(self.folder, "stranger"), self.client)
        self.logged("ota-server", r"smpp.tls_refused smsc=\S+ reason=.*self-signed certificate in certificate chain")
        self.logged("smsc-sim", r"smpp.tls_refused .*unknown ca")
        self.assertEqual((self.link("near")["state"], self.link("near")["timesBound"]), ("down", 0))
        until("the far link", 20, lambda: self.link("far")["state"] == "bound", 0.05)

    def test_an_smsc_refuses_a_server_without_a_certificate(self):
        self.start(self.authority, None)
        self.logged("smsc-sim", r"smpp.tls_refused .*peer did not return a certificate")
        self.logged("ota-server", r"smpp.tls_refused .*certificate required")
        self.assertEqual((self.link("near")["state"], self.link("near")["timesBound"]), ("down", 0))


class Renewed(Links):
    def test_a_password_is_read_anew_while_the_server_runs(self):
        password = self.write("password", "wrong\n")
        self.start_server(ONE_LINK % (self.smscs[1].ready["smpp"], password))
        self.assertNotEqual(self.link("far")["state"], "bound")
        self.write("password", "secret1\n")
        self.running[-1].process.send_signal(signal.SIGHUP)
        until("the link", 20, lambda: self.link("far")["state"] == "bound", 0.05)
        with open(os.path.join(self.folder, "ota-server.log")) as file:
            self.assertIn("reload.done part=far", file.read())


class OneSwallows(Links):
    """Of two links of the same weight one accepts everything and delivers nothing. Two minutes are two seconds."""
    CARDS, SPEED = 60, 60

    def alarm(self, state):
        return [a["object"] for a in self.api.get("/alarms", "state=" + state)["items"] if a["key"] == "smsc.swallows"]

    def swallow(self):
        password = self.write("password", "secret1\n")
        self.start_server(SWALLOWING % (self.smscs[0].ready["smpp"], password, self.smscs[1].ready["smpp"], password),
                          "--speed", str(self.SPEED))
        until("two links", 20, lambda: self.link("near")["state"] == self.link("far")["state"] == "bound", 0.05)
        near = Control(self.smscs[0].ready["control"])
        rule = near.post("/rules", {"fault": "lose", "destination": "999"})
        self.start_cards()
        operations = [self.order(card, "audit") for card in self.cards]
        until("near swallows", 30, lambda: self.link("near")["state"] == "swallowing", 0.05)
        self.assertEqual(self.link("far")["state"], "bound")
        self.assertEqual(self.metric("link_swallowing", "near"), 1)
        until("an alarm about near", 30, lambda: self.alarm("OPEN") == ["near"], 0.1)
        return near, rule, operations

    def test_new_packets_move_to_the_other_link_until_it_delivers(self):
        near, rule, operations = self.swallow()

        # Whose audit came over the far one can be commanded: its packets go over that one, but for probes.
        heard = [o["cardId"] for o in operations if self.api.get("/operations/" + o["id"])["status"] == "ENDED"]
        self.assertGreater(len(heard), 10)
        began, before = time.monotonic(), {name: self.link(name)["sent"] for name in ("near", "far")}
        again = [self.order({"id": card}, "audit") for card in heard]
        until("most audits end", 120, lambda: sum(self.api.get("/operations/" + o["id"])["status"] == "ENDED" for o in again) * 10 >=
              len(again) * 7, 0.1)
        sent = {name: self.link(name)["sent"] - before[name] for name in before}
        probes = (time.monotonic() - began) * self.SPEED / 30 + 2  # one each 30 s of the server's time
        self.assertLessEqual(sent["near"], probes, sent)
        self.assertGreater(sent["far"], 0, sent)

        near.ask("DELETE", "/rules/%s" % rule["id"])

        def is_back():
            self.order({"id": heard[0]}, "audit")
            heard.append(heard.pop(0))
            return self.link("near")["state"] == "bound"
        until("near is back", 60, is_back, 0.2)
        until("the end of the alarm", 30, lambda: self.alarm("CLEARED") == ["near"] and self.alarm("OPEN") == [], 0.1)

    def test_the_alarm_ends_when_the_link_is_taken_out_of_the_configuration(self):
        self.swallow()
        server = next(program for program in self.running if program.name == "ota-server")
        self.assertEqual(server.stop(), 0)
        self.serve(ONE_LINK % (self.smscs[1].ready["smpp"], os.path.join(self.folder, "password")))
        until("the end of the alarm", 30, lambda: self.alarm("CLEARED") == ["near"] and self.alarm("OPEN") == [], 0.1)


class OneNetwork(Links):
    CARDS = 15

    def test_gets_no_more_than_its_rate_over_both_links(self):
        password = self.write("password", "secret1\n")
        self.start_server(SLOW_NETWORK % (self.smscs[0].ready["smpp"], password, self.smscs[1].ready["smpp"], password))
        self.start_cards()
        operations = [self.ended(self.order(card, "audit")) for card in self.cards]
        self.assertEqual({o["outcome"] for o in operations}, {"done"})
        sent = sum(self.link(name)["sent"] for name in ("near", "far"))
        began = time.monotonic()
        operations = [self.order(card, "audit") for card in self.cards]
        for operation in operations:
            self.ended(operation)
        self.assertGreaterEqual(sum(self.link(name)["sent"] for name in ("near", "far")) - sent, self.CARDS)
        self.assertGreater(time.monotonic() - began, (self.CARDS - 2) / 5)  # the first leaves at once
        (network,) = self.api.get("/system")["networks"]
        self.assertEqual((network["plmn"], network["rateAllowed"], network["auditsWaitInStore"]), ("00101", 5, False))
        sent = sum(self.link(name)["sent"] for name in ("near", "far"))
        self.assertEqual(self.api.get("/system")["networks"][0]["sent"], sent)
        self.assertIn(f'otaria_plmn_sent_total{{plmn="00101"}} {sent}\n', self.api.ask("GET", "/metrics")[1])
        self.assertIn('otaria_plmn_rate_allowed{plmn="00101"} 5\n', self.api.ask("GET", "/metrics")[1])


class OneSmscAtTwoAddresses(Links):
    """Messages go to one address; what cards say, and receipts, come over the other."""

    def known_receipts(self, centre):
        password, (host, port) = self.write("password", "secret1\n"), self.smscs[0].ready["smpp"].split(":")
        self.assertEqual(host, "127.0.0.1")
        self.start_server(ONE_SMSC % (f"127.0.0.1:{port}", password, centre, f"localhost:{port}", password, centre))
        self.start_cards()
        self.assertEqual(self.ended(self.order(self.cards[0], "audit"))["outcome"], "done")

        def count(name):
            return int(re.search(r"^otaria_%s (\d+)$" % name, self.api.ask("GET", "/metrics")[1], re.M).group(1))
        until("receipts", 20, lambda: count("receipts_total") + count("receipts_unknown_total") > 0, 0.05)
        return count("receipts_total") > 0, count("receipts_unknown_total") > 0

    def test_links_of_one_centre_share_their_receipts(self):
        self.assertEqual(self.known_receipts('centre = "one"'), (True, False))

    def test_others_are_of_two_centres(self):
        self.assertEqual(self.known_receipts(""), (False, True))


if __name__ == "__main__":
    unittest.main()
