#!/usr/bin/env python3
"""Bootstraps of emulated cards by the rules of two groups, with the server killed in the middle.
usage: test_bootstrap.py FOLDER-OF-PROGRAMS"""
import os, shutil, subprocess, sys, tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools/story"))
from system import Api, Control, Program, until  # noqa: E402

PROGRAMS = os.path.abspath(sys.argv[1])
SPEED = 100  # virtual seconds a second
CARDS = 8
TRANSPORT = {7: "00112233445566778899AABBCCDDEEFF", 12: "0F1E2D3C4B5A69788796A5B4C3D2E1F0"}
SMSC = """account "server" { password = "secret1" }
account "radio" { password = "secret2" }
route "12345" { account = "server" }
"""
SCENARIO = """otaria-scenario 1
network 99970 lte
network 00101 lte
allow 99970 99970
allow 00101 00101
area home 99970 00101
"""


class Lab:
    def __init__(self, folder):
        self.folder, self.running = folder, []
        self.profile = os.path.join(ROOT, "profiles/vendor/samples/alder.json")
        self.batch, self.pool = os.path.join(folder, "batch.out"), os.path.join(folder, "pool.csv")
        self.tool("vendor-make", "-n", str(CARDS), "-b", "BOOT001", "-o", self.batch)
        self.tool("vendor-make", "-n", str(2 * CARDS + 1), "-f", "5001", "-b", "POOL001", "--pool", "-o", self.pool)
        self.data = os.path.join(folder, "data")
        self.tool("ota-server", "init", "--data", self.data)
        made = self.tool("ota-server", "client", "add", "--data", self.data, "--name", "test")
        client = dict(line.split("=", 1) for line in made.split())
        self.client = (client["appkey"], client["appsecret"])
        self.smsc = self.start("smsc-sim", "--config", self.write("smsc.conf", SMSC), "--listen", "127.0.0.1:0", "--control",
                               "127.0.0.1:0", "--speed", str(SPEED))
        self.server = self.start("ota-server", "--data", self.data, "--listen", "127.0.0.1:0", "--smsc", self.smsc.ready["smpp"],
                                 "--system-id", "server", "--password-file", self.write("server", "secret1\n"),
                                 "--single-person", "--clear", "--speed", str(SPEED))
        self.connect()

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(text)
        return path

    def tool(self, name, *arguments):
        return subprocess.run([os.path.join(PROGRAMS, name), *arguments], capture_output=True, text=True, check=True).stdout

    def start(self, name, *arguments):
        self.running.append(Program(name, [os.path.join(PROGRAMS, name), *arguments], self.folder))
        return self.running[-1]

    def connect(self):
        self.api = Api(self.server.ready["http"], [self.client])
        until("the server is ready", 20, lambda: self.api.ask("GET", "/readyz")[0] == 200, 0.05)

    def kill_server(self):
        self.server.kill()
        self.server.process.stdout.close()
        self.server.start()
        self.connect()

    def upload(self, path, query):
        with open(path, "rb") as file:
            job = self.api.post("/batch-imports", file.read(), content_type="text/plain", query="vendorProfile=alder" + query)
        ended = until("the import", 30, lambda: (lambda j: j if j["status"] == "ENDED" else None)(
            self.api.get("/batch-imports/" + job["id"])), 0.05)
        assert ended["outcome"] == "IMPORTED", ended

    def imports(self):
        with open(self.profile, "rb") as file:
            self.api.post("/vendor-profiles", file.read())
        for index, key in TRANSPORT.items():
            self.api.post("/transport-keys", {"index": index, "algorithm": "AES128-CBC", "components": [key, "0" * 32]})
        self.pool_id = self.api.post("/subscription-pools", {"name": "p", "operator": "TEST-001-01", "templateId": 1})["id"]
        self.upload(self.batch, "")
        self.upload(self.pool, "&kind=SUBSCRIPTIONS&poolId=" + self.pool_id)

    def group(self, name, afterwards):
        group = self.api.post("/card-groups", {"name": name})["id"]
        rule = {"enabled": True, "items": [{"poolId": self.pool_id, "rank": 2}, {"poolId": self.pool_id, "enable": True}],
                "afterwards": afterwards, "soakSeconds": 120}
        status, document = self.api.ask("PATCH", f"/card-groups/{group}/rules", {"bootstrap": rule, "reason": "roll-out"})
        assert status == 200, document
        return group

    def fleet(self):
        transport = "07 auc %s\n12 ota %s\n" % (TRANSPORT[7], TRANSPORT[12])
        program = self.start(
            "sim-emulator", "fleet", "--cards", self.batch, "--pool", self.pool, "--vendor-profile", self.profile,
            "--transport-keys", self.write("keys", transport), "--smsc", self.smsc.ready["smpp"], "--system-id", "radio",
            "--password-file", self.write("radio", "secret2\n"), "--address-range", "999", "--scenario",
            self.write("world", SCENARIO), "--speed", str(SPEED), "--spread", "60", "--control", "127.0.0.1:0")
        return Control(program.ready["control"])

    def jobs(self):
        return [job for group in self.groups for job in self.api.all(f"/card-groups/{group}/bootstrap-jobs")]

    def stop(self):
        codes = {program.name: program.stop() for program in reversed(self.running)}
        assert all(code == 0 for code in codes.values()), codes


