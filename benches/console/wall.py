#!/usr/bin/env python3
"""What watching costs and how old live pictures are: `lookout run` with eight cameras and a browser's wall.

    benches/console/wall.py [--short]        needs the built binary

vtest.avi looped and played live by eight cameras that analyse --rate pictures a second each, small model input, below
what the machine can do. Phases of --seconds alternate: nobody watches, then one viewer of all eight tiles, then ten of
them. CPU is the process's; a row says how much more than nobody's phases, as a share of one core. Evidence (pictures for
clips) goes on in all of them, as it does in a real site.

age      from a picture's presentation time (X-Lookout-Time) to its last byte read here, over loopback: of tiles, and of
         one camera alone at 8 pictures a second. A live picture is two analysed pictures late, since the people of those
         cover it too (DESIGN.md, invariant 12): at --rate pictures a second that alone is 2 / rate seconds.
load     bytes of the page's files as they go over the wire, compressed

--short: one brief repetition, which asserts no timing. Writes out/console/wall.json; exit code 1 if a check fails.
"""
import argparse
import http.client
import json
import re
import statistics
import sys
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from cameras.run import Failed, Process, busy, site  # noqa: E402
from peers.places import OUT, add_arguments, markdown, resolve  # noqa: E402

CAMERAS = 8
PASSWORD = "a password of the bench"
FORMAT = "%Y-%m-%dT%H:%M:%S.%f%z"


def ask(address, method, path, body=None, **headers):
    """Status, headers and JSON."""
    connection = http.client.HTTPConnection(address, timeout=30)
    payload = None if body is None else json.dumps(body)
    connection.request(method, path, payload, {"Content-Type": "application/json", **headers})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, answer.headers, json.loads(text) if text else None


def login(address, folder):
    """The cookie of the first admin, who has chosen a password."""
    given = (folder / "data/admin-password").read_text().strip()
    status, headers, session = ask(address, "POST", "/api/v1/session", {"name": "admin", "password": given})
    if status != 200:
        raise Failed(f"login: {status}")
    cookie = headers["Set-Cookie"].partition(";")[0]
    status, headers, _ = ask(address, "POST", "/api/v1/session/password", {"old": given, "new": PASSWORD},
                             Cookie=cookie, **{"X-Lookout-CSRF": session["csrf"]})
    if status != 200:
        raise Failed(f"change of password: {status}")
    return headers.get("Set-Cookie", cookie).partition(";")[0]


class Viewer(threading.Thread):
    """Reads a stream of pictures until told to stop."""

    def __init__(self, address, cookie, query):
        super().__init__(daemon=True)
        self.address, self.cookie, self.query = address, cookie, query
        self.over, self.ages, self.bytes, self.seen, self.error = threading.Event(), [], 0, {}, None
        self.start()

    def run(self):
        try:
            connection = http.client.HTTPConnection(self.address, timeout=30)
            connection.request("GET", f"/api/v1/live?{self.query}", headers={"Cookie": self.cookie})
            answer = connection.getresponse()
            if answer.status != 200:
                raise Failed(f"live: {answer.status}")
            head = {}
            while not self.over.is_set():
                line = answer.readline().strip().decode("latin-1")
                if line:
                    name, _, value = line.partition(":")
                    head[name.strip().lower()] = value.strip()
                elif "content-length" in head:
                    picture = answer.read(int(head["content-length"]))
                    now = time.time()
                    at = datetime.strptime(head["x-lookout-time"].replace("Z", "+0000"), FORMAT).timestamp()
                    self.ages.append(now - at)
                    self.bytes += len(picture)
                    camera = head.get("x-lookout-camera")
                    self.seen[camera] = self.seen.get(camera, 0) + 1
                    head = {}
            connection.close()
        except Exception as error:  # noqa: BLE001  told to whoever waits
            self.error = error

    def end(self):
        self.over.set()
        self.join(30)
        if self.error:
            raise Failed(str(self.error))
        return self


