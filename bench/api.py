#!/usr/bin/env python3
"""Reads and writes of the API a second, and how long each takes, alone and among strangers: the real ota-server (FULL sync on a
real disk), with idle connections open, and with slow clients that send one octet a second of a header, of a body, or nothing.

usage: bench/api.py PROGRAMS [--cards N] [--idle N] [--slow N] [--requests N] [--rounds N] [--data FOLDER]

Side by side in the same run: the same libmicrohttpd with a fixed answer (bench_http_floor), among the same strangers, and bare
commits (bench_commits). Each round measures all of them once; the line of a measurement has the median of the rounds."""
import argparse, collections, json, os, selectors, shutil, socket, statistics, subprocess, sys, tempfile, threading, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from loop import Loop, SERVER_CONFIG  # noqa: E402
from story import write  # noqa: E402
from system import Api, Failed  # noqa: E402

PER_ADDRESS = 50   # of the strangers: fewer than a server takes of one address
FIRST_ADDRESS = 256  # 127.0.1.0; the good client comes from the addresses before it
BEGINNINGS = {"nothing": b"", "header": b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: ",
              "body": b"POST /oauth2/token HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n"}
WRITE_ROWS = 5  # of a card's change: the card, its notes and label, the trail, the kept answer


class Strangers:
    """Idle connections that asked once, and slow ones; whichever the server ends is opened again."""

    def __init__(self, address, idle, slow):
        host, port = address.rsplit(":", 1)
        self.address, self.number, self.opened, self.shut = (host, int(port)), 0, 0, 0
        self.wanted = ["idle"] * idle + [list(BEGINNINGS)[n % len(BEGINNINGS)] for n in range(slow)]
        self.open, self.selector = {}, selectors.DefaultSelector()
        self.ended = threading.Event()

    def connect(self, slot):
        source = FIRST_ADDRESS + slot // PER_ADDRESS
        connection = socket.create_connection(self.address, 20, (f"127.0.{source // 256}.{source % 256}", 0))
        kind = self.wanted[slot]
        if kind == "idle":
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            if b" 200 " not in connection.recv(65536).split(b"\r\n", 1)[0]:
                raise Failed("an idle connection was not answered")
        elif BEGINNINGS[kind]:
            connection.sendall(BEGINNINGS[kind])
        connection.setblocking(False)
        self.selector.register(connection, selectors.EVENT_READ, slot)
        self.open[slot] = connection
        self.opened += 1

    def __enter__(self):
        for slot in range(len(self.wanted)):
            self.connect(slot)
        self.thread = threading.Thread(target=self.dribble)
        self.thread.start()
        return self

    def lose(self, slot):
        connection = self.open.pop(slot)
        self.selector.unregister(connection)
        connection.close()
        self.shut += 1
        self.connect(slot)

    def dribble(self):
        slow = [slot for slot, kind in enumerate(self.wanted) if kind in ("header", "body")]
        due = collections.deque((time.monotonic() + n / max(len(slow), 1), slot) for n, slot in enumerate(slow))
        while not self.ended.is_set():
            wait = min(due[0][0] - time.monotonic(), 0.1) if due else 0.1
            for key, _ in self.selector.select(max(wait, 0)):
                try:
                    gone = key.fileobj.recv(4096) == b""
                except OSError:
                    gone = True
                if gone:
                    self.lose(key.data)
            while due and due[0][0] <= time.monotonic():
                at, slot = due.popleft()
                try:
                    self.open[slot].send(b"a")
                except OSError:
                    self.lose(slot)
                due.append((at + 1, slot))

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        for connection in self.open.values():
            connection.close()