def main():
    folder = tempfile.mkdtemp()
    lab = Lab(folder)
    try:
        lab.imports()
        lab.groups = [lab.group("kept", "KEEP_AS_FALLBACK"), lab.group("deleted", "DELETE")]
        cards = lab.api.all("/cards")
        for number, card in enumerate(cards):
            status, document = lab.api.ask("PATCH", "/cards/" + card["id"], {"groupId": lab.groups[number % 2]})
            assert status == 200, document
        fleet = lab.fleet()
        for wanted in ("DOWNLOADING", "ENABLING", "SOAKING", "FINISHING"):
            until(f"a job is {wanted} or further", 60, lambda: any(
                job["state"] == wanted or job["state"] == "DONE" for job in lab.jobs()), 0.02)
            lab.kill_server()
        try:
            until("all jobs are done", 90, lambda: len(lab.jobs()) == CARDS and all(
                job["state"] == "DONE" for job in lab.jobs()), 0.2)
        except Exception:
            for job in lab.jobs():
                print(job, [(o["type"], o["status"], o.get("outcome")) for o in lab.api.all(f"/cards/{job['cardId']}/operations")])
            raise
        check(lab, fleet.truth(), cards)
        lab.stop()
    finally:
        for program in lab.running:
            program.stop()
            program.process.stdout.close()
            program.log.close()
        shutil.rmtree(folder)


def check(lab, truth, cards):
    counts = lab.api.get("/subscription-pools/" + lab.pool_id)["counts"]
    assert counts == {"FREE": 1, "RESERVED": 0, "ON_CARD": 2 * CARDS, "RETIRED": 0}, counts
    imsis = [slot["imsi"] for card in truth.values() for slot in card["slots"]]
    assert len(imsis) == len(set(imsis)), "a subscription is on two cards"
    for card in lab.api.all("/cards"):
        view = lab.api.get(f"/cards/{card['id']}/subscriptions")
        ours = {(s["slot"], s["imsi"], s["state"], s["fallback"]) for s in view["serverView"]["slots"] if s["state"] != "EMPTY"}
        theirs = {(s["slot"], s["imsi"], s["state"], s["fallback"]) for s in truth[card["iccid"]]["slots"]}
        assert ours == theirs, (ours, theirs)
        roles = {slot["role"]: slot for slot in truth[card["iccid"]]["slots"]}
        is_kept = card["groupId"] == lab.groups[0]
        assert card["state"] == "OPERATIONAL", card
        assert ("BOOTSTRAP" in roles) == is_kept and (not is_kept or roles["BOOTSTRAP"]["fallback"]), roles
        # Each command ran once, however often the server was killed.
        kinds = [o["type"] for o in lab.api.all(f"/cards/{card['id']}/operations") if o.get("outcome") == "done"]
        assert kinds.count("download") == 2 and kinds.count("delete") == (0 if is_kept else 1), kinds
    assert lab.api.post("/audit-trail/verify", {})["ok"]
    print(f"{len(cards)} cards, 4 kills: as planned")


main()
