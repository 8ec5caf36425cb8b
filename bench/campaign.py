#!/usr/bin/env python3
"""A campaign, measured from its check to its end: the real ota-server (FULL sync on a real disk), smsc-sim and a fleet of
emulated cards as processes, as in loop.py, but the cards are asked by the server itself.

usage: bench/campaign.py PROGRAMS [--cards N] [--rate R] [--open N] [--data FOLDER]

A rate is of cards that confirmed, from the campaign's start to its end by the server's own times. CPU time is that of each
program between the two, as seconds and by card. Memory is the server's highest resident size."""
import argparse, os, shutil, sys, tempfile, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from loop import Loop, Failed, stamp, until  # noqa: E402


class Campaigns(Loop):
    def token(self, key, secret):
        return None  # requests are signed, and few

    def all(self, path, query):
        return []  # nobody asks for each card

    def memory(self):
        with open(f"/proc/{self.server.process.pid}/status") as file:
            return next(int(line.split()[1]) // 1024 for line in file if line.startswith("VmHWM"))

    def act(self, campaign, verb):
        status, document = self.api.ask("POST", f"/campaigns/{campaign}/{verb}", {"reason": "bench"})
        if status != 200:
            raise Failed(f"{verb}: {status} {document}")
        return document

    def measure(self, name, operation):
        count = self.options.cards
        campaign = self.api.post("/campaigns", {
            "name": name, "operation": operation, "target": {"filter": {}},
            "rate": {"perSecond": self.options.rate, "maxOpen": self.options.open}})["id"]
        before, begin = self.cpu(), time.monotonic()
        checked = self.act(campaign, "check")
        took, used = time.monotonic() - begin, self.cpu()
        print(f"{name}: check of {count} cards {took:.1f} s, {1e6 * (used['ota-server'] - before['ota-server']) / count:.0f} "
              f"us of CPU a card; {checked['funnel']['eligible']} eligible", flush=True)
        before = self.cpu()
        self.act(campaign, "start")
        ended = until("the campaign's end", 3600, lambda: (lambda c: c if c["state"] in (
            "COMPLETED", "PAUSED", "STOPPED") else None)(self.api.get("/campaigns/" + campaign)), 2)
        used = self.cpu()
        seconds = stamp(ended.get("endedAt", ended["updatedAt"])) - stamp(ended["startedAt"])
        done = ended["funnel"]["confirmed"]
        cpu = ", ".join(f"{key} {used[key] - before[key]:.1f} s = {1e6 * (used[key] - before[key]) / max(done, 1):.0f} us"
                        for key in used)
        print(f"{name}: {ended['state']} {ended.get('stateReason', '')} {done} of {count} confirmed in {seconds:.1f} s: "
              f"{done / seconds:,.0f}/s; CPU {cpu}; server at most {self.memory()} MB; losses {ended['losses']}", flush=True)
        until("the quiet after it", 600, self.is_quiet, 1)

    def run(self):
        print(f"load average {os.getloadavg()[0]:.1f}", flush=True)
        self.measure("audit", {"type": "audit"})
        self.measure("download", {"type": "download", "poolId": self.pool_id, "enable": "LATER"})
        print(f"load average {os.getloadavg()[0]:.1f}", flush=True)
        if not self.options.quick:
            self.floor()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", help="folder of the programs, build/release/bin")
    parser.add_argument("--cards", type=int, default=100000)
    parser.add_argument("--rate", type=int, default=5000, help="cards a second that the campaign may ask")
    parser.add_argument("--open", type=int, default=2000, help="operations that may be open at once")
    parser.add_argument("--data", help="folder on the disk to be measured (default: the system's for temporary files)")
    parser.add_argument("--quick", action="store_true", help="without the floor")
    options = parser.parse_args()
    options.clients, options.spread = 4, 1 + options.cards // 2000  # first contacts are not what is measured
    folder = tempfile.mkdtemp(dir=options.data)
    bench = Campaigns(options, folder)
    try:
        bench.start()
        bench.load()
        bench.load_pool()
        bench.first_contact()
        bench.run()
    finally:
        bench.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
