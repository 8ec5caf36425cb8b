#!/usr/bin/env python3
"""The demonstration: an SMSC, a fleet of emulated cards and the OTA server, over real SMPP; what goes wrong, and how the
registry comes back to the cards' truth. Run by ./demo; see ./demo --help."""
import argparse, concurrent.futures, json, os, shutil, signal, subprocess, sys, tempfile, threading, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from esme import Esme, command_packet, response_packet  # noqa: E402
import system  # noqa: E402
from system import Api, Control, Failed, Program  # noqa: E402

SPEED = 100  # virtual seconds a second: an hour takes 36 s
CARDS = 1000
CLIENTS = 12
PATIENCE = 4  # a busy machine is given so much longer than one that is idle needs
NOTIFICATIONS = 4  # at most, of one switch: as many as NOTIFY_WAITS has waits
FIRST = 1001  # serial number of the first generated card
TRANSPORT = "07 auc 00112233445566778899AABBCCDDEEFF\n12 ota 0F1E2D3C4B5A69788796A5B4C3D2E1F0\n"
SERVER_NUMBER = "12345"
LAB_NUMBER = "77777"
SCENARIO = """otaria-scenario 1
# Two networks, each for its own subscriptions; in the hills only the first one is heard, in the tunnel none.
network 99970 lte
network 00101 lte
allow 99970 99970
allow 00101 00101
area home 99970 00101
area hills 99970
area tunnel none
"""
SMSC_CONFIG = """account "server"  { password = "secret1" }
account "radio"   { password = "secret2" }
account "lab"     { password = "secret3" }
route "12345" { account = "server" }
"""
SERVER_CONFIG = """smsc "main" { address = "%s" system-id = "server" password = "secret1" rate = 5000 }
server-address = "12345"
single-person = true
clear-identifiers = true
"""


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    return path


def until(what, seconds, look, every=0.1):
    return system.until(what, PATIENCE * seconds, look, every)


