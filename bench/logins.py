#!/usr/bin/env python3
"""How long reads of the API take while people log in, against the same reads without them, in turns: the real ota-server.

usage: bench/logins.py PROGRAMS [--cards N] [--requests N] [--rate R] [--logins R] [--rounds N] [--data FOLDER]

A log-in costs an Argon2id of 19 MiB. Each round measures the reads once without log-ins and once with them; the last line
has the medians of the rounds, and their ratio."""
import argparse, json, os, statistics, subprocess, sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from api import ApiBench, measure  # noqa: E402
from system import Failed  # noqa: E402

PASSWORD = "tidal ferret lantern"


class LoginBench(ApiBench):
    def make_logins(self, count):
        with open(os.path.join(self.folder, "data", "setup-token")) as file:
            token = file.read().strip()
        self.api.post("/setup", {"token": token, "username": "ann", "password": PASSWORD,
                                 "enterprise": {"name": "bench", "region": "Asia", "timeZone": "UTC"}})
        body = json.dumps({"username": "ann", "password": PASSWORD})
        octets = (f"POST /connectivity-management/v1/session HTTP/1.1\r\nHost: {self.address}\r\n"
                  f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode()
        path = os.path.join(self.folder, "logins")
        with open(path, "wb") as file:
            file.write(count * (b"%d\n%s" % (len(octets), octets)))
        return path

    def beside(self, path):
        program = os.path.join(self.options.programs, "bench_requests")
        return subprocess.Popen([program, self.address, "32", str(self.options.logins), path], stdout=subprocess.PIPE)

    def run(self):
        o = self.options
        cards = [card["id"] for card in self.all("/cards", "")]
        reads = self.file("reads", lambda n: ("GET", "/cards/" + cards[n % len(cards)], None))
        logins = self.make_logins(o.logins * o.requests // o.rate)
        alone, among, people = [], [], []
        for _ in range(o.rounds):
            alone.append(self.once(self.address, self.server.process, reads, o.rate))
            others = self.beside(logins)
            among.append(self.once(self.address, self.server.process, reads, o.rate))
            people.append(json.loads(others.communicate()[0]))
            if people[-1]["codes"].keys() - {"200", "503"}:
                raise Failed(f"log-ins: {people[-1]['codes']}")
        middle = lambda rows, name: statistics.median(row[name] for row in rows)  # noqa: E731
        for name, rows in (("reads alone", alone), (f"reads beside {o.logins} log-ins/s", among), ("log-ins", people)):
            print(f"{name:28} p50 {middle(rows, 'p50'):7.2f} ms  p99 {middle(rows, 'p99'):7.2f} ms  "
                  f"max {middle(rows, 'max'):7.1f} ms  {rows[-1]['codes']}")
        print(f"load average {os.getloadavg()[0]:.1f}; {o.rate} reads/s, {o.rounds} rounds of {o.requests}; p99 of reads beside "
              f"log-ins to alone: {middle(among, 'p99') / middle(alone, 'p99'):.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", help="folder of the programs, build/release/bin")
    parser.add_argument("--cards", type=int, default=200)
    parser.add_argument("--connections", type=int, default=32, help="that ask; one request at a time each")
    parser.add_argument("--requests", type=int, default=2000, help="of each measurement")
    parser.add_argument("--rate", type=int, default=200, help="reads a second")
    parser.add_argument("--logins", type=int, default=20, help="log-ins a second")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", help="folder on the disk to be measured (default: the system's for temporary files)")
    measure(LoginBench, parser.parse_args())


if __name__ == "__main__":
    main()