class ApiBench(Loop):
    SCOPES = ("cards:read", "cards:write")

    def start(self):
        self.tool("vendor-make", "-n", str(self.options.cards), "-b", "API0001", "-o", self.batch)
        data = os.path.join(self.folder, "data")
        self.tool("ota-server", "init", "--data", data)
        text = self.tool("ota-server", "client", "add", "--data", data, "--name", "bench")
        self.clients = [tuple(line.split("=", 1)[1] for line in text.splitlines()[:2])]
        config = "\n".join(line for line in SERVER_CONFIG.splitlines() if not line.startswith("smsc"))
        self.server = self.program("ota-server", "--data", data, "--listen", "127.0.0.1:0", "--config",
                                   write(self.folder, "server.conf", config))
        self.address = self.server.ready["http"]
        self.api = Api(self.address, self.clients)
        client = self.api.get("/api-clients")["items"][0]["id"]
        status, _ = self.api.ask("PATCH", "/api-clients/" + client, {"ratePerSecond": 100000, "burst": 100000})
        if status != 200:
            raise Failed(f"the client's rate: {status}")
        self.bearer = self.token(*self.clients[0])

    # --- requests ---

    def file(self, name, make):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            for number in range(self.options.requests):
                method, target, body = make(number)
                head = (f"{method} /connectivity-management/v1{target} HTTP/1.1\r\nHost: {self.address}\r\n"
                        f"Authorization: Bearer {self.bearer}\r\n")
                if body is not None:
                    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
                octets = (head + "\r\n" + (body or "")).encode()
                file.write(b"%d\n%s" % (len(octets), octets))
        return path

    def make_requests(self):
        cards = [card["id"] for card in self.all("/cards", "")]
        card = lambda n: cards[n % len(cards)]  # noqa: E731
        return {"read": self.file("reads", lambda n: ("GET", "/cards/" + card(n), None)),
                "write": self.file("writes", lambda n: ("PATCH", "/cards/" + card(n), json.dumps({"note": f"note {n}"})))}

    # --- measuring ---

    def used(self, process):
        with open(f"/proc/{process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def once(self, address, process, path, rate=0):
        before = self.used(process)
        answer = json.loads(self.tool("bench_requests", address, str(self.options.connections), str(rate), path))
        if answer["codes"] != {"200": self.options.requests}:
            raise Failed(f"{path}: {answer['codes']}")
        answer["cpu"] = (self.used(process) - before) / self.options.requests * 1e6
        return answer

    def round(self, requests, floor, results):
        places = (("server", self.address, self.server.process), ("floor", floor.ready["http"], floor.process))
        for crowd in ("alone", "among strangers"):
            for place, address, process in places:
                with Strangers(address, *((self.options.idle, self.options.slow) if crowd != "alone" else (0, 0))) as others:
                    for kind, path in requests.items():
                        if place == "floor" and kind == "write":
                            continue
                        for rate in (0, self.options.rate):
                            results[kind, place, crowd, rate].append(self.once(address, process, path, rate))
                    results["shut", place, crowd].append(others.shut)

    def run(self):
        requests = self.make_requests()
        octets = len(json.dumps(self.api.get("/cards/" + self.api.get("/cards", "perPage=1")["items"][0]["id"])))
        self.running.append(Floor(os.path.join(self.options.programs, "bench_http_floor"), octets))
        results = collections.defaultdict(list)
        for _ in range(self.options.rounds):
            self.round(requests, self.running[-1], results)
        self.report(results)
        print(self.tool("bench_commits", self.folder, "1000", str(WRITE_ROWS)), end="")

    def report(self, results):
        o = self.options
        print(f"load average {os.getloadavg()[0]:.1f}; {o.connections} connections ask, {o.requests} requests a measurement, medians "
              f"of {o.rounds}; strangers: {o.idle} idle, {o.slow} slow")
        middle = lambda rows, name: statistics.median(row[name] for row in rows)  # noqa: E731
        for key, rows in results.items():
            if key[0] == "shut":
                continue
            kind, place, crowd, rate = key
            floor = results.get(("read", "floor", crowd, rate))
            share = (f"  of the floor {middle(rows, 'perSecond') / middle(floor, 'perSecond'):.2f}" if rate == 0 and place == "server"
                     else "")
            print(f"{kind:5} {place:6} {crowd:15} {'as fast as it goes' if rate == 0 else f'at {rate}/s':18} "
                  f"{middle(rows, 'perSecond'):9,.0f}/s  p50 {middle(rows, 'p50'):7.2f} ms  p99 {middle(rows, 'p99'):7.2f} ms  "
                  f"max {middle(rows, 'max'):7.1f} ms  CPU us {middle(rows, 'cpu'):5.0f}{share}")
        for kind in ("read", "write"):
            for rate in (0, o.rate):
                alone, among = (results[kind, "server", crowd, rate] for crowd in ("alone", "among strangers"))
                print(f"{kind:5} among strangers to alone, {f'at {rate}/s' if rate else 'at full rate'}: "
                      f"rate {middle(among, 'perSecond') / middle(alone, 'perSecond'):.2f}, "
                      f"p99 {middle(among, 'p99') / middle(alone, 'p99'):.2f}, CPU {middle(among, 'cpu') / middle(alone, 'cpu'):.2f}")
        print("strangers ended by the server meanwhile:", results["shut", "server", "among strangers"])


class Floor:
    """bench_http_floor: ends with its standard input."""
    name = "bench_http_floor"

    def __init__(self, program, octets):
        self.process = subprocess.Popen([program, str(octets)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.ready = json.loads(self.process.stdout.readline())

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


def measure(kind, options):
    """Loads a server in a folder of its own, runs the bench of this kind, and leaves nothing."""
    folder = tempfile.mkdtemp(dir=options.data)
    bench = kind(options, folder)
    try:
        bench.start()
        bench.load()
        bench.run()
    finally:
        bench.stop()
        shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", help="folder of the programs, build/release/bin")
    parser.add_argument("--cards", type=int, default=2000)
    parser.add_argument("--connections", type=int, default=32, help="that ask; one request at a time each")
    parser.add_argument("--requests", type=int, default=20000, help="of each measurement")
    parser.add_argument("--rate", type=int, default=1000, help="requests a second of the measurements at a rate")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--idle", type=int, default=1000)
    parser.add_argument("--slow", type=int, default=300)
    parser.add_argument("--data", help="folder on the disk to be measured (default: the system's for temporary files)")
    measure(ApiBench, parser.parse_args())


if __name__ == "__main__":
    main()
