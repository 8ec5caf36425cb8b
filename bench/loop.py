#!/usr/bin/env python3
"""The closed loop, measured: the real ota-server (FULL sync on a real disk), smsc-sim and a fleet of emulated cards as
processes, asked over the API. How many operations a second are confirmed by the cards and committed.

usage: bench/loop.py PROGRAMS [--cards N] [--rate R] [--data FOLDER] [--profile]

Rates are confirmed operations: from the first one accepted to the last one ended, by the server's own times. The floor is
measured in the same run: bare commits of the same number of rows and octets, and bare SMPP round trips (bench_smpp)."""
import argparse, json, os, re, shutil, subprocess, sys, tempfile, time, urllib.parse, urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools/story"))
from story import SCENARIO, TRANSPORT, write  # noqa: E402
from system import Api, Control, Failed, Program, until  # noqa: E402

CLIENT_RATE = 50  # requests a second that one API client may send
SMSC_CONFIG = """account "server"  { password = "secret1" }
account "radio"   { password = "secret2" }
route "12345" { account = "server" }
window = 1000
"""
SERVER_CONFIG = """smsc "main" { address = "%s" system-id = "server" password = "secret1" window = 1000 rate = 1000000 }
server-address = "12345"
single-person = true
clear-identifiers = true
"""
KINDS = ("audit", "download", "enable", "set-fallback")


