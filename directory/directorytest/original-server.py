#!/usr/bin/env python3
"""A lab's server as the original client (etsy/rfid-checkout) expects it.

It shares no code with stump: a toggle, three GET calls, answers as in the
original's README. Usage: original-server.py PORT STATE-FILE
It prints its port when it listens; PORT 0 is any free one.
"""
import hashlib
import http.server
import json
import os
import sys
import urllib.parse

HASH_STRING = "ordinary salt"
port, path = int(sys.argv[1]), sys.argv[2]


def badge(number):
    return hashlib.sha256((HASH_STRING + str(number)).encode()).hexdigest()


state = {
    "people": {badge(91234): "Corey"},
    "directory": ["C Benninger"],
    "devices": {"8123456": "iPod Touch 5th Generation", "8200001": "iPad Mini G1 (inky)"},
    "holder": {},
    "log": [],
}
if os.path.exists(path):
    with open(path) as f:
        state = json.load(f)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = urllib.parse.urlparse(self.path)
        query = {k: v[0] for k, v in urllib.parse.parse_qs(url.query).items()}
        calls = {"/checkinout.php": checkinout, "/whatis.php": whatis, "/associate.php": associate}
        if url.path not in calls:
            self.send_error(404)
            return
        body = json.dumps(calls[url.path](query)).encode()
        with open(path + ".new", "w") as f:
            json.dump(state, f)
        os.replace(path + ".new", path)
        self.send_response(200)
        self.send_header("Content-Type", "text/html")  # as PHP does
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def checkinout(q):
    staff, asset = q["staff_rfid_tag"], q["asset_rfid_tag"]
    who, device = state["people"].get(staff), state["devices"].get(asset)
    if device is None:
        return {"error": "Unknown Device"}
    if who is None:
        return {"error": "Unknown User"}
    if state["holder"].get(asset) == who:
        del state["holder"][asset]
        text = f"{who} checked in {device}"
    else:
        state["holder"][asset] = who
        text = f"{who} checked out {device}"
    state["log"].append(text)
    return {"response": text}


def whatis(q):
    if q["rfid"] in state["people"]:
        return {"type": "human", "name": state["people"][q["rfid"]]}
    if q["rfid"] in state["devices"]:
        return {"type": "device", "name": state["devices"][q["rfid"]]}
    return {"error": "RFID did not match known values"}


def associate(q):
    if q["who"] not in state["directory"]:
        return {"error": "User Not Found"}
    state["people"][q["tag"]] = q["who"]
    return {"msg": "Tag associated with " + q["who"]}


server = http.server.HTTPServer(("127.0.0.1", port), Handler)
print(server.server_port, flush=True)
server.serve_forever()