class Story:
    def __init__(self, root, programs, folder):
        self.root, self.programs, self.folder = root, programs, folder
        self.started = time.monotonic()
        self.running, self.printing, self.checks, self.wrong = [], threading.Lock(), 0, 0

    # --- telling ---

    def say(self, text):
        with self.printing:
            print(f"[{time.monotonic() - self.started:5.1f} s] {text}", flush=True)

    def chapter(self, text):
        self.say("")
        self.say(f"== {text}")

    def check(self, condition, text):
        """A promise, and whether it holds."""
        with self.printing:
            self.checks += 1
            self.wrong += not condition
        self.say(("   ok  " if condition else "WRONG  ") + text)
        if not condition:
            raise Failed(text)

    # --- programs ---

    def program(self, name, *arguments, label=None):
        program = Program(label or name, [os.path.join(self.programs, name), *arguments], self.folder)
        self.running.append(program)
        return program

    def run(self, name, *arguments):
        done = subprocess.run([os.path.join(self.programs, name), *arguments], capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"{name} {' '.join(arguments)}: exit {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def stop(self):
        codes = [program.stop() for program in reversed(self.running)]
        return all(code == 0 for code in codes)

    # --- the world ---

    def files(self):
        folder = self.folder
        self.transport = write(folder, "transport-keys.txt", TRANSPORT)
        self.smsc_config = write(folder, "smsc.conf", SMSC_CONFIG)
        self.scenario = write(folder, "world.txt", SCENARIO)
        self.password = write(folder, "radio.password", "secret2\n")
        self.profile = os.path.join(self.root, "profiles/vendor/samples/alder.json")
        self.sample = os.path.join(self.root, "tests/samples/alder-0000717.out")
        self.batch = os.path.join(folder, "batch.out")
        self.pool = os.path.join(folder, "pool.csv")
        self.lab = os.path.join(folder, "lab.out")
        self.run("vendor-make", "-n", str(CARDS), "-f", str(FIRST), "-b", "DEMO001", "-o", self.batch)
        self.run("vendor-make", "-n", "300", "-f", "5001", "-b", "POOL001", "--pool", "-o", self.pool)
        self.run("vendor-make", "-n", "1", "-f", "9001", "-b", "LAB0001", "-o", self.lab)

    def fleet(self, label, cards, server_number, ranges):
        program = self.program(
            "sim-emulator", "fleet", "--cards", cards, "--pool", self.pool, "--vendor-profile", self.profile,
            "--transport-keys", self.transport, "--server-number", server_number, "--smsc", self.smsc.ready["smpp"],
            "--system-id", "radio", "--password-file", self.password, "--address-range", ranges, "--scenario", self.scenario,
            "--speed", str(SPEED), "--spread", "300", "--control", "127.0.0.1:0", label=label)
        return Control(program.ready["control"])

    def server_arguments(self):
        # A link's rate is per second of yours: 5,000 are 50 in the story's time.
        config = write(self.folder, "server.conf", SERVER_CONFIG % self.smsc.ready["smpp"])
        return ["--data", self.data, "--listen", "127.0.0.1:0", "--config", config, "--speed", str(SPEED)]

    def start_server(self):
        self.server = self.program("ota-server", *self.server_arguments())
        self.connect()

    def connect(self):
        self.api = Api(self.server.ready["http"], self.clients)
        until("the server is ready", 10, lambda: self.api.ask("GET", "/readyz")[0] == 200)

    def start(self):
        self.chapter("An SMSC, the OTA server, and emulated cards behind a radio network")
        self.files()
        self.smsc = self.program("smsc-sim", "--config", self.smsc_config, "--listen", "127.0.0.1:0", "--control",
                                 "127.0.0.1:0", "--speed", str(SPEED), "--pcap", os.path.join(self.folder, "smpp.pcap"))
        self.smsc_control = Control(self.smsc.ready["control"])
        self.data = os.path.join(self.folder, "data")
        self.run("ota-server", "init", "--data", self.data)
        # Several clients, since each has its rate.
        self.clients = []
        for number in range(CLIENTS):
            lines = self.run("ota-server", "client", "add", "--data", self.data, "--name", f"demo-{number}")
            client = dict(line.split("=", 1) for line in lines.splitlines())
            self.clients.append((client["appkey"], client["appsecret"]))
        self.start_server()
        self.say(f"smsc-sim on {self.smsc.ready['smpp']}, ota-server on {self.server.ready['http']}; "
                 f"the clock runs {SPEED} times faster than yours")

    # --- importing ---

    def upload(self, path, query):
        with open(path, "rb") as file:
            body = file.read()
        job = self.api.post("/batch-imports", body, content_type="text/plain", query=query)
        return until(f"the import of {os.path.basename(path)}", 30,
                     lambda: (lambda j: j if j["status"] == "ENDED" else None)(self.api.get("/batch-imports/" + job["id"])))

    def imports(self):
        self.chapter("Import: a vendor's sample file, a batch of 1,000 cards, a pool of subscriptions")
        with open(self.profile) as file:
            self.api.post("/vendor-profiles", json.load(file))
        for line in TRANSPORT.splitlines():
            index, _, key = line.split()
            first = os.urandom(16)
            second = bytes(a ^ b for a, b in zip(first, bytes.fromhex(key)))
            self.api.post("/transport-keys", {"index": int(index), "algorithm": "AES128-CBC",
                                              "components": [first.hex().upper(), second.hex().upper()]})
        pool = self.api.post("/subscription-pools", {"name": "demo", "operator": "TEST-001-01", "templateId": 1})
        self.pool_id = pool["id"]
        dry = self.upload(self.sample, "vendorProfile=alder&dryRun=true")
        self.check(dry["outcome"] == "DRY_RUN_OK", f"dry run of the sample: {dry['outcome']}, {dry['byCode']}")
        sample = self.upload(self.sample, "vendorProfile=alder")
        self.check(sample["outcome"] == "IMPORTED" and sample["loaded"] == 3, f"sample: {sample['loaded']} cards loaded")
        again = self.upload(self.sample, "vendorProfile=alder")
        self.check(again["outcome"] == "ALREADY_IMPORTED", f"the same file again: {again['outcome']}")
        batch = self.upload(self.batch, "vendorProfile=alder")
        self.check(batch["loaded"] == CARDS, f"batch: {batch['loaded']} cards")
        pool = self.upload(self.pool, "vendorProfile=alder&kind=SUBSCRIPTIONS&poolId=" + self.pool_id)
        self.check(pool["loaded"] == 300, f"pool: {pool['loaded']} subscriptions")

    # --- cards ---

    def first_contact(self):
        self.chapter("First contact: the cards are switched on, attach with their own keys, and report")
        # The longest beginning decides: the sample's three numbers, the lab's one, and all others.
        self.sample_control = self.fleet("fleet-sample", self.sample, SERVER_NUMBER,
                                         "9990000000001,9990000000002,9990000000003")
        self.batch_control = self.fleet("fleet", self.batch, SERVER_NUMBER, "999")
        total = CARDS + 3

        def seen():
            return self.api.get("/cards", "state=SEEN&perPage=1")["pagination"]["totalCount"] + \
                self.api.get("/cards", "state=OPERATIONAL&perPage=1")["pagination"]["totalCount"] >= total
        until(f"{total} cards report", 40, seen, every=0.3)
        self.check(True, f"{total} of {total} cards made contact")
        doubted = [row for row in self.api.all("/audit-trail", "action=card.dirty") if row["after"] == "state_hash_mismatch"]
        self.check(not doubted, "what they report is what the vendor's file says")
        self.cards = {}
        for card in self.api.all("/cards"):
            self.cards[card["iccid"]] = card
        truth = self.batch_control.truth()
        self.iccids = sorted(iccid for iccid in self.cards if iccid in truth)

    def card(self, number):
        """ICCID and id of the n-th card of the batch."""
        iccid = self.iccids[number]
        return iccid, self.cards[iccid]["id"]

    def view(self, card):
        return self.api.get(f"/cards/{card}/subscriptions")

    def slot(self, card, **wanted):
        """The slot of the server's view that fits."""
        for slot in self.view(card)["serverView"]["slots"]:
            if all(slot.get(name) == value for name, value in wanted.items()):
                return slot
        raise Failed(f"no slot with {wanted} on {card}")

    def order(self, card, kind, wanted=(202,), **more):
        return self.api.post(f"/cards/{card}/operations", {"type": kind, **more}, wanted=wanted)

    def refused(self, card, kind, **more):
        status, document = self.api.ask("POST", f"/cards/{card}/operations", {"type": kind, **more})
        return status, (document.get("details") or [{}])[0].get("reason"), document.get("message")

    def ended(self, operation, seconds=50):
        return until(f"the end of {operation['type']} {operation['id']}", seconds,
                     lambda: (lambda o: o if o["status"] == "ENDED" else None)(
                         self.api.get("/operations/" + operation["id"])))

    def settled(self, card, seconds=50):
        """The card is clean, nothing is open."""
        def find():
            c = self.api.get("/cards/" + card)
            return c if not c.get("openOperationId") and c["queuedOperations"] == 0 and \
                all(m["mark"] != "DIRTY" for m in c["marks"]) else None
        return until(f"{card} settles", seconds, find)

    def executions(self, control, iccid):
        """What the card itself remembers of operations: id and result."""
        return {o["operationId"]: o for o in control.get("/cards/" + iccid)["outcomes"]}

    def rule(self, **rule):
        self.smsc_control.post("/rules", rule)

    def number_of(self, card):
        """The number under which a card is reached now."""
        return self.slot(card, state="ENABLED")["msisdn"]

    # --- chapters on single cards, told at the same time ---

    def download(self):
        iccid, card = self.card(0)
        operation = self.ended(self.order(card, "download", poolId=self.pool_id, enable="NOW"))
        names = [step["name"] for step in operation["steps"]]
        self.check(operation["outcome"] == "done", f"download and enable: {operation['outcome']}; steps {', '.join(names)}")
        self.short(card, operation)
        audit = self.ended(self.order(card, "audit"))
        view = self.view(card)
        self.check(audit["outcome"] == "done" and view["inSync"], "audit: what the card has is what the server thinks")
        new = self.slot(card, state="ENABLED")
        status, reason, _ = self.refused(card, "delete", subscriptionId=new["subscriptionId"])
        self.check(status == 409 and reason == "DELETE_NOT_DISABLED", f"delete of the enabled one refused by the server: {reason}")
        old = self.slot(card, role="BOOTSTRAP")
        status, reason, _ = self.refused(card, "delete", subscriptionId=old["subscriptionId"])
        self.check(status == 409 and reason == "DELETE_FALLBACK", f"delete of the fallback one refused by the server: {reason}")
        moved = self.ended(self.order(card, "set-fallback", subscriptionId=new["subscriptionId"]))
        self.check(moved["outcome"] == "done", "the fallback attribute moved to the new subscription")
        gone = self.ended(self.order(card, "delete", subscriptionId=old["subscriptionId"]))
        truth = self.batch_control.get("/cards/" + iccid)
        self.check(gone["outcome"] == "done" and all(s["role"] != "BOOTSTRAP" for s in truth["slots"]),
                   "the bootstrap subscription is deleted: two left on the card")

    def short(self, card, operation):
        """The download took the SMS that the protocol says, and no more: nothing hindered it on purpose, so its packet left once.
        While the machine is busy the virtual clock goes on, and the card repeats its notification; each is confirmed."""
        messages = self.api.all(f"/cards/{card}/messages")
        sent = [m for m in messages if m["direction"] == "MT" and m.get("operationId") == operation["id"]]
        downloads = [m for m in sent if m["command"] == "DOWNLOAD"]
        confirmed = sum(m["parts"] for m in sent if m["command"] == "CONFIRM")
        told = sum(m["parts"] for m in messages if m["direction"] == "MO" and m.get("cause") == "ENABLED")
        counts = operation["counts"]
        self.check(len(downloads) == 1 and downloads[0]["parts"] == 1 and operation["attempts"] == 1,
                   f"the subscription travelled in ONE SMS ({downloads[0]['octets']} octets of packet), once")
        self.check(1 <= confirmed <= told <= NOTIFICATIONS and 2 <= counts["smsMt"] <= 1 + confirmed,
                   f"to the card {counts['smsMt']} SMS, not more: the subscription, and the confirmation of each of {told} notifications")
        self.check(3 <= counts["smsMo"] <= 1 + told + confirmed,
                   f"from it {counts['smsMo']} SMS, not more: the answer, {told} notifications, and the answers to their confirmations")

    def doubts(self, card):
        """The rows that say why the card was doubted."""
        return self.api.all("/audit-trail", "action=card.dirty&objectId=" + card)

    def lost_answer(self):
        iccid, card = self.card(1)
        target = self.slot(card, state="DISABLED")
        self.rule(fault="lose", source=self.number_of(card), count=1)
        before = {row["sequence"] for row in self.doubts(card)}
        operation = self.order(card, "delete", subscriptionId=target["subscriptionId"])
        # The doubt may be over before anybody looks: the trail keeps it.
        operation = self.ended(operation)
        self.settled(card)
        reasons = [row["after"] for row in self.doubts(card) if row["sequence"] not in before]
        self.check(reasons, f"answer lost: the operation in doubt, and the card DIRTY {reasons}")
        outcomes = self.executions(self.batch_control, iccid)
        self.check(operation["outcome"] == "done" and len(outcomes) == 1,
                   "the automatic audit asked the card: done; executed once")

    def rollback(self):
        iccid, card = self.card(2)
        self.batch_control.post("/cards/" + iccid, {"area": "hills"})
        target = self.slot(card, state="DISABLED")
        operation = self.ended(self.order(card, "enable", subscriptionId=target["subscriptionId"]))
        truth = self.batch_control.get("/cards/" + iccid)
        enabled = [s for s in truth["slots"] if s["state"] == "ENABLED"]
        self.check(operation["outcome"] == "rolled_back" and enabled[0]["role"] == "BOOTSTRAP",
                   "enabled where its network is not heard: the card rolled back by itself, and said so")

    def fallback(self):
        iccid, card = self.card(3)
        self.ended(self.order(card, "set-timers", parameters={"T_RETURN": 600, "JITTER_MAX": 0}))
        target = self.slot(card, state="DISABLED")
        done = self.ended(self.order(card, "enable", subscriptionId=target["subscriptionId"]))
        self.check(done["outcome"] == "done", "enabled the operational subscription")
        self.batch_control.post("/cards/" + iccid, {"area": "hills"})
        until("the fallback notification", 40,
              lambda: any(m["mark"] == "ON_FALLBACK" for m in self.api.get("/cards/" + card)["marks"]))
        self.check(True, "its network is gone: the card fell back by itself, and said so")
        self.batch_control.post("/cards/" + iccid, {"area": "home"})
        until("the return", 40, lambda: self.slot_state(card, target["imsi"]) == "ENABLED" and
              not any(m["mark"] == "ON_FALLBACK" for m in self.api.get("/cards/" + card)["marks"]))
        self.check(True, "its network is back: the card returned by itself, and said so")

    def slot_state(self, card, imsi):
        for slot in self.view(card)["serverView"]["slots"]:
            if slot["imsi"] == imsi:
                return slot["state"]
        return None

    def power_cut(self):
        # In the middle of the first commit, and between the switch and the restart that follows it.
        for number, write in ((4, 150), (6, 600)):
            iccid, card = self.card(number)
            target = self.slot(card, state="DISABLED")
            before = self.batch_control.get("/cards/" + iccid)["memoryWrites"]
            self.batch_control.post("/cards/" + iccid, {"cut": write})
            operation = self.ended(self.order(card, "enable", subscriptionId=target["subscriptionId"]))
            self.settled(card)
            truth = self.batch_control.get("/cards/" + iccid)
            enabled = [s["slot"] for s in truth["slots"] if s["state"] == "ENABLED"]
            self.check(enabled == [target["slot"]] and operation["outcome"] == "done" and
                       truth["memoryWrites"] - before > write,
                       f"power cut at write {write} of the switch: the card finished it after the restart; outcome done")

    def twice_and_late(self):
        iccid, card = self.card(5)
        number = self.number_of(card)
        target = self.slot(card, state="DISABLED")
        self.rule(fault="duplicate", destination=number, count=1, value=2)
        first = self.ended(self.order(card, "set-fallback", subscriptionId=target["subscriptionId"], allowUnproven=True))
        self.rule(fault="delay", destination=number, count=1, value=300000)
        second = self.ended(self.order(card, "set-timers", parameters={"T_ATTACH": 240}))
        outcomes = self.executions(self.batch_control, iccid)
        self.check(first["outcome"] == second["outcome"] == "done" and len(outcomes) == 2,
                   "an SMS that came three times and one that came five minutes late: each command executed once")

    def stranger(self):
        """A card that the server does not know, and an ESME and packets that this project's C code did not make."""
        control = self.fleet("fleet-lab", self.lab, LAB_NUMBER, "9990000009001")
        iccid, truth = next(iter(control.truth().items()))
        until("the lab's card attaches", 20, lambda: control.get("/cards/" + iccid)["service"] == "normal")
        with open(self.lab) as file:
            fields = [line.split() for line in file if line.startswith("8999")][0]
        names = "ICCID/IMSI1/MSISDN1/ACC/PIN1/PUK1/ADM1/KI1/OPC1/IMSI2/KI2/OPC2/KIC1/KID1/KIK1/KCV".split("/")
        record = dict(zip(names, fields))
        transport = TRANSPORT.split()[5]
        from esme import cbc
        kic, kid = (cbc(transport, bytes.fromhex(record[n]), decrypt=True).hex() for n in ("KIC1", "KID1"))
        esme = Esme(self.smsc.ready["smpp"], "lab", "secret3", LAB_NUMBER)
        tar = bytes.fromhex("534d01")

        def command(counter, text):
            esme.submit(LAB_NUMBER, record["MSISDN1"], command_packet(kic, kid, tar, counter, bytes.fromhex(text)))
            while True:
                user_data = esme.next_message()
                if user_data[1] == 0x71:  # a response packet; notifications of the card are 70
                    found, status, data = response_packet(kic, kid, user_data)
                    if found == counter:
                        return status, data
        imsi = "08" + "".join(b + a for a, b in zip(*[iter("9" + record["IMSI1"])] * 2))
        for counter, name, code in ((1, "enabled", 0x11),):
            text = "80e29103118f04" + f"{counter:08x}" + "8109" + imsi
            status, data = command(counter, text)
            self.check(status == 0 and data[4] == code,
                       f"a stranger's ESME sends DELETE of the {name} subscription: the card itself refuses with {data[4]:02X}")
        other = "08" + "".join(b + a for a, b in zip(*[iter("9" + record["IMSI2"])] * 2))
        status, data = command(2, "80e29104148f0400000002" + "8109" + other + "800108")
        status, data = command(3, "80e29103118f0400000003" + "8109" + other)
        self.check(status == 0 and data[4] == 0x12, "... and DELETE of the fallback one with 12")
        esme.close()

    def killed(self):
        self.chapter("The server is killed in the middle of 200 operations, and started again")
        chosen = [self.card(n) for n in range(100, 300)]
        # What goes to the cards is held up for ten minutes, so that most are open at the kill.
        self.rule(fault="delay", destination="999", count=len(chosen), value=600000)
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            operations = list(pool.map(lambda c: self.order(c[1], "set-timers", parameters={"T_ATTACH": 200}), chosen))
        self.server.kill()
        self.say("kill -9; starting it again on the same data")
        self.server.start()
        self.connect()
        doubted = [row for row in self.api.all("/audit-trail", "action=card.dirty") if row["reason"] == "restart"]
        self.check(doubted, f"{len(doubted)} cards had an operation under way: each is in doubt, and is asked")
        ended = [self.ended(operation, 60) for operation in operations]
        done = sum(o["outcome"] == "done" for o in ended)
        self.check(len(ended) == 200 and done == 200, f"all 200 acknowledged operations were still known; {done} ended done")
        twice = [iccid for iccid, _ in chosen if len(self.executions(self.batch_control, iccid)) != 1]
        self.check(not twice, "each was executed once by its card")

    def command_line(self):
        self.chapter("The same from the command line")
        credentials = write(self.folder, "credentials", "url=http://%s\nappkey=%s\nappsecret=%s\n" % (
            self.server.ready["http"], *self.clients[0]))
        iccid, card = self.card(7)

        def otactl(*arguments):
            done = subprocess.run([os.path.join(self.programs, "otactl"), *arguments], capture_output=True, text=True,
                                  env={**os.environ, "OTARIA_CREDENTIALS": credentials})
            return done.returncode, done.stdout.strip(), done.stderr.strip()
        code, out, error = otactl("card", "show", "--iccid", iccid, "--json")
        self.check(code == 0 and json.loads(out)["id"] == card, f"otactl card show --iccid {iccid}: {card}")
        target = self.slot(card, state="DISABLED")
        code, out, error = otactl("sub", "enable", card, "--subscription", target["subscriptionId"], "--wait=60")
        self.check(code == 0, f"otactl sub enable ... --wait: {out.splitlines()[-1] if out else error}")
        code, out, error = otactl("sub", "delete", card, "--subscription", target["subscriptionId"])
        self.check(code == 4 and "DELETE_NOT_DISABLED" in error + out, f"otactl sub delete of it: refused, exit code {code}")
        code, out, error = otactl("card", "show", "--iccid", "89999000009999999995")
        self.check(code == 3, f"otactl card show of a card that is not there: exit code {code}")
        code, out, error = otactl("trail", "verify")
        self.check(code == 0, f"otactl trail verify: {out.splitlines()[-1] if out else error}")

    def truth(self):
        self.chapter("The check at the end: the registry against the truth of every card")
        try:
            until("no card is dirty", 60,
                  lambda: self.api.get("/dirty-cards", "perPage=1")["pagination"]["totalCount"] == 0, every=0.5)
        except Failed:
            for item in self.api.get("/dirty-cards", "perPage=5")["items"]:
                self.say(json.dumps(item))
                for message in self.api.get(f"/cards/{item['cardId']}/messages", "perPage=30")["items"]:
                    self.say("   " + json.dumps(message))
            raise
        truth = {**self.batch_control.truth(), **self.sample_control.truth()}
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            views = dict(pool.map(lambda i: (i, self.view(self.cards[i]["id"])), self.cards))
        different = []
        for iccid, view in views.items():
            ours = {(s["slot"], s["imsi"], s["state"], s["fallback"]) for s in view["serverView"]["slots"] if s["state"] != "EMPTY"}
            theirs = {(s["slot"], s["imsi"], s["state"], s["fallback"]) for s in truth[iccid]["slots"]}
            if ours != theirs:
                different.append((iccid, ours ^ theirs))
        for iccid, what in different[:5]:
            self.say(f"       {iccid}: {what}")
        self.check(not different, f"registry == card truth for {len(views) - len(different)} of {len(views)} cards")
        chain = self.api.post("/audit-trail/verify", {})
        self.check(chain["ok"], f"audit trail: {chain['checked']} rows, the chain holds")
        counters = self.smsc_control.get("/counters")
        self.say(f"SMS that travelled: {counters['delivered']}; lost {counters['lost']}, doubled {counters['duplicated']}, "
                 f"late {counters['delayed']} on purpose")

    def tell(self):
        self.start()
        self.imports()
        self.first_contact()
        self.chapter("Cards commanded, and hindered")
        tellers = [self.download, self.lost_answer, self.rollback, self.fallback, self.power_cut, self.twice_and_late,
                   self.stranger]
        with concurrent.futures.ThreadPoolExecutor(len(tellers)) as pool:
            for future in [pool.submit(teller) for teller in tellers]:
                future.result()
        self.command_line()
        self.killed()
        self.truth()


def main():
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave everything running, and print where")
    parser.add_argument("--programs", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--root", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="otaria-demo-")
    story = Story(options.root, options.programs, folder)
    status = 0

    def interrupted(number, _):
        """The threads that tell are not waited for: what they talk to ends first."""
        story.stop()
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(128 + number)
    signal.signal(signal.SIGINT, interrupted)
    signal.signal(signal.SIGTERM, interrupted)
    try:
        story.tell()
    except Exception as problem:  # whatever it is: nothing is left running
        story.say(f"STOPPED: {type(problem).__name__}: {problem}")
        status = 1
    if options.keep:
        story.say(f"left running; data, logs and the capture smpp.pcap are in {folder}")
        for program in story.running:
            story.say(f"  {program.name}: pid {program.process.pid} {json.dumps(program.ready)}")
        story.say(f"  interface: http://{story.server.ready['http']}{Api.BASE} appkey={story.clients[0][0]} appsecret={story.clients[0][1]}")
        return status
    clean = story.stop()
    if not clean:
        story.say("a program did not end with 0: its log follows")
        status = 1
    if status != 0:
        for name in sorted(os.listdir(folder)):
            if name.endswith(".log"):
                with open(os.path.join(folder, name), errors="replace") as log:
                    tail = log.readlines()[-15:]
                print(f"--- {name}\n{''.join(tail)}", end="")
    shutil.rmtree(folder)
    story.say(f"{story.checks} checks, {story.wrong} wrong; nothing is left running")
    return status


if __name__ == "__main__":
    sys.exit(main())
