"""Certificates for tests, made by openssl: P-256 keys, NAME.crt and NAME.key in a folder."""
import os, subprocess


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


class Authority:
    def __init__(self, folder, name="ca"):
        self.folder, self.name = folder, name
        self.file = self.path(name) + ".crt"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                "/CN=" + name, "-keyout", self.path(name) + ".key", "-out", self.file)
        os.chmod(self.path(name) + ".key", 0o600)

    def path(self, name):
        return os.path.join(self.folder, name)

    def issue(self, name, alternative="IP:127.0.0.1", days=2):
        """The path of the new certificate and key, without their endings. Negative days: expired."""
        path = self.path(name)
        with open(path + ".ext", "w") as file:
            file.write("subjectAltName=" + alternative + "\n")
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/O=Otaria/CN=" + name,
                "-keyout", path + ".key", "-out", path + ".csr")
        openssl("x509", "-req", "-in", path + ".csr", "-CA", self.file, "-CAkey", self.path(self.name) + ".key",
                "-CAcreateserial", "-days", str(days), "-extfile", path + ".ext", "-out", path + ".crt")
        os.chmod(path + ".key", 0o600)
        return path