class Loop:
    SCOPES = ("cards:read", *("operations:" + kind for kind in KINDS))

    def __init__(self, options, folder):
        self.options, self.folder, self.running = options, folder, []
        self.profile = os.path.join(ROOT, "profiles/vendor/samples/alder.json")
        self.batch, self.pool = os.path.join(folder, "batch.out"), os.path.join(folder, "pool.csv")

    def tool(self, name, *arguments):
        done = subprocess.run([os.path.join(self.options.programs, name), *arguments], capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"{name}: {done.stderr.strip()}")
        return done.stdout

    def program(self, name, *arguments):
        self.running.append(Program(name, [os.path.join(self.options.programs, name), *arguments], self.folder))
        return self.running[-1]

    def stop(self):
        for program in reversed(self.running):
            program.stop()

    # --- the system ---

    def start(self):
        cards = str(self.options.cards)
        self.tool("vendor-make", "-n", cards, "-b", "LOOP001", "-o", self.batch)
        self.tool("vendor-make", "-n", cards, "-f", "5000001", "-b", "POOL001", "--pool", "-o", self.pool)
        smsc = self.program("smsc-sim", "--config", write(self.folder, "smsc.conf", SMSC_CONFIG), "--listen",
                            "127.0.0.1:0")
        self.smsc = smsc.ready["smpp"]
        data = os.path.join(self.folder, "data")
        self.tool("ota-server", "init", "--data", data)
        clients = [self.tool("ota-server", "client", "add", "--data", data, "--name", f"loop-{n}")
                   for n in range(self.options.clients)]
        self.clients = [tuple(line.split("=", 1)[1] for line in text.splitlines()[:2]) for text in clients]
        self.server = self.program("ota-server", "--data", data, "--listen", "127.0.0.1:0", "--config",
                                   write(self.folder, "server.conf", SERVER_CONFIG % self.smsc))
        self.address = self.server.ready["http"]
        self.api = Api(self.address, self.clients)
        self.tokens = [self.token(*client) for client in self.clients]
        until("the server's link", 20, lambda: self.api.ask("GET", "/readyz")[0] == 200)

    def token(self, key, secret):
        form = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": key, "client_secret": secret,
                                       "scope": " ".join("connectivity-management:" + name for name in self.SCOPES)})
        request = urllib.request.Request(f"http://{self.address}/oauth2/token", form.encode(), method="POST")
        request.add_header("Content-Type", "application/x-www-form-urlencoded")
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)["access_token"]

    def upload(self, path, query):
        with open(path, "rb") as file:
            job = self.api.post("/batch-imports", file.read(), content_type="text/plain", query=query)
        start = time.monotonic()
        ended = until("the import", 600, lambda: (lambda j: j if j["status"] == "ENDED" else None)(
            self.api.get("/batch-imports/" + job["id"])), 0.1)
        if ended.get("loaded") != self.options.cards:
            raise Failed(f"import: {ended}")
        return time.monotonic() - start

    def load(self):
        with open(self.profile) as file:
            self.api.post("/vendor-profiles", json.load(file))
        for line in TRANSPORT.splitlines():
            index, _, key = line.split()
            self.api.post("/transport-keys", {"index": int(index), "algorithm": "AES128-CBC",
                                              "components": [key.upper(), "0" * 32]})
        took = self.upload(self.batch, "vendorProfile=alder")
        print(f"import of {self.options.cards} cards: {self.options.cards / took:,.0f}/s")

    def load_pool(self):
        self.pool_id = self.api.post("/subscription-pools", {"name": "loop", "operator": "TEST-001-01",
                                                             "templateId": 1})["id"]
        self.upload(self.pool, "vendorProfile=alder&kind=SUBSCRIPTIONS&poolId=" + self.pool_id)

    def first_contact(self):
        count = self.options.cards
        start = time.monotonic()
        self.fleet = self.program(
            "sim-emulator", "fleet", "--cards", self.batch, "--pool", self.pool, "--vendor-profile", self.profile,
            "--transport-keys", write(self.folder, "transport-keys.txt", TRANSPORT), "--server-number", "12345",
            "--smsc", self.smsc, "--system-id", "radio", "--password-file",
            write(self.folder, "radio.password", "secret2\n"), "--address-range", "999", "--scenario",
            write(self.folder, "world.txt", SCENARIO), "--spread", str(self.options.spread), "--control", "127.0.0.1:0")
        until("first contact", 300, lambda: sum(
            self.api.get("/cards", f"state={state}&perPage=1")["pagination"]["totalCount"]
            for state in ("SEEN", "OPERATIONAL")) >= count, 0.2)
        took = time.monotonic() - start
        print(f"first contact of {count} cards: {count / took:,.0f}/s, start of the fleet included")
        until("the audits after it", 300, self.is_quiet, 0.2)
        self.cards = [card["id"] for card in self.all("/cards", "")]

    def all(self, path, query):
        items, cursor = [], None
        while True:
            document = self.api.get(path, "perPage=100" + query + ("&cursor=" + cursor if cursor else ""))
            items += document["items"]
            cursor = document["pagination"].get("nextCursor")
            if not cursor:
                return items

    # --- measuring ---

    def requests(self, kind, bodies):
        path = os.path.join(self.folder, "requests")
        host = self.address
        with open(path, "wb") as file:
            for number, (card, body) in enumerate(bodies):
                text = json.dumps({"type": kind, **body})
                octets = (f"POST /connectivity-management/v1/cards/{card}/operations HTTP/1.1\r\nHost: {host}\r\n"
                          f"Authorization: Bearer {self.tokens[number % len(self.tokens)]}\r\n"
                          f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n{text}").encode()
                file.write(b"%d\n%s" % (len(octets), octets))
        return path

    def cpu(self):
        """Seconds of CPU that each program has used."""
        used = {}
        for program in self.running:
            with open(f"/proc/{program.process.pid}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            used[program.name] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return used

    def is_quiet(self):
        """No card is dirty, no operation open, no packet under way."""
        text = self.api.get("/metrics")
        open_ones = re.findall(r'^otaria_operations\{status="\w+"\} (\d+)', text, re.M)
        open_ones += re.findall(r'^otaria_(?:cards_marked\{mark="DIRTY"\}|outbox) (\d+)', text, re.M)
        return len(open_ones) == 10 and not any(map(int, open_ones))

    def measure(self, kind, bodies, rate=0):
        before = self.cpu()
        answer = json.loads(self.tool("bench_requests", self.address, str(self.options.connections), str(rate), self.requests(kind, bodies)))
        if answer["codes"] != {"202": len(bodies)}:
            raise Failed(f"{kind}: {answer['codes']}")
        until("the end of all operations", 300, self.is_quiet, 2)
        after = self.cpu()
        operations = self.all("/operations", "&type=" + kind)[:len(bodies)]
        wrong = [o for o in operations if o.get("outcome") != "done"]
        times = [(stamp(o["createdAt"]), stamp(o["endedAt"])) for o in operations]
        seconds = max(end for _, end in times) - min(start for start, _ in times)
        late = sorted((end - start) * 1000 for start, end in times)
        cpu = ", ".join(f"{name} {(after[name] - before[name]) / len(bodies) * 1e6:.0f}" for name in after)
        print(f"{kind:13}{' at ' + str(rate) + '/s' if rate else '':12} {len(bodies) / seconds:8,.0f} confirmed/s   "
              f"from acceptance to the end p50 {late[len(late) // 2]:.0f} ms, p99 {late[len(late) * 99 // 100]:.0f} ms   "
              f"POST {answer['perSecond']:,.0f}/s, p99 {answer['p99']:.1f} ms   "
              f"CPU us per operation: {cpu}   {len(wrong)} not done", flush=True)
        if wrong:
            print("  for instance", {k: wrong[0].get(k) for k in ("outcome", "failureCode", "cardResult")})

    def switch_bodies(self, enabled):
        bodies = []
        for card in self.cards:
            slots = self.api.get(f"/cards/{card}/subscriptions")["serverView"]["slots"]
            bodies.append((card, {"subscriptionId": next(s["subscriptionId"] for s in slots
                                                         if (s["state"] == "ENABLED") == enabled)}))
        return bodies

    def run(self):
        everyone = [(card, {}) for card in self.cards]
        self.measure("audit", everyone)
        if self.options.rate:
            self.measure("audit", everyone, self.options.rate)
        self.measure("download", [(card, {"poolId": self.pool_id, "enable": "LATER"}) for card in self.cards])
        if not self.options.quick:
            self.measure("enable", self.switch_bodies(False))
        self.floor()

    def floor(self):
        print(self.tool("bench_commits", self.folder), end="")


def stamp(text):
    whole, rest = text.rstrip("Z").split(".")
    return time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float("0." + rest)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", help="folder of the programs, build/release/bin")
    parser.add_argument("--cards", type=int, default=10000)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--connections", type=int, default=100, help="requests at a time")
    parser.add_argument("--rate", type=int, default=0, help="also audits at so many a second")
    parser.add_argument("--data", help="folder on the disk to be measured (default: the system's for temporary files)")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    options.spread = 1
    folder = tempfile.mkdtemp(dir=options.data)
    loop = Loop(options, folder)
    try:
        loop.start()
        loop.load()
        loop.load_pool()
        loop.first_contact()
        loop.run()
    finally:
        loop.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
