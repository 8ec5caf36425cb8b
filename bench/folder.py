#!/usr/bin/env python3
"""Vendor files that arrive in a watched folder of the real ota-server: cards a second from the file's name in the folder to its
report beside it, the server's CPU time, its memory quarter by quarter, and how the interface answers meanwhile.

usage: bench/folder.py PROGRAMS [--cards 200000,1000000] [--data FOLDER]

Fails when the progress that the interface tells goes back, when the file or its report is not where it belongs, or when a card is
missing."""
import argparse, json, os, shutil, sys, tempfile, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from loop import Loop, TRANSPORT  # noqa: E402
from story import write  # noqa: E402
from system import Api, Failed  # noqa: E402

SETTLE_S = 1
CONFIG = 'import-folder "alder" { path = "%s" settle-s = %d }\nsingle-person = true\n'


class FolderBench(Loop):
    def start(self):
        self.inbox, data = os.path.join(self.folder, "inbox"), os.path.join(self.folder, "data")
        os.mkdir(self.inbox)
        self.tool("ota-server", "init", "--data", data)
        text = self.tool("ota-server", "client", "add", "--data", data, "--name", "bench")
        self.server = self.program("ota-server", "--data", data, "--listen", "127.0.0.1:0", "--config",
                                   write(self.folder, "server.conf", CONFIG % (self.inbox, SETTLE_S)))
        self.api = Api(self.server.ready["http"], [tuple(line.split("=", 1)[1] for line in text.splitlines()[:2])])
        with open(self.profile) as file:
            self.api.post("/vendor-profiles", json.load(file))
        for line in TRANSPORT.splitlines():
            index, _, key = line.split()
            self.api.post("/transport-keys", {"index": int(index), "algorithm": "AES128-CBC",
                                              "components": [key.upper(), "0" * 32]})

    def memory(self):
        with open(f"/proc/{self.server.process.pid}/status") as file:
            return int(next(line for line in file if line.startswith("VmRSS")).split()[1]) // 1024

    def measure(self, cards, first):
        name = f"batch-{cards}.out"
        hidden = os.path.join(self.inbox, name + ".part")
        self.tool("vendor-make", "-n", str(cards), "-f", str(first), "-b", f"F{cards:07}", "-o", hidden)
        before, start = self.cpu()["ota-server"], time.monotonic()
        os.rename(hidden, os.path.join(self.inbox, name))
        report = os.path.join(self.inbox, "done", name + ".report.json")
        refused = os.path.join(self.inbox, "refused", name + ".report.json")
        samples, last, slowest = [], (0, 0), 0
        while not os.path.exists(report) and not os.path.exists(refused):
            asked = time.monotonic()
            jobs = self.api.get("/batch-imports", "sort=-createdAt&perPage=1")["items"]
            slowest = max(slowest, time.monotonic() - asked)
            samples.append(self.memory())
            if jobs and jobs[0]["status"] in ("CHECKING", "LOADING"):
                now = (["CHECKING", "LOADING"].index(jobs[0]["status"]), jobs[0].get("recordsDone", 0))
                if now < last:
                    raise Failed(f"progress went back from {last} to {now}")
                last = now
            time.sleep(0.25)
        took = time.monotonic() - start - SETTLE_S
        used = self.cpu()["ota-server"] - before
        if os.path.exists(refused) or not os.path.exists(os.path.join(self.inbox, "done", name)):
            raise Failed("the file was refused, or is not beside its report")
        with open(report) as file:
            ended = json.load(file)["import"]
        if (ended["outcome"], ended["loaded"]) != ("IMPORTED", cards):
            raise Failed(f"{ended}")
        quarter = max(len(samples) // 4, 1)
        print(f"{cards:9,} cards through the folder: {cards / took:8,.0f}/s  {took:.0f} s  CPU us per card {used / cards * 1e6:.1f}  "
              f"memory by quarters {[max(samples[at:at + quarter]) for at in range(0, len(samples), quarter)][:4]} MB  "
              f"slowest answer meanwhile {slowest * 1000:.0f} ms  load average {os.getloadavg()[0]:.1f}", flush=True)

    def run(self):
        first = 1
        for cards in map(int, self.options.cards.split(",")):
            self.measure(cards, first)
            first += cards


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", help="folder of the programs, build/release/bin")
    parser.add_argument("--cards", default="200000,1000000", help="files of so many, one after the other")
    parser.add_argument("--data", help="folder on the disk to be measured (default: the system's for temporary files)")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(dir=options.data)
    bench = FolderBench(options, folder)
    try:
        bench.start()
        bench.run()
    finally:
        bench.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