def phase(given, process, address, cookie, viewers):
    """CPU seconds a second of one phase, and its viewers."""
    ids = ",".join(f"cam-{k:02}" for k in range(CAMERAS))
    watching = [Viewer(address, cookie, f"cameras={ids}&rate=4") for _ in range(viewers)]
    time.sleep(1)
    (_, before), start = busy(process.child.pid), time.monotonic()
    time.sleep(given.seconds)
    (_, after), spent = busy(process.child.pid), time.monotonic() - start
    return (after - before) / spent, [viewer.end() for viewer in watching], spent


def first_load(address):
    """Compressed bytes of the page and of all that it names."""
    def wire(path):
        connection = http.client.HTTPConnection(address, timeout=30)
        connection.request("GET", path, headers={"Accept-Encoding": "br, gzip"})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if answer.status != 200:
            raise Failed(f"{path}: {answer.status}")
        return body, answer.headers.get("Content-Encoding")
    connection = http.client.HTTPConnection(address, timeout=30)
    connection.request("GET", "/")
    page = connection.getresponse().read().decode()
    connection.close()
    files = ["/", *sorted(set(re.findall(r'(?:src|href)="(/[^"]+)"', page)))]
    return {file: len(wire(file)[0]) for file in files}


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rate", type=float, default=8.0, help="analysed pictures a second of each camera: the large view's own rate")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--repeat", type=int)
    parser.add_argument("--short", action="store_true")
    given = parser.parse_args()
    given.seconds = given.seconds or (3 if given.short else 15)
    given.repeat = given.repeat or (1 if given.short else 3)
    resolve(given)
    cpu, ages, bytes_a_second = {0: [], 1: [], 10: []}, {"tiles": [], "large": []}, []
    with tempfile.TemporaryDirectory(prefix="lookout-bench-") as folder:
        folder = Path(folder)
        source = [f"rate = {given.rate}", f"fps = {given.rate}", "[detect]", "input = [320, 256]"]
        address = site(folder, given, given.vtest, CAMERAS, source)
        with Process(given, folder, address) as process:
            load = first_load(address)
            cookie = login(address, folder)
            time.sleep(5)
            for _ in range(given.repeat):
                for viewers in cpu:
                    used, watched, spent = phase(given, process, address, cookie, viewers)
                    cpu[viewers].append(used)
                    for viewer in watched:
                        if len(viewer.seen) != CAMERAS:
                            raise Failed(f"a viewer saw {sorted(viewer.seen)} only")
                    if viewers == 1:
                        ages["tiles"] += watched[0].ages
                        bytes_a_second.append(watched[0].bytes / spent)
                alone = Viewer(address, cookie, "cameras=cam-00&rate=8")
                time.sleep(given.seconds)
                ages["large"] += alone.end().ages
    nobody = statistics.median(cpu[0])
    more = {viewers: statistics.median(used) - nobody for viewers, used in cpu.items()}
    rows = [["CPU of the process with nobody watching", f"{nobody:.2f} of a core", ""],
            [f"more with one wall of {CAMERAS} tiles", f"{100 * more[1]:.1f} % of a core", "at most 10 %"],
            ["more with ten such walls", f"{100 * more[10]:.1f} % of a core", "no more encoding than one"],
            ["a wall's pictures", f"{statistics.median(bytes_a_second) / 1024:.0f} kB/s", ""]]
    for name, values in ages.items():
        rows.append([f"age of live pictures, {name}: p50, p99", f"{1e3 * quantile(values, 0.5):.0f}, "
                     f"{1e3 * quantile(values, 0.99):.0f} ms", "at most 300 ms"])
    rows.append(["first load, compressed", f"{sum(load.values()) / 1000:.0f} kB", "at most 200 kB"])
    print(f"\n### Watching, {CAMERAS} cameras of {given.rate:.1f} pictures/s, {given.seconds:.0f} s a phase, median of "
          f"{given.repeat}\n")
    print(markdown(["what", "figure", "aim"], rows))
    OUT.joinpath("console").mkdir(parents=True, exist_ok=True)
    OUT.joinpath("console/wall.json").write_text(json.dumps(
        {"cpu": cpu, "ages": ages, "load": load, "bytes_a_second": bytes_a_second, "rate": given.rate}, indent=1))
    if sum(load.values()) > 200_000:
        raise Failed(f"the first load is {sum(load.values())} bytes: {load}")


if __name__ == "__main__":
    try:
        main()
    except Failed as error:
        sys.exit(f"failed: {error}")
