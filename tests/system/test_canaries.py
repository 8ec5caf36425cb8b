#!/usr/bin/env python3
"""Secrets that the server was given, looked for in all that it leaves: its database with journal and backup, what it keeps of
files, its log, and its answers. usage: test_canaries.py FOLDER-OF-PROGRAMS"""
import base64, json, os, subprocess, unittest

from served import KEYS, SAMPLE, Served, read, tool

# Columns of the sample, with the transport key that enciphers them.
ENCIPHERED = {"ADM1": 12, "KI1": 7, "OPC1": 7, "KI2": 7, "OPC2": 7, "KIC1": 12, "KID1": 12, "KIK1": 12}


def decipher(key, text):
    return subprocess.run(["openssl", "enc", "-d", "-aes-128-cbc", "-nopad", "-K", key, "-iv", "0" * 32],
                          input=bytes.fromhex(text), capture_output=True, check=True).stdout


def forms(secret):
    """The octets, and the texts that they are written as."""
    plain = base64.b64encode(secret).rstrip(b"=")
    return {secret, secret.hex().encode(), secret.hex().upper().encode(), plain, base64.urlsafe_b64encode(secret).rstrip(b"=")}


def check_value(key):
    """The first octets of sixteen times 01 under it, as vendors print them."""
    return subprocess.run(["openssl", "enc", "-aes-128-ecb", "-nopad", "-K", key.hex()], input=b"\1" * 16, capture_output=True,
                          check=True).stdout[:3].hex().upper()


def secrets_of_sample():
    lines = read(SAMPLE).decode().splitlines()
    names = next(line for line in lines if line.startswith("Var_Out: ")).split(": ")[1].split("/")
    found = {}
    for number, line in enumerate(lines[lines.index("*DATA") + 1:lines.index("*END")]):
        row = dict(zip(names, line.split()))
        found[f"PUK1 {number}"] = {row["PUK1"].encode()}
        for name, index in ENCIPHERED.items():
            secret = decipher(KEYS[index], row[name])
            # An ADM1 is eight digits, and filled up.
            found[f"{name} {number}"] = {secret[:8]} if name == "ADM1" else forms(secret)
            if name in ("KIC1", "KID1") and check_value(secret) not in row["KCV"]:
                raise ValueError("deciphered in another way than vendors do")
    return found


class Canaries(Served):
    def canaries(self):
        found = {f"transport key {index}": forms(bytes.fromhex(key)) for index, key in KEYS.items()}
        found["the client's secret"] = forms(self.client[1].encode())
        found["the master key"] = forms(bytes.fromhex(read(self.at("data", "master.key")).decode().strip()))
        found["the password of the SMSC"] = {b"secret1"}
        found.update(secrets_of_sample())
        return found

    def search(self, octets):
        return sorted(name for name, texts in self.secrets.items() if any(text in octets for text in texts))

    def left(self):
        """Of each file in the folder: the secrets that stand in it."""
        found = {}
        for path, _, names in os.walk(self.folder):
            for name in names:
                here = self.search(read(os.path.join(path, name)))
                if here:
                    found[os.path.relpath(os.path.join(path, name), self.folder)] = here
        return found

    def assert_hidden(self):
        self.assertEqual(self.left(), {"server.conf": ["the password of the SMSC"], "data/master.key": ["the master key"]})

    def test_no_secret_stands_anywhere_in_the_clear(self):
        self.secrets = self.canaries()
        self.assertGreater(len(self.secrets), 25)
        job = self.ended(self.order(read(SAMPLE)))
        self.assertEqual((job["outcome"], job["loaded"]), ("IMPORTED", 3))
        for card in self.api.all("/cards"):
            self.api.post(f"/cards/{card['id']}/operations", {"type": "audit"})
        self.assert_hidden()  # while it runs, with its journal
        self.crash()
        self.assert_hidden()
        answers = [self.api.get(path, "perPage=100") for path in
                   ("/transport-keys", "/cards", "/subscriptions", "/operations", "/audit-trail", "/batch-imports",
                    "/vendor-profiles", "/api-clients")]
        answers += [self.api.get("/batch-imports/" + job["id"]), self.api.get("/system")]
        self.assertEqual(self.search(json.dumps(answers).encode()), [])
        tool("ota-server", "backup", "--data", self.data, "--to", self.at("copy"))
        self.assertTrue(os.listdir(self.folder).count("copy"))
        left = self.left()
        self.assertEqual(set(left) - {"server.conf", "data/master.key"}, set(), left)


if __name__ == "__main__":
    unittest.main()
